# SPDX-License-Identifier: Apache-2.0
"""The minimal Debian that every medium takes its kernel and tools from.

A base is a directory with

- ``root.squashfs``: the root file system that the installer lays down,
- ``vmlinuz``: its kernel, which the media boot too,
- ``modules/``: what the media's initramfs loads, ``modules/order`` lists the
  files in the order of their dependencies,
- ``busybox``: statically linked.
"""

from pathlib import Path
import tempfile

from devstack.onebox.media import cache
from devstack.onebox.media import host
from devstack.onebox.media import kernel

SETUP = Path(__file__).parent / 'guest' / 'root-setup'

PACKAGES = (
    'apt',
    'busybox-static',
    'dbus',
    'dosfstools',
    'e2fsprogs',
    'fdisk',
    'grub-efi-amd64-bin',
    'grub-pc-bin',
    'grub2-common',
    'initramfs-tools',
    'kmod',
    # The cloud kernel has no AHCI, and q35 has its CD-ROMs there.
    'linux-image-amd64',
    # What every server is reached by, with keys made when it is installed.
    'openssh-server',
    'systemd-sysv',
    'udev',
    'usr-is-merged',
    'zstd',
)

# Left out of the root: documentation, and drivers of hardware that no
# virtual machine has.  They are two thirds of the bytes.
_NO_DRIVERS = (
    'arch/x86/kvm',
    'drivers/accel',
    'drivers/atm',
    'drivers/block/drbd',
    'drivers/bluetooth',
    'drivers/comedi',
    'drivers/crypto',
    'drivers/edac',
    'drivers/gpu',
    'drivers/hwmon',
    'drivers/iio',
    'drivers/infiniband',
    'drivers/input/joystick',
    'drivers/input/touchscreen',
    'drivers/isdn',
    'drivers/leds',
    'drivers/media',
    'drivers/mfd',
    'drivers/mmc',
    'drivers/mtd',
    'drivers/net/can',
    'drivers/net/dsa',
    'drivers/net/ethernet',
    'drivers/net/phy',
    'drivers/net/usb',
    'drivers/net/wireless',
    'drivers/platform',
    'drivers/scsi/aic7xxx',
    'drivers/scsi/bfa',
    'drivers/scsi/lpfc',
    'drivers/scsi/qla2xxx',
    'drivers/scsi/qla4xxx',
    'drivers/soundwire',
    'drivers/staging',
    'drivers/target',
    'drivers/thunderbolt',
    'drivers/usb/gadget',
    'drivers/usb/serial',
    'drivers/video',
    'fs/afs',
    'fs/ceph',
    'fs/f2fs',
    'fs/gfs2',
    'fs/jfs',
    'fs/nfs',
    'fs/nfsd',
    'fs/ocfs2',
    'fs/reiserfs',
    'fs/smb',
    'fs/ubifs',
    'net/bluetooth',
    'net/ceph',
    'net/mac80211',
    'net/rxrpc',
    'net/sctp',
    'net/sunrpc',
    'net/tipc',
    'net/wireless',
    'sound',
)
EXCLUDED = (
    '/usr/share/doc/*',
    '/usr/share/info/*',
    '/usr/share/locale/*',
    '/usr/share/man/*',
    '/usr/lib/grub/x86_64-efi/monolithic/*',
    *(f'/lib/modules/*/kernel/{tree}/*' for tree in _NO_DRIVERS),
    *(f'/usr/lib/modules/*/kernel/{tree}/*' for tree in _NO_DRIVERS),
)

# Besides: what Nova has on q35 and on other buses (LSI, sata, usb), and the
# file systems of an installation.
MODULES = (
    *kernel.MODULES,
    'sym53c8xx',
    'ahci',
    'ehci_pci',
    'uhci_hcd',
    'xhci_pci',
    'usb_storage',
    'loop',
    'squashfs',
    'ext4',
    'nls_iso8859-1',
    'nls_utf8',
    'efivarfs',
)


def obtain(store, say):
    """Return the directory of a base, building it when it is not cached.

    :param store: a cache.Cache.
    :param say: called with one line of progress.
    :raises MediaError: when a step fails.
    """
    host.install_missing(say)
    suite = host.debian_suite()
    key = cache.key_of(
        suite,
        Path(__file__).read_bytes(),
        SETUP.read_bytes(),
        Path(kernel.__file__).read_bytes(),
        host.package_versions(PACKAGES),
    )
    return store.product(
        'base', key, lambda target: _build(target, suite, say)
    )


def _build(target, suite, say):
    target.mkdir()
    # Not in a directory that others can write to: it holds a whole system
    # of root's for a while.
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / 'root'
        say(f'unpacking a minimal Debian {suite}')
        _bootstrap(root, suite)
        kernel.copy_boot_files(root, target, MODULES)
        say('packing its root file system')
        host.run(
            'mksquashfs',
            root,
            target / 'root.squashfs',
            '-comp',
            'zstd',
            '-Xcompression-level',
            '9',
            '-noappend',
            '-no-progress',
        )


def _bootstrap(root, suite):
    excluded = root.with_name('excluded')
    excluded.write_text(''.join(f'path-exclude={p}\n' for p in EXCLUDED))
    host.mmdebstrap(
        suite,
        root,
        PACKAGES,
        '--mode=root',
        '--variant=essential',
        f'--dpkgopt={excluded}',
        f'--setup-hook={SETUP} first "$1"',
        f'--essential-hook={SETUP} early "$1"',
        f'--customize-hook={SETUP} late "$1"',
    )
