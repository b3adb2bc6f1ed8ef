# SPDX-License-Identifier: Apache-2.0

"""Media as small as they get, sector by sector."""

import struct

SECTOR = 2048
CATALOG = 50
SEQUENCE = 60
BIOS_IMAGE = 300
UEFI_IMAGE = 310

BIOS, UEFI = 0x00, 0xEF


def text(value, length):
    return value.encode('latin-1').ljust(length)[:length]


def primary(
    volume_id='A MEDIUM',
    system_id='',
    publisher_id='',
    application_id='',
    blocks=400,
):
    sector = bytearray(SECTOR)
    sector[0:7] = b'\x01CD001\x01'
    sector[8:40] = text(system_id, 32)
    sector[40:72] = text(volume_id, 32)
    struct.pack_into('<I', sector, 80, blocks)
    struct.pack_into('<H', sector, 128, SECTOR)
    sector[318:446] = text(publisher_id, 128)
    sector[574:702] = text(application_id, 128)
    return bytes(sector)


def joliet(volume_id):
    sector = bytearray(SECTOR)
    sector[0:7] = b'\x02CD001\x01'
    sector[40:72] = volume_id.encode('utf-16-be').ljust(32, b'\0')[:32]
    sector[88:91] = b'%/E'
    return bytes(sector)


def boot_record(catalog=CATALOG):
    sector = bytearray(SECTOR)
    sector[0:7] = b'\x00CD001\x01'
    sector[7:39] = b'EL TORITO SPECIFICATION'.ljust(32, b'\0')
    struct.pack_into('<I', sector, 71, catalog)
    return bytes(sector)


def descriptor(identifier, kind=0):
    return (bytes([kind]) + identifier + b'\x01').ljust(SECTOR, b'\0')


TERMINATOR = descriptor(b'CD001', 255)
UDF_DESCRIPTORS = [
    descriptor(b'BEA01'),
    descriptor(b'NSR02'),
    descriptor(b'TEA01'),
]


def validation(platform=BIOS):
    record = bytearray(32)
    record[0:2] = bytes([1, platform])
    record[30:32] = b'\x55\xaa'
    total = sum(struct.unpack('<16H', record))
    struct.pack_into('<H', record, 28, -total & 0xFFFF)
    return bytes(record)


def entry(lba, sectors=4, bootable=True, emulation=0):
    return struct.pack(
        '<BBHBBHI20x', 0x88 * bootable, emulation, 0, 0, 0, sectors, lba
    )


def header(platform, count=1, is_last=True):
    return struct.pack('<BBH28x', 0x90 + is_last, platform, count)


def tagged(number, lba, content):
    """A descriptor of UDF."""
    sector = bytearray(content.ljust(SECTOR, b'\0'))
    struct.pack_into('<H2xxxHHHI', sector, 0, number, 0, 0, 0, lba)
    sector[4] = (sum(sector[:4]) + sum(sector[5:16])) & 0xFF
    return bytes(sector)


def anchor(lba=256, sequence=SEQUENCE, length=16 * SECTOR):
    return tagged(2, lba, struct.pack('<16xII', length, sequence))


def dstring(value, length):
    if value.isascii():
        content = b'\x08' + value.encode()
    else:
        content = b'\x10' + value.encode('utf-16-be')
    return content.ljust(length - 1, b'\0') + bytes([len(content)])


def logical_volume(label, lba=SEQUENCE):
    return tagged(6, lba, bytes(84) + dstring(label, 128))


def program(pdb=None):
    """A UEFI program, with the name of its symbols."""
    content = bytearray(0x2400)
    content[0:2] = b'MZ'
    struct.pack_into('<I', content, 0x3C, 0x80)
    content[0x80:0x84] = b'PE\0\0'
    struct.pack_into('<HH12xHH', content, 0x84, 0x8664, 1, 240, 0)
    struct.pack_into('<H', content, 0x98, 0x20B)
    struct.pack_into('<I', content, 0x98 + 108, 16)
    if pdb is not None:
        struct.pack_into('<II', content, 0x98 + 112 + 48, 0x1100, 28)
    struct.pack_into(
        '<4I', content, 0x98 + 240 + 8, 0x2000, 0x1000, 0x2000, 0x400
    )
    if pdb is not None:
        symbols = b'RSDS' + bytes(20) + pdb.encode() + b'\0'
        struct.pack_into(
            '<4I', content, 0x500 + 12, 2, len(symbols), 0x1200, 0x600
        )
        content[0x600 : 0x600 + len(symbols)] = symbols
    return bytes(content)


def _directory_entry(name, cluster, attributes=0):
    return struct.pack('<11sB14xHI', name, attributes, cluster, 0)


def floppy(loaders, far=0):
    r"""A FAT file system with programs in \EFI\BOOT.

    :param loaders: bytes by their short names
    :param far: clusters between the folders and the programs
    """
    sector = bytearray(512)
    struct.pack_into('<HBHBH', sector, 11, 512, 1, 1, 2, 224)
    struct.pack_into('<H', sector, 22, 9)
    sector[510:] = b'\x55\xaa'
    content = bytes(sector) + bytes(18 * 512)
    root = _directory_entry(b'EFI        ', 2, 0x10)
    efi = _directory_entry(b'BOOT       ', 3, 0x10)
    boot = b''
    data = b''
    for name, program_ in loaders.items():
        boot += _directory_entry(name, 4 + far + len(data) // 512)
        data += program_.ljust(-(-len(program_) // 512) * 512, b'\0')
    content += root.ljust(14 * 512, b'\0')
    content += efi.ljust(512, b'\0') + boot.ljust(512, b'\0')
    return content + bytes(far * 512) + data


def medium(descriptors, sectors=None, size=400):
    """Bytes of a medium: descriptors from sector 16 on, others where said."""
    content = bytearray(size * SECTOR)
    placed = dict(enumerate(descriptors, 16)) | (sectors or {})
    for lba, data in placed.items():
        content[lba * SECTOR : lba * SECTOR + len(data)] = data
    return bytes(content)


BOTH = validation() + entry(BIOS_IMAGE) + header(UEFI) + entry(UEFI_IMAGE)
WINDOWS = medium(
    [
        primary(
            'CCCOMA_X64FRE_EN-US_DV9',
            publisher_id='MICROSOFT CORPORATION',
            application_id='CDIMAGE 2.56 (01/01/2005 TM)',
        ),
        boot_record(),
        TERMINATOR,
        *UDF_DESCRIPTORS,
    ],
    {
        CATALOG: BOTH,
        SEQUENCE: logical_volume('CCCOMA_X64FRE_EN-US_DV9'),
        256: anchor(),
        UEFI_IMAGE: floppy({b'BOOTX64 EFI': program(r'd:\x\cdboot.pdb')}),
    },
)
# Its catalog would be at 60 MiB.
WINDOWS_FAR = medium([primary(), boot_record(30720), TERMINATOR], size=512)
