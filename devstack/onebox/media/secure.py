# SPDX-License-Identifier: Apache-2.0
"""The probe ISO that boots with Secure Boot, and only under UEFI.

shim, GRUB and kernel are those that Debian has signed, byte for byte.
"""

from pathlib import Path
import shutil
import tempfile

from devstack.onebox.media import base
from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import host
from devstack.onebox.media import probe

PACKAGES = ('grub-efi-amd64-signed', 'shim-signed')
# Where the packages have them, and where firmware and shim look for them.
# This GRUB reads /boot/grub/grub.cfg of what it is loaded from.
_SIGNED = {
    grub.FALLBACK: 'usr/lib/shim/shimx64.efi.signed',
    'EFI/BOOT/grubx64.efi': (
        'usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed'
    ),
}
_CONFIG = 'boot/grub/grub.cfg'
# From a CD it is loaded out of an image, and looks for a medium with this.
_MARK = '.disk/info'
_IMAGE = 'boot/efi.img'
# Of the image, in KiB.
_SIZE = 8192


def obtain(store, say):
    """Return the path of the probe ISO; see base.obtain()."""
    kernel = base.obtain(store, say)
    signed = _obtain_signed(store, say)
    key = cache.key_of(
        probe.recipe(kernel), signed.name, Path(__file__).read_bytes()
    )

    def build(target):
        say('making secure.iso')
        with tempfile.TemporaryDirectory(dir=target.parent) as directory:
            tree = Path(directory)
            _fill(tree, kernel, signed)
            shutil.copyfile(
                probe.write_initrd(target, kernel), tree / 'boot/initrd.img'
            )
            _write_iso(target, tree)

    return store.product('secure.iso', key, build)


def _obtain_signed(store, say):
    suite = host.debian_suite()
    key = cache.key_of(
        suite,
        host.package_versions(PACKAGES),
        Path(__file__).read_bytes(),
    )

    def build(target):
        say("unpacking Debian's signed boot loaders")
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            root = Path(scratch) / 'root'
            host.mmdebstrap(suite, root, PACKAGES, '--variant=extract')
            for name, source in _SIGNED.items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / source, target / name)

    return store.product('signed', key, build)


def _fill(tree, kernel, signed):
    """The files of the ISO but for the initramfs."""
    on_disk = tree / probe.ON_DISK
    shutil.copytree(signed, on_disk)
    for top, origin in ((tree, 'cdrom'), (on_disk, 'disk')):
        (top / _CONFIG).parent.mkdir(parents=True)
        entry = grub.boot_entry('', f'probe.from={origin}')
        (top / _CONFIG).write_text(entry)
    (tree / _MARK).parent.mkdir()
    (tree / _MARK).write_text(f'{probe.LABEL}\n')
    shutil.copyfile(kernel / 'vmlinuz', tree / 'boot/vmlinuz')
    grub.write_bios_image(tree / 'probe/bios.img', 'probe.from=disk')
    image = tree / _IMAGE
    with image.open('wb') as handle:
        handle.truncate(_SIZE << 10)
    geometry = ('-T', str(_SIZE * 2), '-h', '2', '-s', '16')
    host.run('mformat', '-i', image, *geometry, '::')
    host.run('mcopy', '-s', '-i', image, signed / 'EFI', '::/')


def _write_iso(target, tree):
    host.run(
        *('xorriso', '-as', 'mkisofs', '-R', '-V', probe.LABEL),
        *('-e', _IMAGE, '-no-emul-boot', '-o', target, tree),
    )
