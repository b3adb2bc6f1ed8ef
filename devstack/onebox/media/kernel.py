# SPDX-License-Identifier: Apache-2.0
"""The kernel of the media that hold no system: Debian's for clouds.

On an emulated processor it is there in half the time of the general one, which
takes seconds to unpack itself. It has no AHCI, see q35.py.
"""

from pathlib import Path
import shutil
import tempfile

from devstack.onebox.media import cache
from devstack.onebox.media import host

PACKAGES = ('busybox-static', 'linux-image-cloud-amd64')

# Nova's buses of the machine type pc (virtio, virtio-scsi, ide), the file
# systems, the power button. Each one costs a guest time.
MODULES = (
    'virtio_pci',
    'virtio_blk',
    'virtio_scsi',
    'ata_piix',
    'sd_mod',
    'sr_mod',
    'isofs',
    'vfat',
    'nls_cp437',
    'nls_ascii',
    'evdev',
    'button',
)


def obtain(store, say):
    """Return a directory with ``vmlinuz``, ``modules/`` and ``busybox``.

    :param store: a cache.Cache.
    :param say: called with one line of progress.
    :raises MediaError: when a step fails.
    """
    host.install_missing(say)
    suite = host.debian_suite()
    key = cache.key_of(
        suite,
        Path(__file__).read_bytes(),
        host.package_versions(PACKAGES),
    )
    return store.product(
        'kernel', key, lambda target: _build(target, suite, say)
    )


def _build(target, suite, say):
    target.mkdir()
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / 'root'
        say(f"unpacking Debian {suite}'s kernel for clouds")
        host.mmdebstrap(suite, root, PACKAGES, '--variant=extract')
        copy_boot_files(root, target, MODULES)


def copy_boot_files(root, target, modules):
    """Copy from a root file system what a medium boots into.

    :param root: path of the root file system, which has one kernel.
    :param target: path of a directory.
    :param modules: names of those that the initramfs is to load.
    """
    shutil.copyfile(root / 'usr/bin/busybox', target / 'busybox')
    (kernel,) = (root / 'boot').glob('vmlinuz-*')
    shutil.copyfile(kernel, target / 'vmlinuz')
    version = kernel.name.removeprefix('vmlinuz-')
    # A package that is only unpacked has no list of dependencies yet.
    host.run('depmod', '--basedir', root, version)
    _copy_modules(_in_load_order(root, version, modules), target / 'modules')


def _copy_modules(files, target):
    target.mkdir()
    for path in files:
        shutil.copyfile(path, target / path.name)
    order = ''.join(f'{path.name}\n' for path in files)
    (target / 'order').write_text(order)


def _in_load_order(root, version, modules):
    listed = host.run(
        'modprobe',
        '--dirname',
        root,
        '--set-version',
        version,
        '--show-depends',
        '--ignore-install',
        '--all',
        *modules,
    ).decode()
    # Lines are "insmod FILE" or "builtin NAME", dependencies first.
    lines = (line.split() for line in listed.splitlines())
    paths = (words[1] for words in lines if words[0] == 'insmod')
    return [Path(path) for path in dict.fromkeys(paths)]
