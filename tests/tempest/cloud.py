# SPDX-License-Identifier: Apache-2.0
"""What Tempest needs to know of the box's cloud, and to have in it."""

import contextlib
import json
import subprocess

from benchmarks import guest
from devstack.onebox import commands
from devstack.onebox import settings
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import step

# Begins the name of all that Tempest makes, and so of all that is made here.
_PREFIX = 'tempest-'
_IMAGES = (f'{_PREFIX}image', f'{_PREFIX}image-alt')
# Resizing makes the disk grow from 1 to 4 GiB.
_FLAVORS = ('m1.nano', 'm1.small')
# Kinds of things, how to list those of all projects, how to delete one.
_KINDS = (
    ('server', ['--all-projects'], ['--all-projects', '--wait']),
    ('image', [], []),
    ('user', [], []),
    ('project', [], []),
)


class Cloud:
    """The cloud of a box, through the stock client.

    :param state: devstack.onebox.state.State of the box
    """

    def __init__(self, state):
        self._state = state

    def credentials(self):
        """The administrator's entry of clouds.yaml."""
        # It is JSON, which is YAML too.
        clouds = json.loads(self._state.clouds.read_text())['clouds']
        return clouds[settings.ADMIN_CLOUD]

    def services(self):
        """The types of service that the catalog lists."""
        return {entry['Type'] for entry in self._ask('catalog', 'list')}

    def flavors(self):
        """Ids of a flavor, and of a larger one."""
        found = {
            flavor['Name']: flavor['ID']
            for flavor in self._ask('flavor', 'list')
        }
        return [found[name] for name in _FLAVORS]

    def clean(self):
        """Delete what a killed run has left, Tempest's own things too."""
        with step('deleting what an earlier run has left'):
            for kind, options, deletion in _KINDS:
                for found in self._ask(kind, 'list', *options):
                    if (found['Name'] or '').startswith(_PREFIX):
                        self._run(kind, 'delete', *deletion, found['ID'])

    @contextlib.contextmanager
    def images(self):
        """Ids of two images that are there meanwhile.

        Their guest is that of benchmarks.guest.
        """
        with guest.image() as path:
            made = [self._upload(name, path) for name in _IMAGES]
        try:
            yield made
        finally:
            self._run('image', 'delete', *made)

    def _upload(self, name, path):
        return self._ask(
            'image',
            'create',
            '--public',
            '--disk-format=qcow2',
            '--container-format=bare',
            f'--file={path}',
            name,
        )['id']

    def _ask(self, *arguments):
        return json.loads(self._run(*arguments, '--format=json'))

    def _run(self, *arguments):
        process = subprocess.run(
            [
                self._state.venv / 'bin' / 'openstack',
                '--os-cloud',
                settings.ADMIN_CLOUD,
                *arguments,
            ],
            env=commands.environment(self._state)
            | {'OS_CLIENT_CONFIG_FILE': str(self._state.clouds)},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise BoxError(
                f'openstack {" ".join(arguments)}: {process.stderr}'
            )
        return process.stdout
