# SPDX-License-Identifier: Apache-2.0
"""The demo's second half: a user of the cloud at work.

What a user would type is typed: the openstack command, printed before it
runs. Waiting and reading goes through openstacksdk.

usage: python -P -m devstack.onebox.demo_cloud PLAN, see demo.describe().
"""

import json
import os
from pathlib import Path
import shlex
import subprocess
import sys

import openstack

from devstack.onebox import demo_console
from devstack.onebox import demo_golden
from devstack.onebox import settings
from devstack.onebox import waiting
from devstack.onebox.client import COMMAND
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import Steps
from devstack.onebox.progress import elapsed
from devstack.onebox.progress import say

INSTALLER = 'newos-demo-installer'
DRIVERS = 'newos-demo-drivers'
GOLDEN = 'newos-demo-golden'
INSTALL_SERVER = 'newos-demo-install'
BOOTED = 'newos-demo-booted'
# How the installer ISO made here says that it gave up.
OWN_FAILURE = r'^installer: ERROR'
_PAUSE = 2


class Demo:
    """One run.

    :param plan: what demo.describe() returns.
    """

    def __init__(self, plan):
        self.plan = plan
        self.steps = Steps(plan['steps'])
        self.cloud = openstack.connect()
        # Two are to tell whether they are hosts of their own, and only the
        # Debian made here shows that.
        self.booted = (
            [f'{BOOTED}-1', f'{BOOTED}-2'] if plan['own_iso'] else [BOOTED]
        )

    def run(self):
        take = self.steps.take
        take('clean up after an earlier demo', self.clean_up)
        take('upload the ISOs', self.upload)
        take('create the server', self.create_install_server)
        take('installation', self.watch_installation)
        take('golden image', self.make_golden_image)
        take('boot the golden image', self.boot_golden_image)
        consoles = take('first boot', self.watch_first_boots)
        take('verify', self.verify, consoles)
        self.print_tables()

    # What an earlier run left

    def clean_up(self):
        for name in (INSTALL_SERVER, f'{BOOTED}(-[12])?'):
            for server in self.cloud.compute.servers(name=f'^{name}$'):
                say(f'deleting the server {server.name} {server.id}')
                self.cloud.delete_server(server.id, wait=True, timeout=300)
        for name in (INSTALLER, DRIVERS, GOLDEN):
            for image in self._own_images(name):
                say(f'deleting the image {name} {image.id}')
                self.cloud.image.delete_image(image.id)
        if 'ram' in self.plan['flavor']:
            admin = openstack.connect(cloud=settings.ADMIN_CLOUD)
            admin.delete_flavor(self.plan['flavor']['name'])

    def _own_images(self, name):
        # Others' images of that name may be visible, and are not ours.
        return list(
            self.cloud.image.images(
                name=name, owner=self.cloud.current_project_id
            )
        )

    # From the ISO to an installed disk

    def upload(self):
        properties = []
        if self.plan['driver_iso']:
            self._upload(DRIVERS, self.plan['driver_iso'])
            drivers = self._image(DRIVERS).id
            properties = ['--property', f'newos_virtio_image_id={drivers}']
        if self.plan['own_iso']:
            properties += ['--property', 'newos_seal=true']
        self._upload(INSTALLER, self.plan['iso'], *properties)
        say(recognised(self._image(INSTALLER).properties or {}))

    def _upload(self, name, path, *options):
        mebibytes = Path(path).stat().st_size / 2**20
        say(f'{path}: {mebibytes:.1f} MiB')
        type_command(
            'image create --disk-format iso --container-format bare --file',
            path,
            *options,
            name,
        )

    def _image(self, name):
        return self.cloud.image.find_image(name, ignore_missing=False)

    def create_install_server(self):
        flavor = self.plan['flavor']
        if 'ram' in flavor:
            type_command(
                f'--os-cloud {settings.ADMIN_CLOUD} flavor create --vcpus 1 '
                f'--ram {flavor["ram"]} --disk {flavor["disk"]}',
                flavor['name'],
            )
        self._create_server(INSTALL_SERVER, INSTALLER)

    def _create_server(self, name, image, options=''):
        type_command(
            f'server create --image {image} --flavor '
            f'{self.plan["flavor"]["name"]} --nic none {options} {name}'
        )

    def watch_installation(self):
        console = demo_console.Console()
        self._watch(
            INSTALL_SERVER,
            console,
            lambda server: self._installed(server, console),
        )

    def _installed(self, server, console):
        failure = self.plan['own_iso'] and console.search(OWN_FAILURE)
        if failure:
            raise BoxError(f'the installer gave up: {failure}')
        return server.status == 'SHUTOFF'

    def _watch(self, name, console, done):
        """Print a server's console until done(server) is true."""
        server = self.cloud.compute.find_server(name, ignore_missing=False)

        def is_done():
            nonlocal server
            server = self.cloud.compute.get_server(server.id)
            self._refuse_fault(server)
            for line in console.feed(self._console_log(server)):
                say(f'   | {line}')
            return done(server)

        try:
            waiting.wait_for(name, is_done, self.plan['timeout'], _PAUSE)
        except waiting.TimedOut:
            raise BoxError(self._overdue(server, console)) from None

    def _refuse_fault(self, server):
        if server.status == 'ERROR':
            fault = server.fault or {}
            raise BoxError(
                f'the server {server.name} is in ERROR: '
                f'{fault.get("message", "no fault was recorded")}\nSee also '
                f'{os.environ["ONEBOX_LOGS"]}/nova-compute.log'
            )

    def _console_log(self, server):
        try:
            answer = self.cloud.compute.get_server_console_output(server.id)
        except (
            openstack.exceptions.ConflictException,
            openstack.exceptions.NotFoundException,
        ):
            # There is none before the guest starts.
            return ''
        return answer['output'] or ''

    def _overdue(self, server, console):
        minutes = self.plan['timeout'] // 60
        last = '\n'.join(f'   | {line}' for line in console.tail())
        return (
            f'the server {server.name} is {server.status} and not done after '
            f'{minutes} minutes. Its console '
            + (f'ended with\n{last}' if last else 'is empty')
            + '\nGive a longer --timeout if it only needs more; an installer '
            'has to ask nothing, to use the serial console ttyS0 if it is to '
            'be seen here, and to power off at its end.'
        )

    # From the installed disk to a server

    def make_golden_image(self):
        type_command(
            f'server image create --name {GOLDEN} --wait {INSTALL_SERVER}'
        )

    def boot_golden_image(self):
        count = len(self.booted)
        self._create_server(BOOTED, GOLDEN, f'--min {count} --max {count}')

    def watch_first_boots(self):
        return [self.watch_first_boot(name) for name in self.booted]

    def watch_first_boot(self, name):
        say(f'{name}:')
        console = demo_console.Console()
        self._watch(name, console, lambda server: self._up(server, console))
        say(f'   | {console.search(self.plan["console_pattern"])}')
        return console

    def _up(self, server, console):
        if server.status == 'SHUTOFF':
            raise BoxError(
                f'the server {server.name} powered off instead of coming up: '
                'was the system installed?'
            )
        return console.search(self.plan['console_pattern'])

    # What a stranger can check

    def verify(self, consoles):
        own_iso = self.plan['own_iso']
        image = self._image(GOLDEN)
        properties = image.properties or {}
        problems = demo_golden.record_problems(image.to_dict(), properties)
        for name, console in zip(self.booted, consoles, strict=True):
            problems += self._server_problems(name, console)
        if own_iso:
            problems += demo_golden.identity_problems(
                [demo_golden.identity(console) for console in consoles]
            )
        if problems:
            raise BoxError(
                'the golden image is not clean: ' + '; '.join(problems)
            )
        own = ', and a machine-id and SSH host keys of its own'
        say(
            f'each server has one disk and no CD-ROM{own if own_iso else ""}. '
            'What the image says of how it was made:'
        )
        print_columns(demo_golden.origin(properties))

    def _server_problems(self, name, console):
        server = self.cloud.compute.find_server(name)
        listed = subprocess.run(
            ['virsh', '--readonly', 'domblklist', '--details', server.id],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        disks = demo_golden.devices(listed)
        if disks != ['disk']:
            yield f'the server {name} has {disks} in place of one disk'
        if console.search(r'installer'):
            yield f'the console of {name} names the installer'

    def print_tables(self):
        say('\n== what was made')
        rows = [('what', 'name', 'id', 'format', 'MiB', 'status')]
        for name in (DRIVERS, INSTALLER, GOLDEN):
            rows += [
                (
                    *('image', name, image.id, image.disk_format),
                    *(f'{image.size / 2**20:.1f}', image.status),
                )
                for image in self._own_images(name)
            ]
        for name in (INSTALL_SERVER, *self.booted):
            server = self.cloud.compute.find_server(name)
            rows.append(('server', name, server.id, '', '', server.status))
        print_columns(rows)
        # The first two are taken side by side.
        say('\n== seconds')
        print_columns(
            [
                (title, f'{seconds:8.1f}')
                for title, seconds in (
                    *self.steps.seconds,
                    ('total', elapsed()),
                )
            ]
        )


def recognised(properties):
    """Return what Glance has found the ISO to be, as a line."""
    return (
        f'Glance says: "{properties.get("newos_volume_id", "")}" boots with '
        f'{properties.get("newos_boot", "what is unknown")}, and holds '
        f'{properties.get("newos_os", "a system that its database lacks")}'
    )


def print_farewell(state):
    """Say how to go on from here, also after a failure."""
    say(f"""
The box stays up. To look around, as root:
    eval "$({COMMAND} env --state {state})"
    openstack server list
    openstack image list
    openstack console log show {INSTALL_SERVER}
    virsh list --all
To take it down and remove everything:
    {COMMAND} wipe --state {state}""")


def type_command(begin, *more):
    """Print an openstack command and run it.

    :param begin: its first words.
    :param more: words besides, which may have spaces.
    :raises BoxError: when it fails, with what it said.
    """
    command = ('openstack', *begin.split(), *more)
    say(f'$ {shlex.join(command)}')
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BoxError(
            f'"{shlex.join(command)}" failed:\n'
            + (done.stderr or done.stdout).strip()
        )


def print_columns(rows):
    """Print rows of texts as aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = map(str.ljust, row, widths)
        say('  '.join(cells).rstrip())


def main():
    plan = json.loads(sys.argv[1])
    failure = None
    try:
        Demo(plan).run()
    except BoxError as error:
        failure = error
    except openstack.exceptions.SDKException as error:
        failure = f'the cloud says: {error}'
    except KeyboardInterrupt:
        failure = 'interrupted; the next run starts over'
    print_farewell(plan['state'])
    sys.exit(failure and f'\ndemo: {failure}')


if __name__ == '__main__':
    main()
