# SPDX-License-Identifier: Apache-2.0
"""A guest of one boot sector, for servers that only have to be there.

It says some lines on its first serial port and then sleeps until somebody
presses the power button. So servers of it have a console log, and stop and
reboot as an operating system would, at once and at next to no processor time,
where guests are emulated too.
"""

import contextlib
import pathlib
import struct
import subprocess
import tempfile

# More than the ten lines that Tempest asks the console log for.
LINES = 16
_TEXT = b''.join(b'newos-guest: line %d\r\n' % n for n in range(LINES))

# Where a BIOS loads a boot sector.
_ORIGIN = 0x7C00
#: The text's place on the disk, behind the code.
TEXT_AT = 0x39
# The ports of the PIIX4's and the ICH9's power management, where SeaBIOS puts
# them: status at 0x600, enable at 0x602, control at 0x604. Bit 8 of the first
# two is the power button; 0x2000 in the third, "sleep now" of type 0, is off.
_CODE = bytes.fromhex(
    'fc'  # cld
    '31c0'  # xor ax, ax
    '8ed8'  # mov ds, ax
    'be%s'  # mov si, text
    'ac'  # next: lodsb
    '84c0'  # test al, al
    '7411'  # jz done
    '88c4'  # mov ah, al
    'bafd03'  # mov dx, 0x3fd
    'ec'  # busy: in al, dx
    'a820'  # test al, 0x20
    '74fb'  # jz busy
    'b2f8'  # mov dl, 0xf8
    '88e0'  # mov al, ah
    'ee'  # out dx, al
    'ebea'  # jmp next
    'ba0206'  # done: mov dx, 0x602
    'b80001'  # mov ax, 0x100
    'ef'  # out dx, ax
    'fb'  # sti
    'f4'  # idle: hlt, until the timer's next tick
    'ba0006'  # mov dx, 0x600
    'ed'  # in ax, dx
    'f6c401'  # test ah, 1
    '74f6'  # jz idle
    'ba0406'  # mov dx, 0x604
    'b80020'  # mov ax, 0x2000
    'ef'  # out dx, ax
    'ebed' % (_ORIGIN + TEXT_AT).to_bytes(2, 'little').hex()  # jmp idle
)
# One bootable partition, all of the disk but this sector: to Nova, a boot
# sector without any is a damaged image.
_SECTORS = 2048
_PARTITION = struct.pack(
    '<B3sB3sII', 0x80, b'\0\2\0', 0x0C, b'\xff\xff\xff', 1, _SECTORS - 1
)
_BOOT_SECTOR = (
    (_CODE + _TEXT + b'\0').ljust(446, b'\0')
    + _PARTITION.ljust(64, b'\0')
    + b'\x55\xaa'
)


def disk():
    """The bytes of a raw disk image."""
    return _BOOT_SECTOR.ljust(_SECTORS * 512, b'\0')


@contextlib.contextmanager
def image():
    """Path of the disk as qcow2, the format of most images, meanwhile.

    :raises subprocess.CalledProcessError: when qemu-img fails
    """
    with tempfile.TemporaryDirectory() as directory:
        raw = pathlib.Path(directory) / 'raw'
        raw.write_bytes(disk())
        qcow2 = raw.with_name('qcow2')
        subprocess.run(
            ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2],
            check=True,
        )
        yield qcow2
