# SPDX-License-Identifier: Apache-2.0
"""A Barbican beside the box: Nova keeps the secrets of vTPMs there.

Only what asks for it needs it, so it is no service of every box.
"""

import base64
import contextlib
import os
import subprocess

import requests

from devstack.onebox import commands
from devstack.onebox import pythonenv
from devstack.onebox import settings
from devstack.onebox import state as state_module
from tests.acceptance import onebox

#: Of its port, from the first one of the box; see devstack/onebox/settings.py.
_OFFSET = 20
_CONF = """\
[DEFAULT]
db_auto_create = true
[database]
connection = sqlite:///{home}/barbican.sqlite
[keystone_authtoken]
auth_type = password
auth_url = {keystone}
interface = public
www_authenticate_uri = {keystone}
username = admin
password = {password}
user_domain_name = Default
project_name = admin
project_domain_name = Default
[simple_crypto_plugin]
kek = {key}
"""
_UWSGI = """\
[uwsgi]
paste = config:{venv}/etc/barbican/barbican-api-paste.ini
http-socket = 127.0.0.1:{port}
virtualenv = {venv}
master = true
processes = 1
threads = 2
enable-threads = true
lazy-apps = true
need-app = true
die-on-term = true
add-header = Connection: close
"""


class Barbican:
    """It, and the secrets in it.

    :ivar options: of nova.conf, for a Nova that keeps its secrets here
    """

    def __init__(self, box):
        self._state = box.state
        self._settings = settings.load(box.state.settings)
        # Below what goes when the box goes.
        self._home = box.state.work / 'barbican'
        self._url = f'http://127.0.0.1:{self._settings.port_base + _OFFSET}'
        self._keystone = (
            f'http://127.0.0.1:{self._settings.ports["keystone"]}/v3'
        )
        self.options = {
            'key_manager.backend': 'barbican',
            'barbican.auth_endpoint': self._keystone,
            'barbican.barbican_endpoint': self._url,
            'barbican.barbican_api_version': 'v1',
        }

    @contextlib.contextmanager
    def running(self):
        """It runs, and is gone afterwards with what it kept."""
        self._install()
        self._configure()
        command = self._state.venv / 'bin/uwsgi', self._home / 'uwsgi.ini'
        environment = commands.environment(self._state)
        with (
            open(self._state.logs / 'barbican.log', 'ab') as log,
            subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self._home,
                # Where oslo.config looks for barbican.conf.
                env=environment | {'HOME': str(self._home)},
            ) as process,
        ):
            try:
                onebox.wait_for('Barbican', self._answers)
                yield self
            finally:
                process.terminate()

    def secrets(self, cloud):
        """How many the user's project has."""
        return cloud.session.get(f'{self._url}/v1/secrets').json()['total']

    def _install(self):
        venv = self._home / 'venv'
        python = venv / 'bin/python'
        if python.exists():
            return
        subprocess.run(['/usr/bin/python3', '-m', 'venv', venv], check=True)
        pins = pythonenv.constraints(self._settings)
        install = [self._state.venv / 'bin/uv', 'pip', 'install', '--quiet']
        install += ['--python', python, '--constraints', pins, 'barbican']
        subprocess.run(install, check=True)

    def _configure(self):
        values = {
            'home': self._home,
            'key': base64.urlsafe_b64encode(os.urandom(32)).decode(),
            'keystone': self._keystone,
            'password': self._state.load_passwords()['admin'],
            'port': self._settings.port_base + _OFFSET,
            'venv': self._home / 'venv',
        }
        (self._home / 'barbican.sqlite').unlink(missing_ok=True)
        for name, text in (('barbican.conf', _CONF), ('uwsgi.ini', _UWSGI)):
            path = self._home / name
            state_module.write(path, text.format(**values), mode=0o600)

    def _answers(self):
        try:
            return requests.get(self._url, timeout=60).status_code < 500
        except requests.ConnectionError:
            return False
