# SPDX-License-Identifier: Apache-2.0
"""The probe as a disk image to rescue other servers with."""

from devstack.onebox.media import probedisk


def obtain(store, say):
    """Return the path of the raw disk image; see base.obtain()."""
    return probedisk.obtain_disk(store, say, 'rescue.img', 'rescue')
