# SPDX-License-Identifier: Apache-2.0
"""The netboot ISO: Debian's own installer, which takes an answer CD.

Kernel and initramfs are those of the package debian-installer-N-netboot-amd64,
byte for byte. They expect a network and know no CD-ROM: the drivers come in a
second initramfs, whose only content is what Debian's own installer packages
have. The kernel's command line leads debian-installer to the answers.
"""

import gzip
from pathlib import Path
import platform
import re
import tempfile

from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import host
from devstack.onebox.media import initramfs
from devstack.onebox.media import udebs

LABEL = 'NEWOS_NETBOOT'
# Of the answer CD with a preseed, see doc/source/user/answers/preseed.rst.
ANSWERS = '/dev/disk/by-label/ANSWERS'
# Where debian-installer looks for files without searching all the disks.
MOUNT_POINT = '/hd-media'
# For CD-ROMs on IDE and SATA; the names have the kernel's version appended.
DRIVERS = (
    'ata-modules',
    'cdrom-core-modules',
    'isofs-modules',
    'pata-modules',
    'sata-modules',
)
# The CD-ROMs appear some time after their drivers were loaded.
COMMAND = (
    f'mkdir -p {MOUNT_POINT}; depmod -a; update-dev; '
    'for i in 1 2 3 4 5 6 7 8 9; do '
    f'mount -r -t iso9660 {ANSWERS} {MOUNT_POINT} && break; sleep 1; done'
)
ARGUMENTS = (
    'console=ttyS0,115200',
    'quiet',
    # An emulated processor may get no time while the kernel tries its timer.
    'no_timer_check',
    # Lines of text instead of drawn dialogs: a serial console's log is read.
    'DEBIAN_FRONTEND=text',
    'TERM=dumb',
    'auto=true',
    'priority=critical',
    f'preseed/file={MOUNT_POINT}/preseed.cfg',
    f'preseed/early_command={COMMAND}',
)
_IMAGES = (
    'usr/lib/debian-installer/images/{version}/amd64/text/'
    'debian-installer/amd64'
)
_MODULES = re.compile(r'^lib/modules/([^/\n]+)/', re.MULTILINE)
_PACKAGE = 'debian-installer-{version}-netboot-amd64'


def obtain(store, say):
    """Return the path of the netboot ISO, building it when not cached.

    :param store: a cache.Cache.
    :param say: called with one line of progress.
    :raises MediaError: when a step fails, or this is no release of Debian.
    """
    version = _debian_version()
    host.install_missing(say)
    package = _PACKAGE.format(version=version)
    key = cache.key_of(
        package,
        host.package_versions([package]),
        *(
            Path(module.__file__).read_bytes()
            for module in (grub, initramfs, udebs)
        ),
        Path(__file__).read_bytes(),
    )
    return store.product(
        'netboot.iso', key, lambda target: _build(target, version, say)
    )


def _debian_version():
    release = platform.freedesktop_os_release()
    if release['ID'] != 'debian' or 'VERSION_ID' not in release:
        raise host.MediaError(
            "this medium is made of packages of the machine's own Debian "
            'release: build it on a machine with a released Debian'
        )
    return release['VERSION_ID']


def _build(target, version, say):
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        scratch = Path(directory)
        kernel, initrd = _installer(scratch, version, say)
        drivers = scratch / 'drivers.img'
        _write_drivers(drivers, _kernel_version(initrd), say)
        say('making the netboot ISO')
        grub.write_foreign_iso(
            target, LABEL, kernel, (initrd, drivers), ARGUMENTS
        )


def _installer(scratch, version, say):
    package = _PACKAGE.format(version=version)
    say(f'fetching {package}')
    # The mirror has one version; the machine's lists may name one before it.
    host.apt_get('update')
    host.apt_get('download', package, cwd=scratch)
    (archive,) = scratch.glob('*.deb')
    host.run('dpkg-deb', '--extract', archive, scratch / 'package')
    images = scratch / 'package' / _IMAGES.format(version=version)
    return images / 'linux', images / 'initrd.gz'


def _write_drivers(target, kernel_version, say):
    say('fetching the drivers for CD-ROMs')
    tree = target.with_name('drivers')
    tree.mkdir()
    udebs.unpack(
        tree,
        host.debian_suite(),
        [f'{name}-{kernel_version}-di' for name in DRIVERS],
    )
    initramfs.pack(target, tree)


def _kernel_version(initrd):
    """Of the modules that an initramfs has, for instance 6.1.0-50-amd64.

    :raises MediaError: when they are not of one version.
    """
    names = host.run(
        'cpio',
        '--list',
        '--quiet',
        stdin=gzip.decompress(initrd.read_bytes()),
    ).decode()
    versions = set(_MODULES.findall(names))
    if len(versions) != 1:
        raise host.MediaError(
            'the installer has modules of one kernel, but of these were '
            f'found: {", ".join(sorted(versions)) or "none"}'
        )
    return versions.pop()
