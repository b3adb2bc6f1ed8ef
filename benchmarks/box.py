# SPDX-License-Identifier: Apache-2.0
"""The one box, and which compute driver it uses.

Needs nothing but Python itself.
"""

import contextlib
import os
import subprocess

from devstack.onebox import settings
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say

STOCK = 'libvirt.LibvirtDriver'
OURS = settings.OUR_DRIVER

_COMMAND = state_module.TOP / 'devstack' / 'onebox' / 'box'
# What nova-compute says of the compute driver that it has come to.
_LOADING = 'Loading compute driver'


class Box:
    """A box that is up.

    :param root: its state directory
    :ivar state: its devstack.onebox.state.State
    :raises BoxError: when there is none, or it is not up
    """

    def __init__(self, root):
        self.state = state_module.State(root)
        self._check()

    def _check(self):
        up = f'sudo devstack/onebox/box up --state {self.state.root}'
        if os.geteuid() != 0:
            raise BoxError(
                "this changes the box's compute driver and reads what is "
                "root's: run it as root"
            )
        if not self.state.exists():
            raise BoxError(
                f'no box in {self.state.root}: make one with "{up}", or '
                'give the --state of another'
            )
        if self._run('status').returncode:
            raise BoxError(
                f'the box in {self.state.root} is not up: run "{up}"'
            )

    def _run(self, command, *options):
        return subprocess.run(
            [_COMMAND, command, '--state', self.state.root, *options],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )

    def use(self, driver, **options):
        """Have nova-compute use a compute driver.

        :param options: more of nova.conf, by 'group.option'; '' forgets one
        :raises BoxError: when nova-compute does not come up with it
        """
        say(f'-- compute driver: {driver}')
        process = self._run(
            'up',
            '--compute-driver',
            driver,
            *(f'--set={name}={value}' for name, value in options.items()),
        )
        if process.returncode:
            raise BoxError(
                f'the box did not come up with {driver}:\n{process.stdout}'
            )
        loaded = self._loaded()
        if f"'{driver}'" not in loaded:
            raise BoxError(f'nova-compute says: {loaded or "nothing"}')

    def _loaded(self):
        # supervisord keeps one older log beside the present one.
        for name in ('nova-compute.log', 'nova-compute.log.1'):
            log = self.state.logs / name
            if log.exists():
                lines = log.read_text(errors='replace').splitlines()
                for line in reversed(lines):
                    if _LOADING in line:
                        return line
        return ''

    @contextlib.contextmanager
    def settings_kept(self):
        """Have the compute driver and options of now again afterwards."""
        before = self._settings()
        try:
            yield
        finally:
            changed = {
                name: before.overrides.get(name, '')
                for name in before.overrides | self._settings().overrides
            }
            self.use(before.compute_driver, **changed)

    def _settings(self):
        return settings.load(self.state.settings)
