# SPDX-License-Identifier: Apache-2.0
"""What an OVF descriptor says of an appliance (DMTF DSP0243, 1.x and 2.x).

The versions, and what VMware made before there was a standard, differ in the
namespaces of the elements that are read here, and in nothing else. So local
names are what counts, and the parser is told nothing of namespaces: it would
write them out in every name, and a descriptor of 1 MiB would become gigabytes.
"""

import dataclasses
import re
from xml.etree import ElementTree  # noqa: S405  it only holds the tree
from xml.parsers import expat

from glance_ext.appliance import exception

#: Bytes of a descriptor. Those with licences in ten languages have 300 KiB.
MAX_SIZE = 2**20
#: Elements of a descriptor. Large ones have some thousand.
MAX_ELEMENTS = 2**14

# CIM_ResourceAllocationSettingData.ResourceType.
_CPU = '3'
_MEMORY = '4'
# Programmatic units of DSP0004; 'MegaBytes' is what VMware wrote before.
_UNITS = re.compile(r'byte(?: ?\* ?(2|10) ?\^ ?(\d{1,2}))?', re.IGNORECASE)
_OLD_UNITS = {'kilobytes': 2**10, 'megabytes': 2**20, 'gigabytes': 2**30}
_QUANTITY = re.compile(r'[1-9]\d{0,14}')
# MiB that no server has: larger than any, and an integer in Glance's database.
_ABSURD_MEMORY = 2**28
_ABSURD_VCPUS = 2**16


@dataclasses.dataclass(frozen=True)
class Appliance:
    """What is asked of a descriptor.

    :param name: of the virtual machine, printable, maybe empty
    :param disk: name of the file of its only disk
    :param disk_size: bytes that this file is said to have, or None
    :param memory: MiB, of the smallest configuration; 0 when not known
    :param vcpus: of the smallest configuration; 0 when not known
    :param uefi: whether it is said to boot with UEFI
    """

    name: str
    disk: str
    disk_size: int | None
    memory: int
    vcpus: int
    uefi: bool


def parse(content):
    """Read a descriptor.

    :param content: bytes, hostile
    :returns: an :class:`Appliance`
    :raises DescriptorRefused: when it is no descriptor, or not of one virtual
        machine with one plain disk
    """
    root = _tree(content)
    if root.tag != 'Envelope':
        raise exception.DescriptorRefused(
            f'it is no OVF envelope but {exception.shown(root.tag)}'
        )
    file = _file_of(root, _only_disk(root))
    return Appliance(
        name=_name(_only_system(root)),
        disk=file.get('href', ''),
        disk_size=_number(file.get('size')),
        memory=_smallest(root, _MEMORY, _mib, _ABSURD_MEMORY),
        vcpus=_smallest(root, _CPU, _count, _ABSURD_VCPUS),
        uefi=_is_for_uefi(root),
    )


class _Tree(ElementTree.TreeBuilder):
    """Elements and attributes with their local names."""

    _elements = 0

    def start(self, tag, attrs):
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise exception.DescriptorRefused(
                f'it has more than {MAX_ELEMENTS} elements'
            )
        named = {}
        for name, value in attrs.items():
            if not name.startswith('xmlns:'):
                # The first one counts: OVF's own are before extensions'.
                named.setdefault(_local(name), value)
        return super().start(_local(tag), named)


def _tree(content):
    """Root of the tree of a document without a document type."""
    tree = _Tree()
    parser = expat.ParserCreate()
    # No document type, no entities.
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = lambda tag: tree.end(_local(tag))
    parser.CharacterDataHandler = tree.data
    try:
        parser.Parse(content, True)
    # What expat and codecs make of junk: the encoding is named by the file.
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise exception.DescriptorRefused(
            f'it is no XML: {str(error)[:80]}'
        ) from error
    return tree.close()


def _refuse_document_type(*unused):
    raise exception.DescriptorRefused('it has a document type or entities')


def _local(name):
    return name.rpartition(':')[2]


def _all(root, path):
    return root.findall(f'.//{path}')


def _only_system(root):
    systems = _all(root, 'VirtualSystem')
    if len(systems) != 1:
        raise exception.DescriptorRefused(
            f'it has {len(systems)} virtual machines'
        )
    return systems[0]


def _only_disk(root):
    disks = _all(root, 'DiskSection/Disk')
    if len(disks) != 1:
        raise exception.DescriptorRefused(f'it has {len(disks)} disks')
    if disks[0].get('parentRef'):
        raise exception.DescriptorRefused(
            'its disk holds the differences to another one'
        )
    return disks[0]


def _file_of(root, disk):
    wanted = disk.get('fileRef')
    files = [
        file
        for file in _all(root, 'References/File')
        if file.get('id') == wanted
    ]
    if not wanted or len(files) != 1:
        raise exception.DescriptorRefused(
            'its disk refers to no file, or to more than one'
        )
    compression = files[0].get('compression', '')
    if compression not in ('', 'identity'):
        raise exception.DescriptorRefused(
            f'its disk is compressed ({exception.shown(compression)})'
        )
    if files[0].get('chunkSize'):
        raise exception.DescriptorRefused('its disk is in chunks')
    return files[0]


def _name(system):
    said = system.findtext('Name') or system.get('id', '')
    return ''.join(c for c in ' '.join(said.split()) if c.isprintable())


def _is_for_uefi(root):
    # The standard does not say; this is how VMware and VirtualBox do.
    return any(
        (config.get('key'), config.get('value')) == ('firmware', 'efi')
        for config in _all(root, 'VirtualHardwareSection/Config')
    ) or any(
        firmware.get('type', '').startswith('EFI')
        for firmware in _all(root, 'Hardware/Firmware')
    )


def _smallest(root, kind, measure, absurd):
    """Least of what the configurations of the machine have of a resource."""
    found = [
        measure(item)
        for item in _all(root, 'VirtualHardwareSection/Item')
        if (item.findtext('ResourceType') or '').strip() == kind
    ]
    return min((n for n in found if 0 < n < absurd), default=0)


def _count(item):
    return _number(item.findtext('VirtualQuantity')) or 0


def _mib(item):
    units = (item.findtext('AllocationUnits') or '').strip()
    return -(-_count(item) * _unit(units) // 2**20)


def _unit(said):
    """Bytes of a unit, 0 for one that is not known."""
    known = _UNITS.fullmatch(said)
    if known:
        return int(known[1] or 1) ** int(known[2] or 0)
    return _OLD_UNITS.get(said.lower(), 0)


def _number(said):
    said = (said or '').strip()
    return int(said) if _QUANTITY.fullmatch(said) else None
