# SPDX-License-Identifier: Apache-2.0
"""The one box, as the tests use it."""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import subprocess
import time

import openstack as sdk

TOP = pathlib.Path(__file__).parents[2]
ONEBOX = TOP / 'devstack' / 'onebox'


class TimedOut(Exception):
    """Something did not happen in time."""


def wait_for(what, condition, seconds=120, interval=1):
    """Wait until ``condition()`` is true and return what it returned.

    :raises TimedOut: naming ``what``
    """
    until = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > until:
            raise TimedOut(f'{what}: not within {seconds} s')
        time.sleep(interval)


@dataclasses.dataclass(frozen=True)
class Box:
    """Where the box keeps its things, and how to change it."""

    state: pathlib.Path
    instances: pathlib.Path
    base: pathlib.Path
    glance_store: pathlib.Path
    logs: pathlib.Path
    venv: pathlib.Path
    supervisor_conf: pathlib.Path

    @classmethod
    def from_environment(cls):
        """The box whose ``box env`` the shell evaluated."""
        return cls(
            **{
                field.name: pathlib.Path(
                    os.environ[f'ONEBOX_{field.name.upper()}']
                )
                for field in dataclasses.fields(cls)
            }
        )

    def try_up(self, *options):
        """``box up`` with more options; returns the finished process."""
        return subprocess.run(
            [ONEBOX / 'box', 'up', '--state', self.state, *options],
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self, *options):
        """``box up`` with more options, which must work."""
        process = self.try_up(*options)
        assert process.returncode == 0, process.stdout + process.stderr

    def configure(self, options):
        """``box up`` with other options for nova.conf.

        :param options: dict of ``GROUP.OPTION`` to value; an empty one gives
            back what was
        """
        self.up(*(f'--set={name}={value}' for name, value in options.items()))

    @contextlib.contextmanager
    def configured(self, options):
        """A box that is configured so for a while, see configure()."""
        try:
            self.configure(options)
            yield
        finally:
            self.configure(dict.fromkeys(options, ''))

    def supervise(self, *command):
        """``supervisorctl`` on the box's services; returns its output."""
        process = subprocess.run(
            ['supervisorctl', '-c', self.supervisor_conf, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def medium(self, name):
        """Path of an ISO that the one box builds."""
        process = subprocess.run(
            ['/usr/bin/python3', '-m', 'devstack.onebox.media', name],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return pathlib.Path(process.stdout.strip().splitlines()[-1])


def openstack(*arguments, cloud='onebox', check=True):
    """Run the stock command-line client.

    :returns: what it prints with ``--format=json``, else None; with
        ``check=False`` the finished process
    """
    command = ['openstack', '--os-cloud', cloud, *map(str, arguments)]
    process = subprocess.run(
        command, capture_output=True, text=True, check=False
    )
    if not check:
        return process
    assert process.returncode == 0, f'{command}: {process.stderr}'
    if '--format=json' in arguments:
        return json.loads(process.stdout)
    return None


@functools.cache
def administrator():
    """The cloud as its administrator sees it."""
    return sdk.connect(cloud='onebox-admin')


def allocations(server_id):
    """What Placement keeps for a server and for its migrations."""
    admin = administrator()
    consumers = [
        server_id,
        *(m.uuid for m in admin.compute.migrations(instance_uuid=server_id)),
    ]
    found = []
    for consumer in consumers:
        answer = admin.placement.get(f'/allocations/{consumer}').json()
        if answer['allocations']:
            found.append(f'allocations of {consumer}')
    return found


def disk_gb():
    """What Placement gives away of the host's disk."""
    admin = administrator()
    [host] = admin.placement.resource_providers()
    [disk] = (
        inventory
        for inventory in admin.placement.resource_provider_inventories(host)
        if inventory.resource_class == 'DISK_GB'
    )
    return disk.total
