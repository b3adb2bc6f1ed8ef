# SPDX-License-Identifier: Apache-2.0
"""The probe ISO: tells tests what a guest sees, and installs in a second."""

from pathlib import Path

from devstack.onebox.media import base
from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import initramfs

LABEL = 'NEWOS_PROBE'
INIT = initramfs.GUEST / 'probe-init'


def obtain(store, say):
    """Return the path of the probe ISO; see base.obtain()."""
    directory = base.obtain(store, say)
    key = cache.key_of(
        directory.name,
        Path(__file__).read_bytes(),
        INIT.read_bytes(),
        Path(grub.__file__).read_bytes(),
        initramfs.recipe(),
    )
    return store.product(
        'probe.iso', key, lambda target: _build(target, directory, say)
    )


def _build(target, directory, say):
    say('making the probe ISO')
    initrd = target.with_name('initrd.img')
    initramfs.write(initrd, directory, INIT)
    bios = target.with_name('bios.img')
    uefi = target.with_name('bootx64.efi')
    entry = grub.boot_entry('probe.from=disk')
    grub.write_bios_image(bios, entry)
    grub.write_uefi_image(uefi, entry)
    grub.write_iso(
        target,
        LABEL,
        directory / 'vmlinuz',
        initrd,
        {'probe/bios.img': bios, 'probe/bootx64.efi': uefi},
        ('probe.from=cdrom',),
    )
