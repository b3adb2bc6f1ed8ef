# SPDX-License-Identifier: Apache-2.0
"""The installer ISO: puts a minimal Debian onto a blank disk, unattended."""

from pathlib import Path

from devstack.onebox.media import base
from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import initramfs

LABEL = 'NEWOS_DEBIAN'
INIT = initramfs.GUEST / 'installer-init'


def obtain(store, say):
    """Return the path of the installer ISO; see base.obtain()."""
    directory = base.obtain(store, say)
    key = cache.key_of(
        directory.name,
        Path(__file__).read_bytes(),
        INIT.read_bytes(),
        Path(grub.__file__).read_bytes(),
        initramfs.recipe(),
    )
    return store.product(
        'debian.iso', key, lambda target: _build(target, directory, say)
    )


def _build(target, directory, say):
    say('making the installer ISO')
    initrd = target.with_name('initrd.img')
    initramfs.write(initrd, directory, INIT)
    grub.write_iso(
        target,
        LABEL,
        directory / 'vmlinuz',
        initrd,
        {'installer/root.squashfs': directory / 'root.squashfs'},
    )
