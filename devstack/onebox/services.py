# SPDX-License-Identifier: Apache-2.0
"""The services of a box: how each is run and known to be ready."""

import dataclasses
import functools
import hashlib
import http.client
import pathlib
import socket

from devstack.onebox import configs

_HERE = pathlib.Path(__file__).resolve().parent
#: Seconds that supervisord lets a service take to end.
STOP_WAIT = 15

_WSGI = {
    'keystone': ('keystone.wsgi.api', 'OS_KEYSTONE_CONFIG_DIR'),
    'placement': ('placement.wsgi.api', 'OS_PLACEMENT_CONFIG_DIR'),
    'glance': ('glance.wsgi.api', 'OS_GLANCE_CONFIG_DIR'),
    'neutron': ('neutron.wsgi.api', 'OS_NEUTRON_CONFIG_DIR'),
    'nova-api': ('nova.wsgi.osapi_compute', 'OS_NOVA_CONFIG_DIR'),
}
# What a client of AMQP 0-9-1 says first; the server's answer is method 10.10.
_AMQP_HELLO = b'AMQP\0\0\x09\x01'
_AMQP_START = b'\x01\0\0'


@dataclasses.dataclass(frozen=True)
class Service:
    """One program under supervisord.

    :param command: command line.
    :param environment: variables besides those of every service.
    :param ready: a function without arguments, true once it serves; None
        when only the cloud itself can tell.
    :param ports: names in Settings.ports of the ports it listens on.
    :param inputs: texts; when one changes, the service is restarted.
    :param children: whether what it started ends with it.
    """

    name: str
    command: str
    environment: dict = dataclasses.field(default_factory=dict)
    ready: object = None
    ports: tuple = ()
    inputs: tuple = ()
    children: bool = True


def supervisord_conf(box, services):
    """Text of supervisord.conf."""
    programs = (
        box.render(
            'program.conf',
            name=service.name,
            command=service.command,
            environment=_environment(service),
            priority=priority,
            stop_wait=STOP_WAIT,
            children=str(service.children).lower(),
        )
        for priority, service in enumerate(services.values())
    )
    return box.render('supervisord.conf') + ''.join(programs)


def _environment(service):
    inputs = '\0'.join(service.inputs).encode()
    variables = service.environment | {
        # supervisord has a program changed when this is.
        'ONEBOX_INPUTS': hashlib.sha256(inputs).hexdigest()
    }
    return ','.join(f'{name}="{value}"' for name, value in variables.items())


def table(box, texts, ours=''):
    """All services, in the order in which they can start.

    :param texts: ``{path below etc: text}``, every configuration file.
    :param ours: digest of nova-newos, empty when Nova does not load it.
    :returns: ``{name: Service}``.
    """
    listed = [
        _mariadb(box),
        _epmd(box),
        _rabbitmq(box, texts),
        _libvirtd(box, texts),
        *(
            _wsgi(box, name, texts)
            for name in ('keystone', 'placement', 'glance', 'neutron')
        ),
        _nova(box, 'nova-conductor', 'nova.conf', texts),
        _nova(box, 'nova-scheduler', 'nova.conf', texts),
        _wsgi(box, 'nova-api', texts),
        _nova(box, 'nova-compute', 'nova-cpu.conf', texts, ours),
    ]
    return {service.name: service for service in listed}


def _mariadb(box):
    state = box.state
    return Service(
        'mariadb',
        f'/usr/sbin/mariadbd --no-defaults --user=root '
        f'--datadir={state.mariadb} --socket={state.mariadb_socket} '
        f'--pid-file={state.run}/mariadb.pid --skip-networking '
        '--innodb-buffer-pool-size=64M --performance-schema=OFF '
        # Survives a crash of the server, which is all a box needs.
        '--innodb-flush-log-at-trx-commit=2 --max-connections=500 '
        '--character-set-server=utf8mb3',
        ready=functools.partial(_accepts, state.mariadb_socket),
    )


def _epmd(box):
    port = box.ports['epmd']
    return Service(
        'epmd',
        f'/usr/bin/epmd -address 127.0.0.1 -port {port}',
        ready=functools.partial(_accepts, ('127.0.0.1', port)),
        ports=('epmd',),
    )


def _rabbitmq(box, texts):
    home = box.state.rabbitmq
    return Service(
        'rabbitmq',
        '/usr/lib/rabbitmq/bin/rabbitmq-server',
        environment={
            'HOME': home,
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'ERL_EPMD_PORT': box.ports['epmd'],
            'RABBITMQ_CONFIG_FILE': box.state.etc / 'rabbitmq.conf',
            # The system's own settings must not reach this one.
            'RABBITMQ_CONF_ENV_FILE': home / 'rabbitmq-env.conf',
            'RABBITMQ_ADVANCED_CONFIG_FILE': home / 'advanced.config',
            'RABBITMQ_DIST_PORT': box.ports['rabbitmq-dist'],
            'RABBITMQ_ENABLED_PLUGINS_FILE': home / 'enabled_plugins',
            'RABBITMQ_LOG_BASE': home,
            'RABBITMQ_LOGS': '-',
            'RABBITMQ_MNESIA_BASE': home / 'mnesia',
            'RABBITMQ_NODENAME': f'{configs.HOST}@localhost',
            'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODE_PORT': box.ports['rabbitmq'],
            # Idle schedulers otherwise spin, and a box has few processors.
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '+sbwt none '
            '+sbwtdcpu none +sbwtdio none '
            '-kernel inet_dist_use_interface {127,0,0,1}',
        },
        ready=functools.partial(_speaks_amqp, box.ports['rabbitmq']),
        ports=('rabbitmq', 'rabbitmq-dist'),
        inputs=(texts['rabbitmq.conf'],),
    )


def _libvirtd(box, texts):
    launcher = _HERE / 'private-libvirtd'
    return Service(
        'libvirtd',
        f'{launcher} {box.state.root} {"yes" if box.kvm else "no"}',
        ready=functools.partial(_accepts, box.state.libvirt_socket),
        inputs=(
            texts['libvirt/libvirtd.conf'],
            texts['libvirt/qemu.conf'],
            launcher.read_text(),
        ),
        # Guests outlive a restart of libvirtd.
        children=False,
    )


def _wsgi(box, name, texts):
    _module, variable = _WSGI[name]
    directory = name.removesuffix('-api')
    return Service(
        name,
        f'{box.state.venv}/bin/uwsgi --ini {box.state.etc}/{name}.uwsgi.ini',
        environment={variable: box.state.etc / directory},
        ready=functools.partial(_answers, box.ports[name]),
        ports=(name,),
        inputs=(
            texts[f'{name}.uwsgi.ini'],
            *(
                text
                for path, text in sorted(texts.items())
                if path.startswith(f'{directory}/')
                and not path.endswith('nova-cpu.conf')
            ),
        ),
    )


def _nova(box, name, conf, texts, *inputs):
    return Service(
        name,
        f'{box.state.venv}/bin/{name} '
        f'--config-file {box.state.etc}/nova/{conf}',
        inputs=(texts[f'nova/{conf}'], *inputs),
    )


def uwsgi_files(box):
    """One uWSGI file a WSGI service: ``{path below etc: text}``."""
    return {
        f'{name}.uwsgi.ini': configs.uwsgi(box, name, module)
        for name, (module, _variable) in _WSGI.items()
    }


def _accepts(address):
    kind = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(kind) as connection:
        connection.settimeout(2)
        try:
            connection.connect(
                address if isinstance(address, tuple) else str(address)
            )
        except OSError:
            return False
    return True


def _speaks_amqp(port):
    try:
        with socket.create_connection(('127.0.0.1', port), 2) as connection:
            connection.sendall(_AMQP_HELLO)
            return connection.recv(3) == _AMQP_START
    except OSError:
        return False


def _answers(port):
    # http.client, because urllib would ask a proxy named in the environment.
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    try:
        connection.request('GET', '/')
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
