# SPDX-License-Identifier: Apache-2.0
"""Partition tables in what an ISO 9660 volume leaves to the system."""

import struct

from nova_newos.iso.reader import Span

SYSTEM_AREA = Span(0, 4096)

_PROTECTIVE = 0xEE


def schemes(content: bytes) -> frozenset[str]:
    """Which of 'mbr', 'gpt' and 'apm' are in the system area's bytes."""
    found = {
        'mbr': _has_mbr(content),
        'gpt': content[512:520] == b'EFI PART',
        # Blocks of 512 bytes, or of a CD-ROM's.
        'apm': any(_is_apple(content[at : at + 8]) for at in (512, 2048)),
    }
    return frozenset(scheme for scheme, there in found.items() if there)


def _has_mbr(content: bytes) -> bool:
    """A table with a partition that does not just protect a GPT."""
    if content[510:512] != b'\x55\xaa':
        return False
    return any(
        kind not in (0, _PROTECTIVE) and sectors
        for kind, sectors in struct.iter_unpack('<4xB7xI', content[446:510])
    )


def _is_apple(entry: bytes) -> bool:
    """An entry of an Apple partition map, which says how many there are."""
    return entry[:2] == b'PM' and 0 < int.from_bytes(entry[4:8]) < 64
