# SPDX-License-Identifier: Apache-2.0
r"""How to have Windows' UEFI boot loader not ask for a key.

A Windows ISO has two boot images for UEFI. The boot catalog names the one that
asks; the other, ``\efi\microsoft\boot\efisys_noprompt.bin``, is there for who
remasters the ISO. To point the catalog at it takes four bytes.
"""

import dataclasses
import struct
from typing import BinaryIO

from nova_newos.iso import eltorito
from nova_newos.iso import exception
from nova_newos.iso import loader
from nova_newos.iso import reader
from nova_newos.iso import udf
from nova_newos.iso import volumes
from nova_newos.iso.facts import SECTOR
from nova_newos.iso.facts import BootEntry
from nova_newos.iso.inspector import inspect
from nova_newos.iso.reader import Span

_PATH = ('efi', 'microsoft', 'boot', 'efisys_noprompt.bin')
# Of a sector, by which entries that have no more say nothing.
_LOADED = 512


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Whether an ISO asks for a key under UEFI, and how not to.

    :ivar asks: it does
    :ivar offset: of the bytes to write into it, or None for nothing
    :ivar content: these bytes
    """

    asks: bool
    offset: int | None = None
    content: bytes = b''


def look(file: BinaryIO) -> Prompt:
    """What is known of the prompt of an ISO.

    Reads less than 1 MiB and leaves the position anywhere.

    :param file: binary and seekable; what its read() and seek() raise is not
        caught
    """
    size = reader.file_size(file)
    try:
        found = inspect(file, size)
    except exception.NotAnIso:
        return Prompt(asks=False)
    if found.waits_for_key is False:
        return Prompt(asks=False)
    (place, _read) = reader.read_file(file, size, _examine(size))
    if place is None:
        return Prompt(asks=found.waits_for_key is True)
    offset, lba = place
    return Prompt(True, offset, struct.pack('<I', lba))


def _examine(size: int) -> reader.Examination[tuple[int, int] | None]:
    """Where the catalog names an image, and the sector of the other one."""
    recognition, anchor = yield [volumes.RECOGNITION, volumes.ANCHOR]
    lba = volumes.recognise(recognition).catalog
    if lba is None:
        return None
    catalog = eltorito.catalog_span(lba)
    (content,) = yield [catalog]
    entry = next(filter(_is_uefi, eltorito.entries(content) or ()), None)
    if entry is None:
        return None
    at = eltorito.place(content, entry)
    image = yield from udf.find(anchor, _PATH)
    if at is None or image is None or not _fits(image, entry, size):
        return None
    loaders = yield from loader.examine(image.offset // SECTOR)
    if not loaders.architectures:
        return None
    return catalog.offset + at, image.offset // SECTOR


def _is_uefi(entry: BootEntry) -> bool:
    return entry.bootable and entry.platform == 'uefi'


def _fits(image: Span, entry: BootEntry, size: int) -> bool:
    """Whether firmware would load all of it, from inside of the ISO."""
    return (
        image.offset + image.length <= size
        and image.offset // SECTOR != entry.lba
        and (entry.sectors <= 1 or image.length <= entry.sectors * _LOADED)
    )
