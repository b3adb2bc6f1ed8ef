# SPDX-License-Identifier: Apache-2.0
"""The probe as an ordinary disk image, as if it had been installed."""

from devstack.onebox.media import probedisk


def obtain(store, say):
    """Return the path of the raw disk image; see base.obtain()."""
    return probedisk.obtain_disk(store, say, 'installed.img', 'disk')
