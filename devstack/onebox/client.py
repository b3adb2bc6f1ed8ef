# SPDX-License-Identifier: Apache-2.0
"""A box as the demo, the benchmarks and the tests use it.

Needs nothing but Python itself.
"""

import contextlib
import os
import pathlib
import subprocess

from devstack.onebox import settings
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say
from devstack.onebox.state import TOP
from devstack.onebox.state import State

STOCK = 'libvirt.LibvirtDriver'
OURS = settings.OUR_DRIVER
COMMAND = TOP / 'devstack' / 'onebox' / 'box'
DEMO = COMMAND.with_name('demo')

# What nova-compute says of the compute driver that it has come to.
_LOADING = 'Loading compute driver'


class Box:
    """A box, which is changed through its command line.

    :param root: its state directory
    :ivar state: its State
    """

    def __init__(self, root):
        self.state = State(root)

    @classmethod
    def from_environment(cls):
        """The box whose ``box env`` the shell evaluated."""
        return cls(os.environ['ONEBOX_STATE'])

    def check_up(self):
        """:raises BoxError: unless it is up, and the caller is root."""
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
        return _finished(
            COMMAND, command, '--state', self.state.root, *options
        )

    def try_up(self, *options):
        """``box up`` with more options; returns the finished process."""
        return self._run('up', *options)

    def up(self, *options):
        """``box up`` with more options.

        :raises BoxError: with what it said, when it fails
        """
        _checked(self.try_up(*options))

    def configure(self, options, *more):
        """``box up`` with other options for nova.conf.

        :param options: dict of ``GROUP.OPTION`` to value; an empty one gives
            back what was
        :param more: options of ``box up``
        """
        self.up(
            *more,
            *(f'--set={name}={value}' for name, value in options.items()),
        )

    @contextlib.contextmanager
    def configured(self, options):
        """A box that is configured so for a while, see configure()."""
        try:
            self.configure(options)
            yield
        finally:
            self.configure(dict.fromkeys(options, ''))

    def use(self, driver, **options):
        """Have nova-compute use a compute driver.

        :param options: more of nova.conf, by 'group.option'; '' forgets one
        :raises BoxError: when nova-compute does not come up with it
        """
        say(f'-- compute driver: {driver}')
        self.configure(options, '--compute-driver', driver)
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
        before = settings.load(self.state.settings)
        try:
            yield
        finally:
            now = settings.load(self.state.settings)
            changed = {
                name: before.overrides.get(name, '')
                for name in before.overrides | now.overrides
            }
            self.use(before.compute_driver, **changed)

    def supervise(self, *command):
        """``supervisorctl`` on the box's services; returns its output."""
        return _checked(
            _finished(
                self.state.venv / 'bin' / 'supervisorctl',
                '-c',
                self.state.supervisor_conf,
                *command,
            )
        )


def medium(name, *options):
    """Path of an ISO that the one box builds.

    :param options: of python3 -m devstack.onebox.media
    :raises BoxError: when it cannot be made
    """
    process = subprocess.run(
        # The system's Python: it needs no other.
        ['/usr/bin/python3', '-m', 'devstack.onebox.media', name, *options],
        cwd=TOP,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        raise BoxError(f'the medium {name} could not be made, see above')
    return pathlib.Path(process.stdout.strip().splitlines()[-1])


def _finished(*command):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False
    )


def _checked(process):
    if process.returncode:
        raise BoxError(
            f'{process.args} failed:\n{process.stdout}{process.stderr}'
        )
    return process.stdout
