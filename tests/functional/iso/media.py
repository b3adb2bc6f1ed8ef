# SPDX-License-Identifier: Apache-2.0

"""Media as the usual tools write them, and as packages bring them.

MADE has the functions that write a file, PACKAGED the files that are there,
both with what is true of them.
"""

import dataclasses
import os
import pathlib
import struct
import subprocess

from devstack.onebox import apt
from tests.unit.iso import samples

LABEL = 'CCCOMA_X64FRE_EN-US_DV9'
MICROSOFT = 'MICROSOFT CORPORATION'


@dataclasses.dataclass(frozen=True)
class Expected:
    """What is true of a medium.

    :ivar boot_known: the boot catalog can be read
    :ivar properties: of the system, and of the firmware
    """

    firmware: set[str] = dataclasses.field(default_factory=set)
    boot_known: bool = True
    hybrid: set[str] = dataclasses.field(default_factory=set)
    volume_id: str = ''
    joliet_volume_id: str = ''
    udf_volume_id: str = ''
    waits_for_key: bool | None = False
    loaders: set[str] = dataclasses.field(default_factory=set)
    properties: dict[str, str] = dataclasses.field(default_factory=dict)


def run(*command):
    environment = os.environ | {
        'PATH': f'{os.environ["PATH"]}:/usr/sbin:/sbin',
    }
    process = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert process.returncode == 0, (command, process.stderr)
    return process.stdout


class Workshop:
    """A directory with what media are made of."""

    def __init__(self, directory: pathlib.Path):
        self.tree = directory / 'tree'
        (self.tree / 'boot').mkdir(parents=True)
        (self.tree / 'A file').write_text('1')
        (self.tree / 'boot' / 'bios.img').write_bytes(os.urandom(2048))
        self.directory = directory
        for name, pdb in (
            ('linux', None),
            ('prompt', r'd:\os\cdboot.pdb'),
            ('noprompt', r'd:\os\cdboot_noprompt.pdb'),
        ):
            self._uefi_image(name, pdb)

    def _uefi_image(self, name, pdb):
        """A FAT floppy as mtools makes it, with a program for UEFI."""
        program = self.directory / f'{name}.efi'
        program.write_bytes(samples.program(pdb))
        image = self.tree / 'boot' / f'{name}.img'
        run('mformat', '-i', image, '-C', '-f', '1440', '::')
        run('mmd', '-i', image, '::EFI', '::EFI/BOOT')
        run('mcopy', '-i', image, program, '::EFI/BOOT/BOOTX64.EFI')

    def xorriso(self, target, *options):
        run(
            *('xorriso', '-as', 'mkisofs', '-quiet', '-o', target),
            *(*options, self.tree),
        )

    def genisoimage(self, target, *options):
        run('genisoimage', '-quiet', '-o', target, *options, self.tree)


BIOS = (
    *('-b', 'boot/bios.img', '-c', 'boot/boot.cat', '-no-emul-boot'),
    *('-boot-load-size', '4', '-boot-info-table'),
)


def uefi(name, *before):
    return (*before, '-e', f'boot/{name}.img', '-no-emul-boot')


BOTH = (*BIOS, *uefi('linux', '-eltorito-alt-boot'))


def bios_only(shop, target):
    shop.xorriso(target, '-V', 'BIOS ONLY', *BIOS)


def uefi_only(shop, target):
    shop.xorriso(target, '-V', 'UEFI ONLY', *uefi('linux'))


def both(shop, target):
    shop.xorriso(target, '-V', 'Debian 11.6.0 amd64 n', *BOTH)


def isohybrid(shop, target):
    """Bootable from a disk as well, as Debian's and Fedora's are."""
    image = shop.tree / 'boot' / 'linux.img'
    shop.xorriso(
        *(target, '-V', 'HYBRID', *BIOS, '-eltorito-alt-boot'),
        *('-append_partition', '2', '0xef', image, '-appended_part_as_gpt'),
        *('-e', '--interval:appended_partition_2:all::', '-no-emul-boot'),
        *('-partition_offset', '16', '-hfsplus', '-apm-block-size', '2048'),
    )


def no_boot(shop, target):
    shop.xorriso(target, '-V', 'DATA')


def joliet(shop, target):
    shop.genisoimage(
        *(target, '-V', 'A LONGER LABEL Ä', '-J', '-joliet-long'),
        *('-input-charset', 'utf-8'),
    )


def udf_bridge(shop, target):
    shop.genisoimage(target, '-V', 'BRIDGE', '-udf', *BIOS)


def udf_only(shop, target):
    with target.open('wb') as file:
        file.truncate(8 << 20)
    run('mkudffs', '-b', '2048', '--label', 'UDF ÄЖ', target)


def windows(shop, target, image='prompt'):
    shop.genisoimage(
        *(target, '-V', LABEL, '-publisher', MICROSOFT, '-udf', *BIOS),
        *uefi(image, '-eltorito-alt-boot'),
    )


def windows_noprompt(shop, target):
    windows(shop, target, 'noprompt')


def truncated(shop, target):
    """An upload that ended within the boot catalog's second sector."""
    both(shop, target)
    with target.open('rb+') as file:
        file.truncate(_catalog(target) + 32)


def live(shop, target):
    """Libosinfo says of it that it both runs and installs."""
    shop.xorriso(target, '-V', 'Fedora-WS-Live-36-1-5', *BOTH)


def garbage_catalog(shop, target):
    both(shop, target)
    with target.open('rb+') as file:
        file.seek(_catalog(target))
        file.write(os.urandom(2048))


def cyclic_catalog(shop, target):
    """Sections that claim 65535 entries, each of which is the catalog."""
    both(shop, target)
    lba = _catalog(target) // 2048
    section = samples.header(samples.UEFI, 0xFFFF, is_last=False)
    with target.open('rb+') as file:
        file.seek(lba * 2048)
        file.write(samples.validation() + samples.entry(lba) + section)
        file.write(samples.entry(lba) * 61)


def hostile_label(shop, target):
    no_boot(shop, target)
    with target.open('rb+') as file:
        file.seek(16 * 2048 + 40)
        file.write(b"\x1b[2J\n'; rm -rf /\xff".ljust(32))


def _catalog(path):
    """Where the boot record says that the catalog is, in bytes."""
    content = path.read_bytes()[17 * 2048 :][:2048]
    assert content[7:30] == b'EL TORITO SPECIFICATION'
    return struct.unpack_from('<I', content, 71)[0] * 2048


DEBIAN = {
    'os_type': 'linux',
    'os_distro': 'debian',
    'os_version': '11',
    'architecture': 'x86_64',
    'newos_os': 'debian11',
}
WINDOWS = {
    'os_type': 'windows',
    'os_distro': 'windows',
    'architecture': 'x86_64',
    'newos_os': 'win11|win10',
}
X86 = {'x86_64'}

MADE = {
    'bios-only': (
        bios_only,
        Expected({'bios'}, volume_id='BIOS ONLY'),
    ),
    'uefi-only': (
        uefi_only,
        Expected(
            {'uefi'},
            volume_id='UEFI ONLY',
            loaders=X86,
            properties={'architecture': 'x86_64', 'hw_firmware_type': 'uefi'},
        ),
    ),
    'both': (
        both,
        Expected(
            {'bios', 'uefi'},
            volume_id='Debian 11.6.0 amd64 n',
            loaders=X86,
            properties=DEBIAN,
        ),
    ),
    'isohybrid': (
        isohybrid,
        Expected(
            {'bios', 'uefi'},
            hybrid={'gpt', 'apm'},
            volume_id='HYBRID',
            loaders=X86,
            properties={'architecture': 'x86_64'},
        ),
    ),
    'no-boot': (no_boot, Expected(volume_id='DATA')),
    'joliet': (
        joliet,
        Expected(
            volume_id='A LONGER LABEL Ä', joliet_volume_id='A LONGER LABEL Ä'
        ),
    ),
    'udf-bridge': (
        udf_bridge,
        Expected({'bios'}, volume_id='BRIDGE', udf_volume_id='BRIDGE'),
    ),
    'udf-only': (udf_only, Expected(udf_volume_id='UDF ÄЖ')),
    'windows': (
        windows,
        Expected(
            {'bios', 'uefi'},
            volume_id=LABEL,
            udf_volume_id=LABEL,
            waits_for_key=True,
            loaders=X86,
            properties=WINDOWS,
        ),
    ),
    'windows-noprompt': (
        windows_noprompt,
        Expected(
            {'bios', 'uefi'},
            volume_id=LABEL,
            udf_volume_id=LABEL,
            loaders=X86,
            properties=WINDOWS,
        ),
    ),
    'truncated': (
        truncated,
        Expected(
            boot_known=False,
            volume_id='Debian 11.6.0 amd64 n',
            waits_for_key=None,
            properties=DEBIAN,
        ),
    ),
    'live': (
        live,
        Expected(
            {'bios', 'uefi'},
            volume_id='Fedora-WS-Live-36-1-5',
            loaders=X86,
            properties={
                'os_type': 'linux',
                'os_distro': 'fedora',
                'os_version': '36',
                'architecture': 'x86_64',
                'newos_os': 'fedora36',
            },
        ),
    ),
    'garbage-catalog': (
        garbage_catalog,
        Expected(
            boot_known=False,
            volume_id='Debian 11.6.0 amd64 n',
            waits_for_key=None,
            properties=DEBIAN,
        ),
    ),
    'cyclic-catalog': (
        cyclic_catalog,
        Expected(
            {'bios', 'uefi'},
            volume_id='Debian 11.6.0 amd64 n',
            waits_for_key=None,
            properties=DEBIAN,
        ),
    ),
    'hostile-label': (
        hostile_label,
        Expected(volume_id="?[2J?'; rm -rf /ÿ"),
    ),
}
# What packages of the distribution hold, by the paths that it would have on a
# machine. They are not installed: memtest86+ writes itself into the boot menu.
PACKAGES = ('grub-rescue-pc', 'ipxe', 'memtest86+')
PACKAGED = {
    '/usr/lib/memtest86+/memtest86+x64.iso': Expected(
        {'bios', 'uefi'},
        hybrid={'mbr'},
        volume_id='MT86PLUS_64',
        joliet_volume_id='MT86PLUS_64',
        loaders=X86,
        properties={'architecture': 'x86_64'},
    ),
    '/usr/lib/memtest86+/memtest86+ia32.iso': Expected(
        {'bios', 'uefi'},
        hybrid={'mbr'},
        volume_id='MT86PLUS_32',
        joliet_volume_id='MT86PLUS_32',
        loaders={'i686'},
        properties={'architecture': 'i686'},
    ),
    '/usr/lib/ipxe/ipxe.iso': Expected(
        {'bios', 'uefi'},
        hybrid={'mbr'},
        volume_id='ISOIMAGE',
        joliet_volume_id='ISOIMAGE',
        loaders=X86,
        properties={'architecture': 'x86_64'},
    ),
    '/usr/lib/grub-rescue/grub-rescue-cdrom.iso': Expected(
        {'bios'},
        hybrid={'mbr'},
        volume_id='ISOIMAGE',
    ),
}


def unpack(directory: pathlib.Path):
    """Fetch :data:`PACKAGES` and unpack them into a directory."""
    # The mirror has one version; the machine's lists may name one before it.
    refresh = [[*apt.COMMAND, 'update']] if os.geteuid() == 0 else []
    for command in (
        *refresh,
        [*apt.COMMAND, 'download', *PACKAGES],
        ['sh', '-c', 'for each in *.deb; do dpkg-deb -x "$each" .; done'],
    ):
        subprocess.run(command, cwd=directory, check=True)
