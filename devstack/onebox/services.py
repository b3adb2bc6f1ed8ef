# SPDX-License-Identifier: Apache-2.0
"""The services of a box: what they read and how they are known to be ready.

How each is run is in etc/supervisord.conf.
"""

import dataclasses
import functools
import hashlib
import http.client
import pathlib
import socket

import amqp

from devstack.onebox import configs

#: Seconds that supervisord lets a service take to end.
STOP_WAIT = 15

_PRIVATE_LIBVIRTD = pathlib.Path(__file__).with_name('private-libvirtd')
_WSGI = {
    'keystone': 'keystone.wsgi.api',
    'placement': 'placement.wsgi.api',
    'glance': 'glance.wsgi.api',
    'neutron': 'neutron.wsgi.api',
    'nova-api': 'nova.wsgi.osapi_compute',
}
# The queue where each looks for work, once it has started.
_TOPICS = {
    'nova-conductor': 'conductor',
    'nova-scheduler': 'scheduler',
    'nova-compute': 'compute.onebox',
}
NOVA = tuple(_TOPICS)
_PROGRAM = f"""autostart = false
autorestart = false
startsecs = 0
stopwaitsecs = {STOP_WAIT}
redirect_stderr = true
stdout_logfile = %s/%%(program_name)s.log
stdout_logfile_maxbytes = 50MB
stdout_logfile_backups = 1
"""
# Whether what a service started ends with it.
_CHILDREN = 'stopasgroup = {0}\nkillasgroup = {0}\n'
# What a client of AMQP 0-9-1 says first; the server's answer is method 10.10.
_AMQP_HELLO = b'AMQP\0\0\x09\x01'
_AMQP_START = b'\x01\0\0'


@dataclasses.dataclass(frozen=True)
class Service:
    """One program under supervisord.

    :param ready: a function without arguments, true once it serves.
    :param ports: names in Settings.ports of the ports it listens on.
    """

    name: str
    ready: object
    ports: tuple = ()


def table(box):
    """All services: ``{name: Service}``."""
    ports = box.ports
    listed = [
        Service(
            'mariadb', functools.partial(_accepts, box.state.mariadb_socket)
        ),
        Service(
            'epmd',
            functools.partial(_accepts, ('127.0.0.1', ports['epmd'])),
            ('epmd',),
        ),
        Service(
            'rabbitmq',
            functools.partial(_speaks_amqp, ports['rabbitmq']),
            ('rabbitmq', 'rabbitmq-dist'),
        ),
        Service(
            'libvirtd', functools.partial(_accepts, box.state.libvirt_socket)
        ),
        *(
            Service(name, functools.partial(_answers, ports[name]), (name,))
            for name in _WSGI
        ),
        *(
            Service(name, functools.partial(_takes_messages, box, topic))
            for name, topic in _TOPICS.items()
        ),
        Service(
            'nova-novncproxy',
            functools.partial(
                _accepts, ('127.0.0.1', ports['nova-novncproxy'])
            ),
            ('nova-novncproxy',),
        ),
    ]
    return {service.name: service for service in listed}


def supervisord_conf(box, texts, ours):
    """Text of supervisord.conf.

    :param texts: ``{path below etc: text}``, every configuration file.
    :param ours: digest of nova-newos.
    """
    nova = [texts['nova/nova.conf']]
    inputs = {
        'rabbitmq': [texts['rabbitmq.conf']],
        'libvirtd': [
            texts['libvirt/libvirtd.conf'],
            texts['libvirt/qemu.conf'],
            _PRIVATE_LIBVIRTD.read_text(),
        ],
        'nova-conductor': nova,
        'nova-scheduler': nova,
        'nova-novncproxy': nova,
        'nova-compute': [
            texts['nova/nova-cpu.conf'],
            # Nova's own driver loads nothing of it.
            ours if box.settings.ours else '',
        ],
    } | {name: _read_by(name, texts) for name in _WSGI}
    inputs['glance'].append(ours)
    program = _PROGRAM % box.state.logs
    return box.render(
        'supervisord.conf',
        program=program + _CHILDREN.format('true'),
        program_alone=program + _CHILDREN.format('false'),
        private_libvirtd=_PRIVATE_LIBVIRTD,
        kvm='yes' if box.kvm else 'no',
        **{
            f'port_{name.replace("-", "_")}': port
            for name, port in box.ports.items()
        },
        **{
            f'inputs_{name.replace("-", "_")}': _digest(read)
            for name, read in inputs.items()
        },
    )


def _read_by(name, texts):
    directory = name.removesuffix('-api')
    return [
        text
        for path, text in sorted(texts.items())
        if path == f'{name}.uwsgi.ini'
        or (
            path.startswith(f'{directory}/')
            and not path.endswith('nova-cpu.conf')
        )
    ]


def _digest(texts):
    return hashlib.sha256('\0'.join(texts).encode()).hexdigest()


def uwsgi_files(box):
    """One uWSGI file a WSGI service: ``{path below etc: text}``."""
    return {
        f'{name}.uwsgi.ini': configs.uwsgi(box, name, module)
        for name, module in _WSGI.items()
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


def _takes_messages(box, queue):
    try:
        with amqp.Connection(
            f'127.0.0.1:{box.ports["rabbitmq"]}',
            userid='onebox',
            password=box.passwords['rabbitmq'],
            connect_timeout=2,
        ) as connection:
            found = connection.channel().queue_declare(queue, passive=True)
    except (OSError, amqp.AMQPError):
        # There is no such queue before a service asks for one.
        return False
    return found.consumer_count > 0


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
