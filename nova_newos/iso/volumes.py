# SPDX-License-Identifier: Apache-2.0
"""Volume descriptors: ISO 9660, Joliet and UDF.

ECMA-119 (ISO 9660) section 8, the Joliet specification, and ECMA-167 parts 2
and 3 with OSTA's UDF.
"""

from collections.abc import Iterator
import dataclasses
import struct
from typing import Any

from nova_newos.iso.facts import SECTOR
from nova_newos.iso.reader import Span

# Descriptors begin here, and end by a terminator. Real ISOs have five.
_RECOGNITION_SECTOR = 16
_RECOGNITION_SECTORS = 32
RECOGNITION = Span(_RECOGNITION_SECTOR * SECTOR, _RECOGNITION_SECTORS * SECTOR)

# Escape sequences of the three levels of UCS-2.
_JOLIET = (b'%/@', b'%/C', b'%/E')

ANCHOR = Span(256 * SECTOR, SECTOR)
# A main volume descriptor sequence has 16 sectors at least (ECMA-167 part 3,
# 3/8.4.2.1); all that is looked for is in these.
_SEQUENCE_SECTORS = 16
_PRIMARY, _ANCHOR, _LOGICAL, _TERMINATING = 1, 2, 6, 8


@dataclasses.dataclass
class Recognition:
    """What the volume recognition sequence says.

    :ivar primary: there is a primary volume descriptor of ISO 9660
    :ivar has_udf: there is a descriptor of UDF
    :ivar catalog: first sector of El Torito's boot catalog, or None
    :ivar texts: of :class:`nova_newos.iso.facts.Iso`, by their names
    :ivar volume_size: in bytes
    """

    primary: bool = False
    has_udf: bool = False
    catalog: int | None = None
    volume_size: int = 0
    texts: dict[str, Any] = dataclasses.field(default_factory=dict)


def printable(text: str) -> str:
    """Text that is safe to show and to store, up to its first NUL.

    What does not print becomes a question mark, and so does what lies beyond
    the Basic Multilingual Plane, which not every database takes.
    """
    return ''.join(
        letter if letter.isprintable() and ord(letter) <= 0xFFFF else '?'
        for letter in text.partition('\0')[0]
    ).strip()


def _text(field: bytes) -> str:
    """A text of ISO 9660: ASCII by the standard, and anything in practice."""
    try:
        return printable(field.decode('utf-8'))
    except UnicodeDecodeError:
        return printable(field.decode('latin-1'))


def recognise(content: bytes) -> Recognition:
    """Read the descriptors in the bytes of :data:`RECOGNITION`."""
    found = Recognition()
    for begin in range(0, len(content), SECTOR):
        sector = content[begin : begin + SECTOR]
        if len(sector) < SECTOR:
            break
        identifier = sector[1:6]
        if identifier == b'CD001':
            _iso9660(sector, found)
        elif identifier in (b'NSR02', b'NSR03'):
            found.has_udf = True
        elif identifier not in (b'BEA01', b'BOOT2', b'TEA01'):
            break
    return found


def _iso9660(sector: bytes, found: Recognition) -> None:
    kind = sector[0]
    if kind == 0 and sector[7:39].rstrip(b'\0 ') == b'EL TORITO SPECIFICATION':
        if found.catalog is None:
            (found.catalog,) = struct.unpack_from('<I', sector, 71)
    elif kind == 1 and not found.primary:
        found.primary = True
        (blocks,) = struct.unpack_from('<I', sector, 80)
        (block_size,) = struct.unpack_from('<H', sector, 128)
        found.volume_size = blocks * block_size
        found.texts |= {
            'system_id': _text(sector[8:40]),
            'volume_id': _text(sector[40:72]),
            'publisher_id': _text(sector[318:446]),
            'application_id': _text(sector[574:702]),
        }
    elif kind == 2 and sector[88:91] in _JOLIET:
        label = sector[40:72].decode('utf-16-be', 'replace')
        found.texts.setdefault('joliet_volume_id', printable(label))


def tag(sector: bytes, lba: int) -> int | None:
    """Number of a UDF descriptor, None if it is none or belongs elsewhere."""
    if len(sector) < SECTOR or lba != struct.unpack_from('<I', sector, 12)[0]:
        return None
    checksum = sum(sector[:4] + sector[5:16]) & 0xFF
    if checksum != sector[4]:
        return None
    (number,) = struct.unpack_from('<H', sector)
    return int(number)


def sequence(anchor: bytes, lba: int) -> Span | None:
    """Where an anchor says that the volume descriptors of UDF are."""
    if tag(anchor, lba) != _ANCHOR:
        return None
    length, location = struct.unpack_from('<II', anchor, 16)
    length = min(length // SECTOR, _SEQUENCE_SECTORS) * SECTOR
    return Span(location * SECTOR, length) if length else None


def _dstring(field: bytes) -> str:
    """A text of UDF: how it is encoded, the text, and their bytes."""
    text = field[1 : min(field[-1], len(field) - 1)]
    if field[0] == 8:
        return printable(text.decode('latin-1'))
    if field[0] == 16:
        return printable(text.decode('utf-16-be', 'replace'))
    return ''


def descriptors(content: bytes, lba: int) -> Iterator[tuple[int, bytes]]:
    """Number and sector of each descriptor of UDF, up to what is none.

    :param lba: sector of the first of them
    """
    for index in range(len(content) // SECTOR):
        sector = content[index * SECTOR : (index + 1) * SECTOR]
        number = tag(sector, lba + index)
        if number in (None, _TERMINATING):
            return
        yield number, sector


def udf_volume_id(content: bytes, span: Span) -> str:
    """The label in a sequence of volume descriptors.

    Pointers to further sequences are not followed: no known tool needs them
    for this few descriptors, and they may lead in a circle.
    """
    found: dict[int, str] = {}
    for number, sector in descriptors(content, span.offset // SECTOR):
        if number == _LOGICAL:
            found.setdefault(_LOGICAL, _dstring(sector[84:212]))
        elif number == _PRIMARY:
            found.setdefault(_PRIMARY, _dstring(sector[24:56]))
    return found.get(_LOGICAL) or found.get(_PRIMARY, '')
