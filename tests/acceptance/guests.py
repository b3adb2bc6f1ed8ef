# SPDX-License-Identifier: Apache-2.0
"""Servers that boot the probe ISO, and what they say on their console."""

import contextlib
import dataclasses
import os
import pathlib
import socket
import subprocess
import time
import xml.etree.ElementTree

import libvirt
import openstack

from tests.acceptance import onebox

#: Seconds in which the probe would have booted, on a slow machine too.
_ENOUGH = 20

SILENCED = libvirt.registerErrorHandler(lambda _context, _error: None, None)


@dataclasses.dataclass(frozen=True)
class Report:
    """One boot of the probe.

    :ivar devices: dict of each block device, in the guest's order: first
        disks, then CD-ROMs
    :ivar facts: what it said of the boot and of the installation
    """

    devices: tuple
    facts: dict

    @property
    def disks(self):
        return [d for d in self.devices if d['type'] == 'disk']

    @property
    def cdroms(self):
        return [d for d in self.devices if d['type'] == 'cdrom']

    @property
    def hardware(self):
        """What a guest must find again: the same devices, in this order."""
        return [
            (d['device'], d['bus'], d.get('size'), d.get('sha256'))
            for d in self.devices
        ]

    @property
    def drives(self):
        """The devices, whatever is in them."""
        return [(d['device'], d['bus']) for d in self.devices]

    @property
    def discs(self):
        """Digests of what is in the CD-ROM drives, None for nothing."""
        return [d.get('sha256') for d in self.cdroms]


def reports(console):
    """The complete reports on a console, oldest first."""
    found = []
    lines = None
    for line in console.splitlines():
        # The boot loader may have left the cursor anywhere on the line.
        _before, ours, text = line.strip().partition('probe: ')
        if text == 'begin':
            lines = []
        elif text == 'end' and lines is not None:
            found.append(_report(lines))
            lines = None
        elif ours and lines is not None:
            lines.append(text)
    return found


def _report(lines):
    devices, facts = [], {}
    for line in lines:
        words = line.split()
        values = dict(w.split('=', 1) for w in words if '=' in w)
        if 'type' in values:
            devices.append(values)
        else:
            facts.update({w: True for w in words if '=' not in w}, **values)
    return Report(tuple(devices), facts)


def _file_name(disk):
    """Of a <disk> element; None for a drive without a medium."""
    source = disk.find('source')
    if source is None or source.get('file') is None:
        return None
    return source.get('file').rpartition('/')[2]


def _forget_input(port):
    """Read what nobody wants: QEMU waits for room."""
    # There is no more, or the guest has powered off.
    with contextlib.suppress(OSError):
        while os.read(port, 4096):
            pass


class Guest:
    """A server of the cloud and its domain on the host."""

    def __init__(self, box, cloud, server_id):
        self.box = box
        self.cloud = cloud
        self.id = server_id

    @property
    def directory(self):
        """The instance directory."""
        return self.box.state.instances / self.id

    def server(self):
        """The server as Nova shows it now."""
        return self.cloud.compute.get_server(self.id)

    def console(self):
        """All that the guest has written to its serial port in this boot."""
        log = self.directory / 'console.log'
        return log.read_text(errors='replace') if log.exists() else ''

    def reports(self):
        """What the probe has said in this boot, a list of Report."""
        return reports(self.console())

    def wait_for_report(self, **facts):
        """Wait for a report of the current boot that states these facts."""

        def last():
            for report in reversed(reports(self.console())):
                if facts.items() <= report.facts.items():
                    return report
            return None

        try:
            return onebox.wait_for(f'report {facts}', last)
        except onebox.TimedOut as error:
            raise AssertionError(f'{error}\n{self.console()}') from None

    def wait_for_status(self, *statuses):
        """Wait for one of Nova's statuses, with nothing under way."""

        def reached():
            server = self.server()
            if server.task_state:
                return False
            assert server.status != 'ERROR' or 'ERROR' in statuses, (
                server.fault
            )
            return server.status in statuses

        onebox.wait_for(f'{self.id} {statuses}', reached)

    def call(self, action, *arguments, expect='ACTIVE', **keywords):
        """An action of Nova's API, as the owner, and wait for its end.

        :param action: method of openstacksdk's compute proxy
        """
        method = getattr(self.cloud.compute, action)
        method(self.id, *arguments, **keywords)
        self.wait_for_status(expect)

    def told(self):
        """Why the last operation was refused, as its owner is told."""
        return self.server().metadata.get('newos_error')

    def last_event(self):
        """Why the last action failed, as an administrator is told.

        An ordinary user sees that it did; Nova's default policy keeps the
        details from him.
        """
        admin = onebox.administrator()
        actions = f'/servers/{self.id}/os-instance-actions'
        listed = admin.compute.get(actions, microversion='2.84').json()
        request = listed['instanceActions'][0]['request_id']

        def ended():
            shown = admin.compute.get(
                f'{actions}/{request}', microversion='2.84'
            ).json()
            events = shown['instanceAction']['events']
            # The server is what it was a moment before its events end.
            return all(each['finish_time'] for each in events) and events

        events = onebox.wait_for('the events of the action', ended)
        return ' '.join(filter(None, (each['details'] for each in events)))

    def ask(self, command='report'):
        """Have the probe do something; returns its next report.

        :param command: see devstack/onebox/media/README.rst
        """
        before = len(reports(self.console()))
        # Open until there is an answer: QEMU drops what it has not read yet.
        with self._serial_port() as port:

            def answered():
                _forget_input(port)
                return reports(self.console())[before:]

            os.write(port, f'{command}\n'.encode())
            try:
                return onebox.wait_for(command, answered)[0]
            except onebox.TimedOut as error:
                raise AssertionError(f'{error}\n{self.console()}') from None

    @contextlib.contextmanager
    def _serial_port(self):
        """A file descriptor that does not block."""
        source = self.domain_xml().find('devices/serial/source')
        if source.get('path'):
            flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
            port = os.open(source.get('path'), flags)
            try:
                yield port
            finally:
                os.close(port)
        else:
            address = source.get('host'), int(source.get('service'))
            with socket.create_connection(address) as connection:
                connection.setblocking(False)
                yield connection.fileno()

    def domain_xml(self, flags=0):
        """The domain's XML element, None when there is no domain."""
        with libvirt.openReadOnly() as connection:
            try:
                text = connection.lookupByUUIDString(self.id).XMLDesc(flags)
            except libvirt.libvirtError as error:
                assert error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN
                return None
        return xml.etree.ElementTree.fromstring(text)

    def disks(self):
        """(file name, target, device) of each disk, in the XML's order."""
        return [
            (
                _file_name(disk),
                disk.find('target').get('dev'),
                disk.get('device'),
            )
            for disk in self.domain_xml().findall('devices/disk')
        ]

    def wiring(self):
        """What libvirt has of each disk, in the XML's order.

        Two of these are equal when a guest cannot tell the disks apart.
        """
        return [
            (
                _file_name(disk),
                disk.get('device'),
                disk.find('readonly') is not None,
                *sorted(disk.find('target').attrib.items()),
                *sorted(disk.find('address').attrib.items()),
            )
            for disk in self.domain_xml().findall('devices/disk')
        ]

    def is_off(self):
        """Whether the guest itself powered off."""
        with libvirt.openReadOnly() as connection:
            return not connection.lookupByUUIDString(self.id).isActive()

    def install(self):
        """Wait until the probe installed itself; returns its report."""
        report = self.wait_for_report(**{'booted-from': 'cdrom'})
        return self._installed(report)

    def install_now(self):
        """Have the waiting probe install itself; returns its report."""
        return self._installed(self.ask('install'))

    def install_and_reboot(self):
        """Have the waiting probe install itself and reboot the guest.

        For guests that are off then; returns its report.
        """
        return self._installed(self.ask('install-reboot'))

    def _installed(self, report):
        assert report.facts.get('installed'), report
        onebox.wait_for('the installer powers off', self.is_off)
        try:
            self.cloud.compute.stop_server(self.id)
        except openstack.exceptions.HttpException as error:
            # Nova sees by itself that the guest is off, after up to 15 s, and
            # refuses this if it has just done so, or fails if it just does.
            if error.status_code not in (409, 500):
                raise
        self.wait_for_status('SHUTOFF')
        return report

    def command(self, *arguments):
        """``openstack server ...`` on this server, as its owner."""
        onebox.openstack('server', *arguments, self.id)

    def boot(self):
        """Start the installed server; returns the report of that boot."""
        self.call('start_server')
        return self.wait_for_report(**{'booted-from': 'disk'})

    def hard_reboot(self, **facts):
        """Reboot by Nova; returns the report of that boot.

        :param facts: what it states, that it is of the disk by default
        """
        self.call('reboot_server', 'HARD')
        return self.wait_for_report(**(facts or {'booted-from': 'disk'}))

    def boot_order(self):
        """What libvirt boots: list like ``['hd', 'cdrom']``."""
        return [
            boot.get('dev') for boot in self.domain_xml().findall('os/boot')
        ]

    def lose_uefi_variables(self):
        """Remove what the firmware keeps of a server that is off."""
        path = pathlib.Path(self.domain_xml().findtext('os/nvram'))
        # The box's libvirtd has its own /var/lib/libvirt.
        below = path.relative_to('/var/lib/libvirt')
        (self.box.state.libvirt / 'lib' / below).unlink()

    def lose_boot_sectors(self, length):
        """Overwrite the beginning of the root disk of a server that is off.

        :param length: of it, in bytes
        """
        subprocess.run(
            ['qemu-io', '-f', 'qcow2', '-c', f'write -P 0 0 {length}']
            + [self.directory / 'disk.newos'],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def assert_does_not_boot(self):
        """The firmware finds nothing, and does not start the installer."""
        assert self.boot_order() == ['hd']
        time.sleep(_ENOUGH)
        assert self.reports() == []

    def delete(self):
        """Delete the server and see that nothing is left."""
        self.cloud.compute.delete_server(self.id)
        self.wait_until_gone()

    def wait_until_gone(self):
        """See that a deleted server is gone with all that was its own."""
        onebox.wait_for(
            f'{self.id} is deleted',
            lambda: not self.cloud.compute.find_server(self.id),
        )
        self.assert_nothing_left()

    def assert_nothing_left(self):
        """Nothing on the host, nor soon in Placement.

        Nova tells Placement after it has told the user.
        """
        try:
            onebox.wait_for('nothing', lambda: not self.leftovers())
        except onebox.TimedOut:
            assert self.leftovers() == []

    def leftovers(self):
        """What the host and Placement still have of the server."""
        found = [
            str(path) for path in self.box.state.instances.glob(f'{self.id}*')
        ]
        if self.domain_xml() is not None:
            found.append('domain')
        return found + onebox.allocations(self.id)
