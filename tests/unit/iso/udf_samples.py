# SPDX-License-Identifier: Apache-2.0

"""A Windows ISO with both boot images, in a small file system of UDF."""

import struct

from tests.unit.iso import samples

PARTITION = 64
FILE_SET = 0
IMAGE = samples.UEFI_IMAGE
NO_PROMPT = 330
SIZE = 40 * 512

_PATH = ('efi', 'microsoft', 'boot')
SHORT, LONG, EMBEDDED = 0, 1, 3


def extent(kind, length, block):
    tail = bytes(8) if kind == LONG else b''
    return struct.pack('<II', length, block) + tail


def entry(block, size, content, kind=SHORT, extended=False):
    """A file entry, with its extents or bytes."""
    head = bytearray(216 if extended else 176)
    struct.pack_into('<H', head, 34, kind)
    struct.pack_into('<Q', head, 56, size)
    struct.pack_into('<II', head, len(head) - 8, 0, len(content))
    number = 266 if extended else 261
    return samples.tagged(number, block, bytes(head) + content)


def embedded(block, content):
    return entry(block, len(content), content, EMBEDDED)


def identifier(name, block, kind=0):
    field = b'\x08' + name.encode() if name else b''
    record = struct.pack(
        '<H16xBBIIHH4xH', 257, kind, len(field), 2048, block, 0, 0, 0
    )
    record += field
    return record + bytes(-len(record) % 4)


def image(pdb):
    return samples.floppy({b'BOOTX64 EFI': samples.program(pdb)})


def sectors(names=(*_PATH, 'efisys_noprompt.bin'), size=None, **changed):
    """What is where, see samples.medium().

    :param names: of the path
    :param changed: by name of a local, what is there instead
    """
    no_prompt = image(r'd:\x\cdboot_noprompt.pdb')
    size = len(no_prompt) if size is None else size
    logical = bytearray(440)
    logical[84:212] = samples.dstring('WINDOWS', 128)
    struct.pack_into('<I', logical, 212, samples.SECTOR)
    struct.pack_into('<II', logical, 248, 2048, FILE_SET)
    found = {
        'logical': samples.tagged(6, samples.SEQUENCE, bytes(logical)),
        'partition': samples.tagged(
            5, samples.SEQUENCE + 1, bytes(188) + struct.pack('<I', PARTITION)
        ),
        'file_set': samples.tagged(
            256, FILE_SET, bytes(400) + struct.pack('<III', 2048, 1, 0)
        ),
        'root': entry(
            1,
            2048,
            extent(SHORT, 2048, 2),
        ),
        'root_content': identifier('', 1, kind=0x0A)
        + identifier('deleted', 5, kind=4)
        + identifier('sources', 5)
        + identifier(names[0], 3, kind=2),
        # The others show the other ways to say where a file is.
        'efi': embedded(3, identifier(names[1], 4)),
        'microsoft': entry(
            4, 2048, extent(LONG, 2048, 6), LONG, extended=True
        ),
        'microsoft_content': identifier(names[2], 7),
        'boot': embedded(7, identifier(names[3], 8)),
        'file': entry(
            8,
            size,
            extent(SHORT, 2048, NO_PROMPT - PARTITION)
            + extent(SHORT, size - 2048, NO_PROMPT - PARTITION + 1),
        ),
        'image': image(r'd:\x\cdboot.pdb'),
        'no_prompt': no_prompt,
    } | changed
    at = {
        'logical': samples.SEQUENCE,
        'partition': samples.SEQUENCE + 1,
        'file_set': PARTITION + FILE_SET,
        'root': PARTITION + 1,
        'root_content': PARTITION + 2,
        'efi': PARTITION + 3,
        'microsoft': PARTITION + 4,
        'microsoft_content': PARTITION + 6,
        'boot': PARTITION + 7,
        'file': PARTITION + 8,
        'image': IMAGE,
        'no_prompt': NO_PROMPT,
    }
    return {at[name]: content for name, content in found.items()}


def medium(catalog, **changed):
    """Bytes of the ISO.

    :param catalog: of booting
    :param changed: see sectors()
    """
    return samples.medium(
        [
            samples.primary(publisher_id='MICROSOFT CORPORATION'),
            samples.boot_record(),
            samples.TERMINATOR,
            *samples.UDF_DESCRIPTORS,
        ],
        {samples.CATALOG: catalog, 256: samples.anchor()} | sectors(**changed),
    )
