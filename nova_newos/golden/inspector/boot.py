# SPDX-License-Identifier: Apache-2.0
"""What could boot."""

import posixpath

from . import ask
from . import discarding
from . import filesystems

#: What the boot code of Windows and of syslinux loads.
BIOS_LOADERS = (
    '/bootmgr',
    '/ldlinux.sys',
    '/syslinux/ldlinux.sys',
    '/extlinux/ldlinux.sys',
    '/boot/ldlinux.sys',
    '/boot/syslinux/ldlinux.sys',
    '/boot/extlinux/ldlinux.sys',
)


def boot(g, kinds, discard=False):
    """What could boot, on whichever file system.

    :param kinds: as of :func:`.filesystems.devices`
    :param discard: whether to discard what the file systems do not use, while
        they are mounted
    :returns: dict: ``grub``, whether GRUB is in the boot sector;
        ``files``, lower-case paths of boot loaders
    """
    files = set()
    for device, _kind in filesystems.mountable(kinds):
        is_written = discard and ask.succeeds(
            g.mount_options, 'discard', device, '/'
        )
        if is_written or ask.succeeds(g.mount_ro, device, '/'):
            files.update(_efi_files(g))
            files.update(_bios_files(g))
        if is_written:
            discarding.trim(g, device)
        ask.attempt(g.umount_all)
    return {'grub': _grub(g), 'files': sorted(files)[: ask.LIMIT]}


def _grub(g):
    """GRUB's boot.img has its name in it, which other tools look for too."""
    sector = ask.attempt(g.pread_device, '/dev/sda', 440, 0)
    return None if sector is None else b'GRUB' in ask.as_bytes(sector)


def _efi_files(g):
    top = ask.attempt(g.case_sensitive_path, '/efi')
    for directory in (
        (ask.attempt(g.ls, top) or [])[: ask.LIMIT] if top else []
    ):
        path = posixpath.join(top, directory)
        for name in (ask.attempt(g.ls, path) or [])[: ask.LIMIT]:
            if name.lower().endswith('.efi'):
                yield posixpath.join('/efi', directory, name).lower()


def _bios_files(g):
    return [path for path in BIOS_LOADERS if ask.attempt(g.is_file, path)]
