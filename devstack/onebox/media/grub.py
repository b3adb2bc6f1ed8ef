# SPDX-License-Identifier: Apache-2.0
"""Boot loaders: a hybrid ISO, and the pieces of a bootable small disk."""

from pathlib import Path
import struct
import tempfile

from devstack.onebox.media import host

# An emulated processor may get no time while the kernel tries its timer. The
# rest is a quarter of what a boot costs it, and guards against nobody here.
KERNEL_ARGUMENTS = (
    'console=tty0 console=ttyS0,115200 quiet panic=30 no_timer_check '
    'mitigations=off cryptomgr.notests init_on_alloc=0 nokaslr'
)
SECTOR = 512
#: What UEFI boots from a medium that no variable of it names.
FALLBACK = 'EFI/BOOT/BOOTX64.EFI'
# Room for the core image between the MBR and the first partition.
FIRST_SECTOR = 2048
_BOOT_CODE = 440
_BIOS = Path('/usr/lib/grub/i386-pc')
# Nothing on the serial port: the console log is to begin with what the
# system itself says.
_ENTRY = """\
linux{bits} /boot/vmlinuz {arguments}
initrd{bits} {initrds}
boot
"""
# Entered in real mode, which UEFI has not, a kernel unpacks itself two seconds
# faster on an emulated processor.
_BIOS_BITS = '16'
_ISO_BITS = f'if [ $grub_platform = pc ]; then bits={_BIOS_BITS}; fi\n'
_KERNEL = 'boot/vmlinuz'
_INITRD = 'boot/initrd.img'


def boot_entry(bits, *arguments):
    """GRUB commands that boot /boot/vmlinuz of GRUB's root device."""
    return _ENTRY.format(
        bits=bits,
        arguments=' '.join((KERNEL_ARGUMENTS, *arguments)),
        initrds=f'/{_INITRD}',
    )


def write_iso(target, label, kernel, initrd, files, arguments=()):
    """Write an ISO that boots under BIOS and UEFI, as a CD or as a disk.

    :param target: path of the file to write.
    :param label: volume label, upper case letters, digits and _.
    :param kernel: path of the kernel.
    :param initrd: path of the initramfs.
    :param files: more files as {path on the ISO without leading slash:
        path on this machine}.
    :param arguments: further words of the kernel's command line.
    """
    content = {_KERNEL: kernel, _INITRD: initrd, **files}
    _write_iso(target, label, content, boot_entry('$bits', *arguments))


def write_foreign_iso(target, label, kernel, initrds, arguments):
    """Write an ISO like write_iso()'s of a kernel with its own needs.

    :param initrds: paths of initramfs archives; the kernel unpacks one
        after the other.
    :param arguments: all words of the kernel's command line; with blanks,
        but without quotes and backslashes.
    """
    content = {_KERNEL: kernel}
    names = (_INITRD, *(f'boot/more{n}.img' for n in range(1, len(initrds))))
    content.update(zip(names, initrds, strict=True))
    entry = _ENTRY.format(
        bits='$bits',
        arguments=' '.join(f"'{word}'" for word in arguments),
        initrds=' '.join(f'/{name}' for name in names),
    )
    _write_iso(target, label, content, entry)


def _write_iso(target, label, content, entry):
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        tree = Path(directory)
        for name, source in content.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            # The file, not a copy: the root file system is large.
            (tree / name).hardlink_to(source)
        (tree / 'boot/grub').mkdir()
        (tree / 'boot/grub/grub.cfg').write_text(_ISO_BITS + entry)
        host.run(
            'grub-mkrescue',
            '--output',
            target,
            '--locales=',
            '--fonts=',
            '--themes=',
            tree,
            '--',
            '-volid',
            label,
        )


def write_bios_image(target, *arguments):
    """Write what lies before the first partition of a disk GRUB boots.

    That is the MBR, with GRUB's boot code and a table of one partition, and
    GRUB's core image from sector 1 on, where its boot code looks for it.

    :param arguments: further words of the command line of the kernel, which
        is on that partition, holding FAT.
    :returns: None; the partition starts at FIRST_SECTOR.
    """
    core = _core_image(
        'i386-pc',
        '(hd0,msdos1)/boot/grub',
        boot_entry(_BIOS_BITS, *arguments),
        ('biosdisk', 'part_msdos', 'fat', 'linux16'),
    )
    if len(core) > (FIRST_SECTOR - 1) * SECTOR:
        raise host.MediaError(
            f"GRUB's core image has {len(core)} bytes: too large for the gap "
            'before the first partition'
        )
    code = (_BIOS / 'boot.img').read_bytes()
    target.write_bytes(master_boot_record(code) + core)


def write_uefi_image(target, *arguments):
    """Write the program for FALLBACK of the same partition."""
    target.write_bytes(
        _core_image(
            'x86_64-efi',
            '/boot/grub',
            boot_entry('', *arguments),
            ('part_msdos', 'fat', 'linux'),
        )
    )


def _core_image(platform, prefix, entry, modules):
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / 'grub.cfg'
        config.write_text(entry)
        image = Path(directory) / 'image'
        host.run(
            'grub-mkimage',
            '--format',
            platform,
            '--prefix',
            prefix,
            '--config',
            config,
            '--output',
            image,
            *modules,
        )
        return image.read_bytes()


def master_boot_record(boot_code, sectors=131072):
    """Return the 512 bytes of an MBR with one partition.

    Its type is 0xEF, an EFI system partition, for UEFI; it is active, for
    a BIOS that insists.  The fields are those of the UEFI specification,
    "Legacy MBR".

    :param boot_code: bytes; the first 440 are used.
    :param sectors: length of the partition.
    """
    no_geometry = b'\xfe\xff\xff'
    partition = struct.pack(
        '<B3sB3sII',
        0x80,
        no_geometry,
        0xEF,
        no_geometry,
        FIRST_SECTOR,
        sectors,
    )
    record = boot_code[:_BOOT_CODE].ljust(_BOOT_CODE + 6, b'\0')
    return (record + partition).ljust(SECTOR - 2, b'\0') + b'\x55\xaa'
