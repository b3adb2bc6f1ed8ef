# SPDX-License-Identifier: Apache-2.0
"""Nova's fake libvirt, with the disks that libvirt and QEMU really have.

The fake knows the source and target of a disk and forgets the rest; it starts
domains whose files do not exist. What this project is about would not be seen
by it.
"""

import copy
import os
import subprocess

from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt
from oslo_serialization import jsonutils

#: Buses that QEMU's machines cannot have a kind of disk on.
NO_BUS_FOR = {'cdrom': ('virtio', 'fdc'), 'disk': ('fdc',)}


def refuse(message):
    """As libvirt refuses a domain that cannot be."""
    raise fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        message,
        error_code=fakelibvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        error_domain=fakelibvirt.VIR_FROM_QEMU,
    )


class Domain(fakelibvirt.Domain):
    """Keeps disks and boot order as elements, disks in libvirt's order.

    :ivar next: XML that it was defined with while it ran, or None
    """

    next = None

    def _parse_definition(self, xml):
        tree = etree.fromstring(xml)
        self._boots = tree.findall('os/boot')
        self._disks = []
        for disk in tree.findall('devices/disk'):
            self._insert(disk)
        return super()._parse_definition(xml)

    def _insert(self, disk):
        """Put a disk where libvirt puts it.

        See ``virDomainDiskInsert``: the disks of a bus stay together from
        where its first disk is, sorted by their names.
        """
        bus, name = _target(disk)
        if bus in NO_BUS_FOR.get(disk.get('device'), ()):
            refuse(f'{name} cannot be on bus {bus}')
        for other in self._disks:
            if _target(other)[1] == name:
                refuse(f"target '{name}' duplicated for disk sources")
            if _address(disk) and _address(disk) == _address(other):
                refuse(f'the address of {name} is taken')
        at = len(self._disks)
        for index, other in enumerate(self._disks):
            other_bus, other_name = _target(other)
            if other_bus == bus:
                at = index + 1
                if _number(other_name) > _number(name):
                    at = index
                    break
        self._disks.insert(at, disk)

    def disks(self):
        """The disks as elements, in their order."""
        return list(self._disks)

    def XMLDesc(self, flags):
        tree = etree.fromstring(super().XMLDesc(flags))
        _replace(tree.find('os'), 'boot', self._boots)
        _replace(tree.find('devices'), 'disk', self._disks)
        return etree.tostring(tree, encoding='unicode')

    def attachDevice(self, xml):
        if xml.startswith('<disk'):
            self._insert(etree.fromstring(xml))
        return super().attachDevice(xml)

    def detachDevice(self, xml):
        if xml.startswith('<disk'):
            name = _target(etree.fromstring(xml))[1]
            self._disks = [d for d in self._disks if _target(d)[1] != name]
        return super().detachDevice(xml)

    def createWithFlags(self, flags):
        if self.next:
            self._def = self._parse_definition(self.next)
            self.next = None
        for disk in self._disks:
            self._open(disk)
        super().createWithFlags(flags)

    def blockRebase(self, disk, base, bandwidth=0, flags=0):
        """Copy what the fake has no job for."""
        subprocess.run(
            ['qemu-img', 'convert', '-O', 'qcow2', disk, base], check=True
        )
        return super().blockRebase(disk, base, bandwidth, flags)

    def _open(self, disk):
        """Have the files of a disk, or none of them if they are optional.

        See ``qemuDomainCheckDiskPresence``.
        """
        source = disk.find('source')
        path = None if source is None else source.get('file')
        if path is None or _complete(path, disk.find('driver').get('type')):
            return
        if source.get('startupPolicy') != 'optional':
            refuse(f'Cannot access storage file {path} or what it stands on')
        disk.remove(source)


def _replace(parent, tag, elements):
    """Put copies of elements in the place of those with a tag."""
    for old in parent.findall(tag):
        parent.remove(old)
    for index, element in enumerate(elements):
        parent.insert(index, copy.deepcopy(element))


def _complete(path, disk_format):
    """Whether a file and all below it exist."""
    if not os.path.exists(path):
        return False
    if disk_format != 'qcow2':
        return True
    chain = subprocess.run(
        [
            'qemu-img',
            'info',
            '--force-share',
            '--backing-chain',
            '--output=json',
            '-f',
            disk_format,
            path,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return chain.returncode == 0 and bool(jsonutils.loads(chain.stdout))


def _target(disk):
    target = disk.find('target')
    return target.get('bus'), target.get('dev')


def _address(disk):
    address = disk.find('address')
    if address is None or address.get('type') != 'drive':
        return None
    places = ('controller', 'bus', 'target', 'unit')
    return _target(disk)[0], *(address.get(place, '0') for place in places)


def _number(name):
    """Number of a disk by its name: 0 for sda, 26 for sdaa."""
    number = 0
    for letter in name[2:]:
        number = number * 26 + ord(letter) - ord('a') + 1
    return number


class Connection(fakelibvirt.Connection):
    """Also keeps the XML that domains were defined with.

    :ivar defined: list of str by the domain's UUID, the last one at its end
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.defined = {}

    def defineXML(self, xml):
        running = {vm.UUIDString(): vm for vm in self._running_vms.values()}
        domain = super().defineXML(xml)
        if domain.UUIDString() in running:
            # It goes on, and is started anew as it is described now.
            domain = running[domain.UUIDString()]
            domain.next = xml
            self._vms[domain.name()] = domain
        self.defined.setdefault(domain.UUIDString(), []).append(xml)
        return domain
