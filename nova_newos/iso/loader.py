# SPDX-License-Identifier: Apache-2.0
r"""The UEFI boot loader in a boot image, and whether it waits for a key.

A UEFI entry of the boot catalog is a FAT file system with a boot loader
``\EFI\BOOT\BOOT*.EFI``. Windows has two of them, of the same size:
``cdboot.efi``, which boots only when somebody presses a key, and
``cdboot_noprompt.efi``. Each holds the name that its linker gave it,
``cdboot.pdb`` or ``cdboot_noprompt.pdb``, in its debug directory.

Files are read as if they were in one piece, as they are in an image that was
made at once, and only the beginning of a directory is. On any other image the
answer is that nothing is known.
"""

from collections.abc import Iterator
import dataclasses
import struct

from nova_newos.iso.facts import SECTOR
from nova_newos.iso.reader import Examination
from nova_newos.iso.reader import Span

# By their short names, which FAT fills with blanks.
_LOADERS = {
    b'BOOTX64 EFI': 'x86_64',
    b'BOOTIA32EFI': 'i686',
    b'BOOTAA64EFI': 'aarch64',
    b'BOOTARM EFI': 'armv7l',
}
# Of a boot image this much is read at once, and of a boot loader and around
# its debug directory: what is next is mostly there, and a stream does not
# come back.
_IMAGE_HEAD = 65536
_LOADER_HEAD = 4096
_AROUND = 4096

_DIRECTORY_LENGTH = 8192
_DEBUG_LENGTH = 512

_ENTRY = 32
_IS_DIRECTORY = 0x10
_LONG_NAME = 0x0F
_CODEVIEW = 2


@dataclasses.dataclass(frozen=True)
class Loader:
    """Boot loaders of an image.

    :ivar architectures: for which there is one
    :ivar pdb: the name of the first one's debug symbols, in lower case, '' if
        it has none; None if the loader could not be read
    """

    architectures: frozenset[str] = frozenset()
    pdb: str | None = None


@dataclasses.dataclass(frozen=True)
class _Part:
    """A part of the ISO, of which the head has been read."""

    begin: int
    head: bytes

    def read(self, offset: int, length: int) -> Examination[bytes]:
        """Bytes of the part, of which only those after the head are new."""
        known = self.head[offset : offset + length]
        if len(known) == length:
            return known
        begin = self.begin + offset + len(known)
        (content,) = yield [Span(begin, length - len(known))]
        return known + content


def _part(begin: int, length: int) -> Examination[_Part]:
    (head,) = yield [Span(begin, length)]
    return _Part(begin, head)


@dataclasses.dataclass(frozen=True)
class _Fat:
    """Where a FAT file system has its data, in bytes of itself."""

    root: int
    data: int
    cluster: int

    def offset(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.cluster


@dataclasses.dataclass(frozen=True)
class _Entry:
    """Of a directory."""

    name: bytes
    is_directory: bool
    cluster: int


def examine(lba: int) -> Examination[Loader]:
    """Look at the boot image at a sector of the ISO."""
    image = yield from _part(lba * SECTOR, _IMAGE_HEAD)
    fat = _fat(image.head[:512])
    if fat is None:
        return Loader()
    offset = fat.root
    for name in (b'EFI        ', b'BOOT       '):
        content = yield from image.read(offset, _DIRECTORY_LENGTH)
        folders = (
            fat.offset(entry.cluster)
            for entry in _directory(content)
            if entry.name == name and entry.is_directory
        )
        # No folder begins where the boot sector is.
        offset = next(folders, 0)
        if not offset:
            return Loader()
    content = yield from image.read(offset, _DIRECTORY_LENGTH)
    loaders = {
        entry.name: fat.offset(entry.cluster)
        for entry in _directory(content)
        if entry.name in _LOADERS and not entry.is_directory
    }
    if not loaders:
        return Loader()
    first = min(loaders, key=list(_LOADERS).index)
    pdb = yield from _pdb(image, loaders[first])
    return Loader(frozenset(_LOADERS[name] for name in loaders), pdb)


def _fat(sector: bytes) -> _Fat | None:
    """The BIOS parameter block, by Microsoft's FAT specification 1.03."""
    if len(sector) < 512:
        return None
    size, per_cluster, reserved, tables, roots = struct.unpack_from(
        '<HBHBH', sector, 11
    )
    if size not in (512, 1024, 2048, 4096) or not per_cluster or not reserved:
        return None
    (table_size,) = struct.unpack_from('<H', sector, 22)
    cluster = size * per_cluster
    if table_size:
        root = (reserved + tables * table_size) * size
        root_size = -(-roots * _ENTRY // size) * size
        return _Fat(root, root + root_size, cluster)
    (table_size,) = struct.unpack_from('<I', sector, 36)
    (first,) = struct.unpack_from('<I', sector, 44)
    data = (reserved + tables * table_size) * size
    if first < 2:
        return None
    return _Fat(data + (first - 2) * cluster, data, cluster)


def _directory(content: bytes) -> Iterator[_Entry]:
    for begin in range(0, len(content) - _ENTRY + 1, _ENTRY):
        name = content[begin : begin + 11]
        attributes = content[begin + 11]
        (high,) = struct.unpack_from('<H', content, begin + 20)
        (low,) = struct.unpack_from('<H', content, begin + 26)
        cluster = high << 16 | low
        # No name has a zero in it, and the first that has ends a directory.
        if not name[0]:
            return
        if attributes != _LONG_NAME and cluster >= 2:
            yield _Entry(name, bool(attributes & _IS_DIRECTORY), cluster)


def _pdb(image: _Part, offset: int) -> Examination[str | None]:
    """The name of a program's debug symbols, by the PE format.

    :returns: '' if it has none, None if this is not a program
    """
    head = yield from image.read(offset, _LOADER_HEAD)
    program = _Part(image.begin + offset, head)
    try:
        directory = _debug_directory(head)
    except (struct.error, ValueError):
        return None
    if directory is None:
        return ''
    begin = max(0, directory.offset - _AROUND)
    around = yield from program.read(begin, directory.offset - begin + _AROUND)
    at = directory.offset - begin
    content = around[at : at + min(directory.length, _DEBUG_LENGTH)]
    if not content:
        return None
    where = _codeview(content)
    if where is None:
        return ''
    at = where.offset - begin
    symbols = around[at : at + where.length] if at >= 0 else b''
    if len(symbols) < where.length:
        symbols = yield from program.read(where.offset, where.length)
    if symbols[:4] != b'RSDS':
        return None
    path = symbols[24:].partition(b'\0')[0].decode('latin-1').lower()
    return path.replace('\\', '/').rpartition('/')[2]


def _debug_directory(content: bytes) -> Span | None:
    """Where the debug directory is, from the beginning of the program.

    :raises ValueError: this is not a program
    :raises struct.error: its headers end too early
    """
    (header,) = struct.unpack_from('<I', content, 0x3C)
    if content[:2] != b'MZ' or content[header : header + 4] != b'PE\0\0':
        raise ValueError
    sections, optional_size = struct.unpack_from(
        '<2xH12xH', content, header + 4
    )
    optional = header + 24
    (magic,) = struct.unpack_from('<H', content, optional)
    directories = optional + {0x10B: 96, 0x20B: 112}.get(magic, len(content))
    (count,) = struct.unpack_from('<I', content, directories - 4)
    if count < 7:
        return None
    address, length = struct.unpack_from('<II', content, directories + 6 * 8)
    if not length:
        return None
    table = optional + optional_size
    for index in range(sections):
        size, start, raw_size, raw = struct.unpack_from(
            '<4I', content, table + index * 40 + 8
        )
        if start <= address < start + min(size, raw_size):
            return Span(raw + address - start, length)
    raise ValueError


def _codeview(content: bytes) -> Span | None:
    """Where a debug directory has the name of the symbols."""
    for begin in range(0, len(content) - 27, 28):
        kind, length, _address, raw = struct.unpack_from(
            '<4I', content, begin + 12
        )
        if kind == _CODEVIEW:
            return Span(raw, min(length, _DEBUG_LENGTH))
    return None
