# SPDX-License-Identifier: Apache-2.0
"""The probe ISO: tells tests what a guest sees, and installs in a second."""

from pathlib import Path

from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import initramfs
from devstack.onebox.media import kernel

LABEL = 'NEWOS_PROBE'
#: Directory on an ISO of what a disk has for UEFI.
ON_DISK = 'probe/uefi'
INIT = initramfs.GUEST / 'probe-init'


def obtain(store, say):
    """Return the path of the probe ISO; see base.obtain()."""
    return obtain_iso(
        store, say, 'probe.iso', LABEL, 'cdrom', kernel.obtain(store, say)
    )


def obtain_iso(store, say, name, label, origin, directory):
    """Return the path of an ISO with the probe.

    :param name: of the product
    :param label: volume label
    :param origin: what the probe takes itself to be booted from, see
        guest/probe-init
    :param directory: that the kernel is in, see kernel.obtain()
    """
    key = cache.key_of(recipe(directory), label, origin)

    def build(target):
        say(f'making {name}')
        initrd = write_initrd(target, directory)
        bios = target.with_name('bios.img')
        uefi = target.with_name('bootx64.efi')
        grub.write_bios_image(bios, 'probe.from=disk')
        grub.write_uefi_image(uefi, 'probe.from=disk')
        grub.write_iso(
            target,
            label,
            directory / 'vmlinuz',
            initrd,
            {'probe/bios.img': bios, f'{ON_DISK}/{grub.FALLBACK}': uefi},
            (f'probe.from={origin}',),
        )

    return store.product(name, key, build)


def write_initrd(target, directory):
    """Write the probe's initramfs beside a medium; returns its path."""
    initrd = target.with_name('initrd.img')
    initramfs.write(initrd, directory, INIT)
    return initrd


def recipe(directory):
    """Return what decides the bytes of every medium with the probe.

    :param directory: that the kernel is in
    """
    return cache.key_of(
        directory.name,
        Path(__file__).read_bytes(),
        INIT.read_bytes(),
        Path(grub.__file__).read_bytes(),
        initramfs.recipe(),
    )
