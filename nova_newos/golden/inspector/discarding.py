# SPDX-License-Identifier: Apache-2.0
"""Discard what is not used."""

import os

from . import ask
from . import filesystems

#: Begins the name of a volume that takes the free room of a volume group for
#: a moment.
SPARE_VOLUME = 'newos-discarded-'


def trim(g, device):
    try:
        g.fstrim('/')
    except RuntimeError as error:
        # Not each file system can be trimmed, and no read-only volume.
        is_read_only = ask.attempt(g.blockdev_getro, device)
        if 'not supported' not in str(error) and not is_read_only:
            raise


def discard_unmounted(g, kinds):
    """Discard what no file system covers: swap, and room in volume groups."""
    for device, kind in kinds.items():
        if kind == 'swap':
            _discard_swap(g, device)
    if filesystems.LVM in kinds.values():
        for group in ask.attempt(g.vgs) or []:
            # A name that no guest can have a volume of.
            name = SPARE_VOLUME + os.urandom(4).hex()
            if ask.succeeds(g.lvcreate_free, name, group, 100):
                volume = '/dev/%s/%s' % (group, name)
                try:
                    g.blkdiscard(volume)
                finally:
                    g.lvremove(volume)


def _discard_swap(g, device):
    # The header has the label and the UUID, by which the guest finds it.
    header = ask.attempt(g.pread_device, device, 4096, 0)
    header = header and ask.as_bytes(header)
    if header and header.endswith(b'SWAPSPACE2'):
        g.blkdiscard(device)
        g.pwrite_device(device, header, 0)
