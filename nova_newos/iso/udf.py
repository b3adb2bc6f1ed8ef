# SPDX-License-Identifier: Apache-2.0
"""Where a file of a UDF file system is, by its path.

ECMA-167 part 4 with OSTA's UDF 1.02, which is what ISOs are written as. Of a
directory only the beginning is read, and a file in pieces is not found: no
number of the ISO decides how much is read. A path of four names takes less
than 320 KiB.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import struct

from nova_newos.iso import volumes
from nova_newos.iso.facts import SECTOR
from nova_newos.iso.reader import Examination
from nova_newos.iso.reader import Span

_PARTITION, _LOGICAL = 5, 6
_FILE_SET, _IDENTIFIER, _FILE, _EXTENDED_FILE = 256, 257, 261, 266

_DIRECTORY_LENGTH = 65536
_EXTENTS = 16
# The two highest bits of an extent's length: it is recorded.
_LENGTH = 0x3FFFFFFF
_DELETED_OR_PARENT = 0x04 | 0x08

# Descriptors of allocation, by how an entry says what it has, and their size.
_SHORT, _LONG, _EMBEDDED = 0, 1, 3
_SIZES = {_SHORT: 8, _LONG: 16}

# Of the two kinds of file entry: where the lengths of extended attributes and
# of allocation descriptors are, and where the former begin.
_HEADS = {_FILE: (168, 176), _EXTENDED_FILE: (208, 216)}


@dataclasses.dataclass(frozen=True)
class _Entry:
    """What is known of a file: its extents, or its bytes.

    :ivar extents: sectors of the ISO
    """

    size: int
    extents: tuple[Span, ...] = ()
    embedded: bytes = b''


def find(anchor: bytes, path: Sequence[str]) -> Examination[Span | None]:
    """The bytes of a file.

    :param anchor: the sector of :data:`nova_newos.iso.volumes.ANCHOR`
    :param path: names from the root on, in any case
    :returns: None when there is none, or not in one piece
    """
    span = volumes.sequence(anchor, volumes.ANCHOR.offset // SECTOR)
    if span is None:
        return None
    (content,) = yield [span]
    descriptors = volumes.descriptors(content, span.offset // SECTOR)
    partition, file_set = _volume(dict(descriptors))
    if partition is None:
        return None
    (sector,) = yield [_sector(partition, file_set)]
    if volumes.tag(sector, file_set) != _FILE_SET:
        return None
    (block,) = struct.unpack_from('<I', sector, 404)
    entry = yield from _entry(partition, block)
    for name in path:
        if entry is None:
            return None
        directory = yield from _directory(entry)
        entry = None
        for found, block in _identifiers(directory):
            if found.lower() == name.lower():
                entry = yield from _entry(partition, block)
                break
    return _in_one_piece(entry)


def _volume(descriptors: dict[int, bytes]) -> tuple[int | None, int]:
    """First sector of the partition, and block of its file set in it."""
    partition = descriptors.get(_PARTITION)
    logical = descriptors.get(_LOGICAL)
    if partition is None or logical is None:
        return None, 0
    (first,) = struct.unpack_from('<I', partition, 188)
    (block_size,) = struct.unpack_from('<I', logical, 212)
    (file_set,) = struct.unpack_from('<I', logical, 252)
    return (first if block_size == SECTOR else None), file_set


def _sector(partition: int, block: int) -> Span:
    return Span((partition + block) * SECTOR, SECTOR)


def _entry(partition: int, block: int) -> Examination[_Entry | None]:
    (sector,) = yield [_sector(partition, block)]
    head = _HEADS.get(volumes.tag(sector, block) or 0)
    if head is None:
        return None
    lengths, begin = head
    (flags,) = struct.unpack_from('<H', sector, 34)
    (size,) = struct.unpack_from('<Q', sector, 56)
    attributes, length = struct.unpack_from('<II', sector, lengths)
    allocation = sector[begin + attributes :][:length]
    kind = flags & 7
    if kind == _EMBEDDED:
        return _Entry(size, embedded=allocation[:size])
    if kind not in _SIZES:
        return None
    extents = _extents(partition, allocation, _SIZES[kind])
    return _Entry(size, tuple(extents))


def _extents(partition: int, allocation: bytes, width: int) -> Iterator[Span]:
    usable = min(len(allocation) // width, _EXTENTS) * width
    for at in range(0, usable, width):
        length, block = struct.unpack_from('<II', allocation, at)
        if not length or length > _LENGTH:
            return
        yield Span((partition + block) * SECTOR, length)


def _directory(entry: _Entry) -> Examination[bytes]:
    """The beginning of a directory."""
    left = min(entry.size, _DIRECTORY_LENGTH)
    wanted = []
    for extent in entry.extents:
        wanted.append(Span(extent.offset, min(extent.length, left)))
        left -= wanted[-1].length
    pieces = yield [span for span in wanted if span.length]
    return entry.embedded + b''.join(pieces)


def _identifiers(directory: bytes) -> Iterator[tuple[str, int]]:
    """Name and block of each file in a directory."""
    at = 0
    while at + 38 <= len(directory):
        number, *_rest = struct.unpack_from('<H', directory, at)
        if number != _IDENTIFIER:
            return
        kind, length = struct.unpack_from('<BB', directory, at + 18)
        (block,) = struct.unpack_from('<I', directory, at + 24)
        (private,) = struct.unpack_from('<H', directory, at + 36)
        begin = at + 38 + private
        if not kind & _DELETED_OR_PARENT:
            yield _name(directory[begin : begin + length]), block
        at += -(-(38 + private + length) // 4) * 4


def _name(field: bytes) -> str:
    if field[:1] == b'\x10':
        return field[1:].decode('utf-16-be', 'replace')
    return field[1:].decode('latin-1')


def _in_one_piece(entry: _Entry | None) -> Span | None:
    if entry is None or not entry.extents:
        return None
    first, *others = entry.extents
    end = first.offset + first.length
    for extent in others:
        if extent.offset != end:
            return None
        end += extent.length
    if end - first.offset < entry.size:
        return None
    return Span(first.offset, entry.size)
