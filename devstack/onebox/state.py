# SPDX-License-Identifier: Apache-2.0
"""The state directory: where everything of one box lies."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import secrets
import shutil

from devstack.onebox.errors import BoxError
from devstack.onebox.settings import USER_CLOUD

DEFAULT = pathlib.Path('/var/lib/nova-newos-onebox')
TOP = pathlib.Path(__file__).resolve().parents[2]

# The path goes into INI files, URLs, SQL and XML: without characters that
# mean something there, nothing needs quoting. Unix sockets end it at 108.
_PLAIN = re.compile(r'/[A-Za-z0-9/._+-]*')
_LONGEST = 70
_FRESH_GIB = 5
_USED_GIB = 1

_PASSWORDS = (
    'database',
    'rabbitmq',
    'erlang_cookie',
    'admin',
    'demo',
    'alt',
    'nova',
    'glance',
    'placement',
    'neutron',
    'key_manager',
)


class State:
    """Paths under the state directory, and what is kept there."""

    def __init__(self, root):
        """:raises BoxError: for a path that cannot serve."""
        self.root = pathlib.Path(os.path.abspath(root))
        text = str(self.root)
        if not _PLAIN.fullmatch(text) or len(self.root.parts) < 3:
            raise BoxError(
                f'--state {text!r}: give a directory below the '
                "first level, of letters, digits and '/._+-'"
            )
        if len(text) > _LONGEST:
            raise BoxError(
                f'--state {text!r}: longer than {_LONGEST} '
                'characters, too long for Unix sockets'
            )
        self.settings = self.root / 'settings.json'
        self.passwords = self.root / 'passwords.json'
        self.clouds = self.root / 'clouds.yaml'
        self.venv = self.root / 'venv'
        self.etc = self.root / 'etc'
        self.run = self.root / 'run'
        self.logs = self.root / 'logs'
        self.marks = self.root / 'marks'
        self.instances = self.root / 'instances'
        # Nova's image cache.
        self.base = self.instances / '_base'
        self.images = self.root / 'images'
        self.glance_store = self.images / 'store'
        self.mariadb = self.root / 'mariadb'
        self.rabbitmq = self.root / 'rabbitmq'
        self.libvirt = self.root / 'libvirt'
        self.work = self.root / 'work'
        self.nova = self.root / 'nova'
        self.neutron = self.root / 'neutron'
        self.supervisor_conf = self.etc / 'supervisord.conf'
        self.mariadb_socket = self.run / 'mariadb.sock'
        self.libvirt_socket = self.run / 'libvirt' / 'libvirt-sock'

    @property
    def libvirt_uri(self):
        """URI of the box's own libvirtd."""
        return f'qemu+unix:///system?socket={self.libvirt_socket}'

    def exists(self):
        """Whether a box was begun here."""
        return self.settings.is_file()

    def check(self):
        """:raises BoxError: when no box can be made or kept here."""
        if (
            self.root.exists()
            and not self.exists()
            and set(os.listdir(self.root)) - {'lock'}
        ):
            raise BoxError(
                f'{self.root} is not empty and not a box: '
                'give another --state, or empty it'
            )
        self._check_space()

    def create(self):
        """Make the directories."""
        # Only the clients' things are for others than root: the rest holds
        # passwords, users' disks, and sockets without another guard.
        for path in (
            self.etc,
            self.images,
            self.instances,
            self.libvirt,
            self.logs,
            self.marks,
            self.neutron,
            self.nova,
            self.rabbitmq,
            self.run,
            self.work,
        ):
            path.mkdir(mode=0o700, exist_ok=True)

    def _check_space(self):
        needed = _USED_GIB if self.exists() else _FRESH_GIB
        place = self.root
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free / 2**30
        if free < needed:
            raise BoxError(
                f'{place} has {free:.1f} GiB free, the box needs {needed}: '
                'make room, or give --state on another disk'
            )

    @contextlib.contextmanager
    def locked(self):
        """Keep other box commands out.

        :raises BoxError: when another one is at work on this box.
        """
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        with open(self.root / 'lock', 'a') as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BoxError(
                    'another box command is at work on '
                    f'{self.root}: wait for it to end'
                ) from None
            yield

    def variables(self):
        """What a shell needs to use the box: ``{name: value}``."""
        return {
            'PATH': f'{self.venv}/bin:{os.environ.get("PATH", os.defpath)}',
            'OS_CLIENT_CONFIG_FILE': str(self.clouds),
            'OS_CLOUD': USER_CLOUD,
            'LIBVIRT_DEFAULT_URI': self.libvirt_uri,
            'ONEBOX_STATE': str(self.root),
            'ONEBOX_VENV': str(self.venv),
            'ONEBOX_INSTANCES': str(self.instances),
            'ONEBOX_BASE': str(self.base),
            'ONEBOX_GLANCE_STORE': str(self.glance_store),
            'ONEBOX_LOGS': str(self.logs),
            'ONEBOX_SUPERVISOR_CONF': str(self.supervisor_conf),
        }

    def remove(self):
        """Remove the directory, with all that the box holds."""
        # Last what makes it a box, so that a killed wipe can go on.
        for path in self.root.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
        shutil.rmtree(self.root)

    def mark(self, name, value='done'):
        """Remember that a step was finished, for these inputs."""
        write(self.marks / name, value)

    def marked(self, name, value='done'):
        """Whether the step was finished for the same inputs."""
        try:
            return (self.marks / name).read_text() == value
        except FileNotFoundError:
            return False

    def unmark(self, name):
        """Forget that a step was finished."""
        (self.marks / name).unlink(missing_ok=True)

    def load_passwords(self):
        """The box's passwords by name, made up when they are first read."""
        try:
            known = json.loads(self.passwords.read_text())
        except FileNotFoundError:
            known = {}
        missing = [name for name in _PASSWORDS if name not in known]
        if missing:
            known.update((name, secrets.token_hex(16)) for name in missing)
            write(self.passwords, json.dumps(known, indent=2), mode=0o600)
        return known


def write(path, text, mode=0o644):
    """Write a file whole or not at all; a kill leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + '.part')
    with open(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w'
    ) as handle:
        os.fchmod(handle.fileno(), mode)
        handle.write(text)
    os.replace(part, path)
