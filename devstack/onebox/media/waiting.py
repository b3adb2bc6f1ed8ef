# SPDX-License-Identifier: Apache-2.0
"""The probe ISO that installs when it is told to: it stays up till then."""

from devstack.onebox.media import kernel
from devstack.onebox.media import probe

LABEL = 'NEWOS_WAITING'


def obtain(store, say):
    """Return the path of the waiting ISO; see base.obtain()."""
    return probe.obtain_iso(
        store, say, 'waiting.iso', LABEL, 'waiting', kernel.obtain(store, say)
    )
