# SPDX-License-Identifier: Apache-2.0
"""The configuration files of a box, as plain values."""

import dataclasses
import pathlib

from devstack.onebox import ports

REGION = 'RegionOne'
HOST = 'onebox'
DB_USER = 'onebox'
MQ_USER = 'onebox'

_EVENTLET_RELEASES = ('2025.1', '2025.2')

# Nova Compute must not reach the database; Nova stops it if it could.
_NOT_FOR_COMPUTE = ('api_database', 'database')
# Only nova-compute reads these: no other service needs to restart for them.
_FOR_COMPUTE = ('image_cache', 'libvirt', 'newos', 'serial_console')

# Nova's own choice, and ours.
_FILTERS = (
    'ComputeFilter',
    'ComputeCapabilitiesFilter',
    'ImagePropertiesFilter',
    'ServerGroupAntiAffinityFilter',
    'ServerGroupAffinityFilter',
    'InstallServerFilter',
)


@dataclasses.dataclass(frozen=True)
class Box:
    """All that the files are made from.

    :param state: State, for paths.
    :param settings: Settings.
    :param passwords: passwords by name.
    :param kvm: whether guests may use KVM.
    """

    state: object
    settings: object
    passwords: dict
    kvm: bool

    @property
    def ports(self):
        """Port numbers by service name."""
        return ports.plan(self.settings.port_base)

    def url(self, name):
        """Base URL of an HTTP service."""
        return f'http://127.0.0.1:{self.ports[name]}'

    def database(self, name):
        """SQLAlchemy URL of one database."""
        return (
            f'mysql+pymysql://{DB_USER}:{self.passwords["database"]}'
            f'@localhost/{name}?charset=utf8mb4'
            f'&unix_socket={self.state.mariadb_socket}'
        )

    @property
    def transport(self):
        """oslo.messaging URL."""
        return (
            f'rabbit://{MQ_USER}:{self.passwords["rabbitmq"]}'
            f'@127.0.0.1:{self.ports["rabbitmq"]}/'
        )


def endpoints(box):
    """Public URLs by (service type, user name)."""
    return {
        ('image', 'glance'): box.url('glance'),
        ('placement', 'placement'): box.url('placement'),
        ('network', 'neutron'): box.url('neutron'),
        ('compute', 'nova'): box.url('nova-api') + '/v2.1',
    }


def ini(groups):
    """Render ``{group: {option: value}}`` as oslo.config reads it.

    A list is an option that may be given more than once.
    """
    lines = []
    for group, options in groups.items():
        lines.append(f'[{group}]')
        lines += [
            f'{name} = {_text(each)}'
            for name, value in options.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        lines.append('')
    return '\n'.join(lines)


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def override(groups, changes):
    """Groups with the user's options laid over them."""
    merged = {group: dict(options) for group, options in groups.items()}
    for group, options in changes.items():
        merged.setdefault(group, {}).update(options)
    return merged


def _credentials(box, user):
    return {
        'auth_type': 'password',
        'auth_url': box.url('keystone') + '/v3',
        'region_name': REGION,
        'username': user,
        'password': box.passwords[user],
        'user_domain_name': 'Default',
        'project_name': 'service',
        'project_domain_name': 'Default',
    }


def _authtoken(box, user):
    return _credentials(box, user) | {
        'interface': 'public',
        'www_authenticate_uri': box.url('keystone') + '/v3',
        'service_token_roles': 'service',
        'service_token_roles_required': True,
    }


def keystone(box):
    """keystone.conf"""
    return {
        'database': {'connection': box.database('keystone')},
        'fernet_tokens': {'key_repository': box.state.etc / 'fernet-keys'},
        # The passwords are random: a costly hash protects nothing more.
        'identity': {'password_hash_rounds': 4},
    }


def glance(box):
    """glance-api.conf"""
    images = box.state.images
    return {
        'DEFAULT': {
            'enabled_backends': 'file:file',
            'worker_self_reference_url': box.url('glance'),
        },
        'database': {'connection': box.database('glance')},
        'file': {'filesystem_store_datadir': images / 'store'},
        'glance_store': {'default_backend': 'file'},
        'keystone_authtoken': _authtoken(box, 'glance'),
        'os_glance_staging_store': {
            'filesystem_store_datadir': images / 'staging'
        },
        'os_glance_tasks_store': {
            'filesystem_store_datadir': images / 'tasks'
        },
        'oslo_concurrency': {'lock_path': box.state.run / 'locks'},
        'paste_deploy': {'flavor': 'keystone'},
    }


def placement(box):
    """placement.conf"""
    return {
        'api': {'auth_strategy': 'keystone'},
        'keystone_authtoken': _authtoken(box, 'placement'),
        'placement_database': {'connection': box.database('placement')},
    }


def neutron(box):
    """neutron.conf: an API without networks behind it."""
    return {
        'DEFAULT': {
            'core_plugin': 'ml2',
            'notify_nova_on_port_data_changes': False,
            'notify_nova_on_port_status_changes': False,
            'rpc_state_report_workers': 0,
            'rpc_workers': 0,
            'service_plugins': '',
            'state_path': box.state.neutron,
            'transport_url': box.transport,
        },
        'database': {'connection': box.database('neutron')},
        'keystone_authtoken': _authtoken(box, 'neutron'),
        'oslo_concurrency': {'lock_path': box.state.run / 'locks'},
    }


def ml2(_box):
    """plugins/ml2/ml2_conf.ini"""
    return {
        'ml2': {
            'mechanism_drivers': '',
            'tenant_network_types': 'local',
            'type_drivers': 'local',
        },
    }


def nova(box):
    """nova.conf: the API, the conductor and the scheduler."""
    groups = _nova_common(box) | {
        'api_database': {'connection': box.database('nova_api')},
        'conductor': {'workers': 1},
        'database': {'connection': box.database('nova_cell1')},
        'filter_scheduler': {
            'available_filters': [
                'nova.scheduler.filters.all_filters',
                'nova_newos.scheduler.InstallServerFilter',
            ],
            'enabled_filters': ','.join(_FILTERS),
        },
        'keystone_authtoken': _authtoken(box, 'nova'),
        'scheduler': {'workers': 1},
    }
    return override(groups, _overrides(box, without=_FOR_COMPUTE))


def _overrides(box, without):
    return {
        group: options
        for group, options in box.settings.grouped_overrides().items()
        if group not in without
    }


def nova_cpu(box):
    """nova-cpu.conf: nova-compute."""
    console_first, console_last = ports.console_range(box.settings.port_base)
    groups = _nova_common(box)
    groups['DEFAULT'] |= {
        'compute_driver': box.settings.compute_driver,
        'instances_path': box.state.instances,
        # How soon the API learns that a guest powered itself off; Nova
        # delays libvirt's own event by 15 s.
        'sync_power_state_interval': 5,
    }
    groups |= {
        'libvirt': {
            'connection_uri': box.state.libvirt_uri,
            'images_type': 'qcow2',
            'inject_partition': -2,
            'virt_type': 'kvm' if box.kvm else 'qemu',
        },
        'nova_sys_admin': {'helper_command': _privsep(box)},
        'privsep_osbrick': {'helper_command': _privsep(box)},
        # A log that can be read after the guest is off.
        'serial_console': {
            'enabled': True,
            'port_range': f'{console_first}:{console_last}',
        },
        'vnc': {'enabled': True, 'server_listen': '127.0.0.1'},
    }
    if not box.kvm:
        groups['libvirt']['cpu_mode'] = 'none'
    return override(groups, _overrides(box, without=_NOT_FOR_COMPUTE))


def _privsep(box):
    # The services are root already; the default asks sudo.
    return (
        f'{box.state.venv}/bin/privsep-helper '
        f'--config-file {box.state.etc}/nova/nova-cpu.conf'
    )


def _nova_common(box):
    state = box.state
    return {
        'DEFAULT': {
            'allow_resize_to_same_host': True,
            # Ended by supervisord in seconds, not in minutes.
            'graceful_shutdown_timeout': 5,
            'host': HOST,
            'manager_shutdown_timeout': 0,
            'my_ip': '127.0.0.1',
            'report_interval': 5,
            'state_path': state.nova,
            'transport_url': box.transport,
        },
        'glance': {'region_name': REGION, 'valid_interfaces': 'public'},
        'key_manager': {
            'backend': 'nova.keymgr.conf_key_mgr.ConfKeyManager',
            'fixed_key': box.passwords['key_manager'],
        },
        'neutron': _credentials(box, 'neutron')
        | {'valid_interfaces': 'public'},
        'oslo_concurrency': {'lock_path': state.run / 'locks'},
        'placement': _credentials(box, 'placement')
        | {'valid_interfaces': 'public'},
        'service_user': _credentials(box, 'nova')
        | {'send_service_user_token': True},
    }


def uwsgi(box, module, port):
    """One WSGI application under uWSGI."""
    # Nova's API of these waits for answers to its calls in eventlet's loop,
    # which each thread would have of its own: an answer that comes to the
    # loop of an idle thread is never read.
    alone = (
        module.startswith('nova.')
        and box.settings.release in _EVENTLET_RELEASES
    )
    return {
        'uwsgi': {
            'module': f'{module}:application',
            'http-socket': f'127.0.0.1:{port}',
            'virtualenv': box.state.venv,
            'master': True,
            'processes': 2 if alone else 1,
            'threads': 1 if alone else 4,
            'enable-threads': True,
            'lazy-apps': True,
            'need-app': True,
            'die-on-term': True,
            # Seconds until a worker whose threads do not end is killed.
            'reload-mercy': 3,
            'worker-reload-mercy': 3,
            'buffer-size': 65535,
            # uWSGI closes after each answer; a client that was not told
            # meets a reset at its next request.
            'add-header': 'Connection: close',
            # glanceclient uploads in chunks of 1 MiB.
            'chunked-input-limit': 16777216,
            'disable-logging': True,
        },
    }


def rabbitmq(box):
    """rabbitmq.conf, which is not INI but sysctl-like."""
    options = {
        'listeners.tcp.default': f'127.0.0.1:{box.ports["rabbitmq"]}',
        'default_user': MQ_USER,
        'default_pass': box.passwords['rabbitmq'],
        'log.file': 'false',
        'log.console': 'true',
        'log.console.level': 'warning',
        'disk_free_limit.absolute': '50MB',
    }
    return ''.join(f'{name} = {value}\n' for name, value in options.items())


def libvirtd(box):
    """libvirtd.conf"""
    return ''.join(
        f'{name} = {value}\n'
        for name, value in {
            'unix_sock_dir': f'"{box.state.libvirt_socket.parent}"',
            'unix_sock_ro_perms': '"0700"',
            'unix_sock_rw_perms': '"0700"',
            'auth_unix_ro': '"none"',
            'auth_unix_rw': '"none"',
        }.items()
    )


def qemu(box):
    """qemu.conf"""
    first, last = ports.display_range(box.settings.port_base)
    return ''.join(
        f'{name} = {value}\n'
        for name, value in {
            'user': '"root"',
            'group': '"root"',
            'dynamic_ownership': 0,
            'security_driver': '"none"',
            'namespaces': '[]',
            'cgroup_controllers': '[]',
            # QEMU writes the console logs itself: no virtlogd to run.
            'stdio_handler': '"file"',
            'remote_display_port_min': first,
            'remote_display_port_max': last,
        }.items()
    )


def files(box):
    """Every file under the box's etc: ``{relative path: text}``."""
    return {
        'keystone/keystone.conf': ini(keystone(box)),
        'glance/glance-api.conf': ini(glance(box)),
        'placement/placement.conf': ini(placement(box)),
        'neutron/neutron.conf': ini(neutron(box)),
        'neutron/plugins/ml2/ml2_conf.ini': ini(ml2(box)),
        'nova/nova.conf': ini(nova(box)),
        'nova/nova-cpu.conf': ini(nova_cpu(box)),
        'nova/cell0.conf': ini(
            {'database': {'connection': box.database('nova_cell0')}}
        ),
        'rabbitmq.conf': rabbitmq(box),
        'libvirt/libvirtd.conf': libvirtd(box),
        'libvirt/qemu.conf': qemu(box),
    }


# Files of the services' wheels that must lie beside their configuration.
SHIPPED = (
    ('etc/nova/api-paste.ini', 'nova/api-paste.ini'),
    ('etc/neutron/api-paste.ini', 'neutron/api-paste.ini'),
    ('etc/glance/glance-api-paste.ini', 'glance/glance-api-paste.ini'),
    ('etc/glance/schema-image.json', 'glance/schema-image.json'),
)


def shipped(state):
    """The texts of SHIPPED that this release has: ``{path: text}``."""
    texts = {}
    for source, target in SHIPPED:
        path = pathlib.Path(state.venv, source)
        if path.exists():
            texts[target] = path.read_text()
    return texts
