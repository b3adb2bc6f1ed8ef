# SPDX-License-Identifier: Apache-2.0
"""The configuration files of a box, made from those in etc/."""

import dataclasses
import pathlib
import re
import string

from devstack.onebox import settings as settings_module

REGION = 'RegionOne'
DB_USER = 'onebox'

_TEMPLATES = pathlib.Path(__file__).with_name('etc')
# Made into others, or from more than the others are.
_PARTS = ('nova/common.conf', 'supervisord.conf', 'uwsgi.ini')
_EVENTLET_RELEASES = ('2025.1', '2025.2')

# Nova Compute must not reach the database; Nova stops it if it could.
_NOT_FOR_COMPUTE = ('api_database', 'database')
# Only nova-compute reads these: no other service needs to restart for them.
_FOR_COMPUTE = (
    'DEFAULT.resume_guests_state_on_host_boot',
    *('image_cache', 'libvirt', 'newos', 'serial_console'),
)
# Only glance-api reads them.
_FOR_GLANCE = ('newos_appliance', 'newos_iso')
_UPLOAD_FILTER = """
[filter:newos_iso]
paste.filter_factory = glance_ext.upload_filter:filter_factory
"""


@dataclasses.dataclass(frozen=True)
class Deployment:
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
        return self.settings.ports

    def url(self, name):
        """Base URL of an HTTP service."""
        return f'http://127.0.0.1:{self.ports[name]}'

    def render(self, template, /, **variables):
        """The text of a file, from the one of that name in etc/."""
        text = (_TEMPLATES / template).read_text()
        return string.Template(text).substitute(
            self._variables() | self._credentials() | variables
        )

    def _variables(self):
        words, settings = self.passwords, self.settings
        first_console, last_console = settings.console_ports
        first_display, last_display = settings.display_ports
        return {
            'compute_driver': settings.compute_driver,
            'first_console': first_console,
            'first_display': first_display,
            'last_console': last_console,
            'last_display': last_display,
            'libvirt_uri': self.state.libvirt_uri,
            'password_key_manager': words['key_manager'],
            'password_rabbitmq': words['rabbitmq'],
            'port_novncproxy': self.ports['nova-novncproxy'],
            'port_rabbitmq': self.ports['rabbitmq'],
            'sql': f'mysql+pymysql://{DB_USER}:{words["database"]}@localhost',
            'sql_options': 'charset=utf8mb4'
            f'&unix_socket={self.state.mariadb_socket}',
            'state': self.state.root,
            'transport': f'rabbit://onebox:{words["rabbitmq"]}'
            f'@127.0.0.1:{self.ports["rabbitmq"]}/',
            'url_glance': self.url('glance'),
            'virt_type': 'virt_type = kvm'
            if self.kvm
            else 'virt_type = qemu\ncpu_mode = none',
        }

    def _credentials(self):
        """What services authenticate by, as lines of several groups."""
        keystone = self.url('keystone') + '/v3'
        return {
            'authtoken': 'interface = public\n'
            f'www_authenticate_uri = {keystone}\n'
            'service_token_roles = service\n'
            'service_token_roles_required = true',
        } | {
            f'credentials_{user}': 'auth_type = password\n'
            f'auth_url = {keystone}\n'
            f'region_name = {REGION}\n'
            f'username = {user}\n'
            f'password = {self.passwords[user]}\n'
            'user_domain_name = Default\n'
            'project_name = service\n'
            'project_domain_name = Default'
            for user in ('glance', 'neutron', 'nova', 'placement')
        }


def endpoints(box):
    """Public URLs by (service type, user name)."""
    return {
        ('image', 'glance'): box.url('glance'),
        ('placement', 'placement'): box.url('placement'),
        ('network', 'neutron'): box.url('neutron'),
        ('compute', 'nova'): box.url('nova-api') + '/v2.1',
    }


def files(box):
    """Every file under the box's etc: ``{relative path: text}``."""
    common = box.render('nova/common.conf')
    names = (
        str(path.relative_to(_TEMPLATES))
        for path in _TEMPLATES.rglob('*')
        if path.is_file()
    )
    texts = {
        name: box.render(name, nova_common=common)
        for name in names
        if name not in _PARTS
    }
    for name, left_out in (
        ('nova/nova.conf', (*_FOR_COMPUTE, *_FOR_GLANCE)),
        ('nova/nova-cpu.conf', (*_NOT_FOR_COMPUTE, *_FOR_GLANCE)),
    ):
        texts[name] += _overrides(
            box, lambda *names, no=left_out: not (set(names) & set(no))
        )
    texts['glance/glance-api.conf'] += _overrides(
        box, lambda *names: bool(set(names) & set(_FOR_GLANCE))
    )
    return texts | _shipped(box.state)


def _overrides(box, is_wanted):
    """Lines of options that the user has set.

    :param is_wanted: is asked with 'group' and 'group.option'.
    """
    # Of an option that is given twice oslo.config takes the last.
    return ''.join(
        f'\n[{group}]\n{option} = {value}\n'
        for group, options in box.settings.grouped_overrides().items()
        for option, value in options.items()
        if is_wanted(group, f'{group}.{option}')
    )


def uwsgi(box, name, module):
    """The file of one WSGI application under uWSGI."""
    # Nova's API of these waits for answers to its calls in eventlet's loop,
    # which each thread would have of its own: an answer that comes to the
    # loop of an idle thread is never read.
    alone = name == 'nova-api' and box.settings.release in _EVENTLET_RELEASES
    return box.render(
        'uwsgi.ini',
        module=module,
        port=box.ports[name],
        processes=2 if alone else 1,
        threads=1 if alone else 4,
    )


def clouds(box):
    """clouds.yaml, for the administrator and two ordinary users."""
    users = {
        settings_module.ADMIN_CLOUD: 'admin',
        settings_module.USER_CLOUD: 'demo',
        settings_module.OTHER_CLOUD: 'alt',
    }
    return {
        'clouds': {
            cloud: {
                'auth': {
                    'auth_url': box.url('keystone') + '/v3',
                    'username': user,
                    'password': box.passwords[user],
                    # Each has a project of the same name.
                    'project_name': user,
                    'user_domain_name': 'Default',
                    'project_domain_name': 'Default',
                },
                'region_name': REGION,
                'interface': 'public',
                'identity_api_version': '3',
            }
            for cloud, user in users.items()
        }
    }


def _shipped(state):
    """Texts that must lie beside the files, of those the release has."""
    texts = {}
    for source, target in (
        ('etc/nova/api-paste.ini', 'nova/api-paste.ini'),
        ('etc/neutron/api-paste.ini', 'neutron/api-paste.ini'),
        ('etc/glance/glance-api-paste.ini', 'glance/glance-api-paste.ini'),
        ('etc/glance/schema-image.json', 'glance/schema-image.json'),
    ):
        path = state.venv / source
        if path.exists():
            texts[target] = path.read_text()
    paste = 'glance/glance-api-paste.ini'
    if paste in texts:
        texts[paste] = with_upload_filter(texts[paste])
    return texts


def with_upload_filter(paste):
    """Glance's pipelines, with our filter last in each."""
    return re.sub(r'(?m)( =.*) rootapp$', r'\1 newos_iso rootapp', paste) + (
        _UPLOAD_FILTER
    )
