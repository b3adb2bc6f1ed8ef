# SPDX-License-Identifier: Apache-2.0
"""What an ISO is: what boots it, what it is called, which system it installs.

Pure: no process, no network, nothing of Nova or Glance. The bytes of an ISO
are a stranger's; see :mod:`nova_newos.iso.inspector` for what that means.
"""

from nova_newos.exception import NotAnIso
from nova_newos.iso.inspector import Watch
from nova_newos.iso.inspector import inspect
from nova_newos.iso.medium import BootEntry
from nova_newos.iso.medium import Iso

__all__ = [
    'BootEntry',
    'Iso',
    'NotAnIso',
    'Watch',
    'inspect',
]
