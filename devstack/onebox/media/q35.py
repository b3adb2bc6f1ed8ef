# SPDX-License-Identifier: Apache-2.0
"""The probe ISO for the buses that its usual kernel does not know.

The machine type q35 has its CD-ROMs on AHCI.
"""

from devstack.onebox.media import base
from devstack.onebox.media import probe


def obtain(store, say):
    """Return the path of the probe ISO; see base.obtain()."""
    return probe.obtain_iso(
        store, say, 'q35.iso', probe.LABEL, 'cdrom', base.obtain(store, say)
    )
