# SPDX-License-Identifier: Apache-2.0
"""The boot catalog, by the El Torito specification 1.0 and UEFI's addition."""

from collections.abc import Iterator
import struct

from nova_newos.iso.facts import SECTOR
from nova_newos.iso.facts import BootEntry
from nova_newos.iso.reader import Span

_ENTRY = 32
# The specification has no limit. 254 entries are more than any firmware reads.
_CATALOG_SECTORS = 4

_PLATFORMS = {0x00: 'bios', 0x01: 'ppc', 0x02: 'mac', 0xEF: 'uefi'}
_EMULATIONS = dict(enumerate(('none', '1.2M', '1.44M', '2.88M', 'disk')))
_BOOTABLE, _NOT_BOOTABLE = 0x88, 0x00
_HEADER, _LAST_HEADER = 0x90, 0x91
_EXTENSION = 0x44
# Of an entry: the sector in which its image begins.
_LBA = 8

# Where mkisofs, and all after it, write the boot information table.
_TABLE = 8
_TABLE_HEAD = struct.Struct('<II')


def catalog_span(lba: int) -> Span:
    return Span(lba * SECTOR, _CATALOG_SECTORS * SECTOR)


def table_span(entry: BootEntry) -> Span:
    """Where the boot information table of a boot image would be."""
    return Span(entry.lba * SECTOR + _TABLE, _TABLE_HEAD.size)


def has_table(entry: BootEntry, content: bytes) -> bool:
    """Whether the bytes of :func:`table_span` are one.

    It begins with the sectors of the primary volume descriptor and of the
    image itself.
    """
    return len(content) == _TABLE_HEAD.size and _TABLE_HEAD.unpack(
        content
    ) == (16, entry.lba)


def entries(content: bytes) -> tuple[BootEntry, ...] | None:
    """Entries of a boot catalog; None if it is none.

    A catalog that ends too early, or says nonsense after its first entries,
    has those entries.
    """
    records = _records(content)
    validation = next(records, b'')
    if not _is_valid(validation):
        return None
    default = next(records, b'')
    if not default:
        return None
    found = [_entry(default, validation[1])]
    for header in records:
        if header[0] not in (_HEADER, _LAST_HEADER):
            break
        found += _section(header, records)
        if header[0] == _LAST_HEADER:
            break
    return tuple(entry for entry in found if entry is not None)


def place(content: bytes, entry: BootEntry) -> int | None:
    """Where a boot catalog says in which sector an image begins.

    :param entry: a bootable one of :func:`entries`
    :returns: offset in the catalog of four bytes, little-endian; None when
        several entries name the image
    """
    lba = struct.pack('<I', entry.lba)
    places = [
        index * _ENTRY + _LBA
        for index, record in enumerate(_records(content))
        if record[0] == _BOOTABLE and record[_LBA : _LBA + 4] == lba
    ]
    return places[0] if len(places) == 1 else None


def _records(content: bytes) -> Iterator[bytes]:
    for begin in range(0, len(content) - _ENTRY + 1, _ENTRY):
        yield content[begin : begin + _ENTRY]


def _is_valid(validation: bytes) -> bool:
    return (
        len(validation) == _ENTRY
        and validation[0] == 1
        and validation[30:] == b'\x55\xaa'
        and sum(struct.unpack('<16H', validation)) & 0xFFFF == 0
    )


def _section(
    header: bytes, records: Iterator[bytes]
) -> Iterator[BootEntry | None]:
    """Entries of a section; what extends an entry says nothing of interest."""
    (count,) = struct.unpack_from('<H', header, 2)
    while count:
        record = next(records, b'')
        if not record:
            return
        if record[0] != _EXTENSION:
            count -= 1
            yield _entry(record, header[1])


def _entry(record: bytes, platform: int) -> BootEntry | None:
    if record[0] not in (_BOOTABLE, _NOT_BOOTABLE):
        return None
    sectors, lba = struct.unpack_from('<HI', record, 6)
    # An entry that was never written.
    if not lba:
        return None
    return BootEntry(
        platform=_PLATFORMS.get(platform, 'unknown'),
        bootable=record[0] == _BOOTABLE,
        lba=lba,
        sectors=sectors,
        emulation=_EMULATIONS.get(record[1] & 0x0F, 'unknown'),
    )
