# SPDX-License-Identifier: Apache-2.0
"""What an ISO is: what boots it, what it is called, which system it installs.

Pure: no process, no network, nothing of Nova or Glance. The bytes of an ISO
are a stranger's; see :mod:`nova_newos.iso.inspector` for what that means.
"""

from nova_newos.iso.database import DEFAULT_PATH
from nova_newos.iso.database import Database
from nova_newos.iso.database import System
from nova_newos.iso.exception import NoDatabase
from nova_newos.iso.exception import NotAnIso
from nova_newos.iso.facts import BootEntry
from nova_newos.iso.facts import Iso
from nova_newos.iso.inspector import Watch
from nova_newos.iso.inspector import inspect
from nova_newos.iso.prompt import Prompt
from nova_newos.iso.prompt import look as look_at_prompt
from nova_newos.iso.properties import minimums
from nova_newos.iso.properties import properties

__all__ = [
    'DEFAULT_PATH',
    'BootEntry',
    'Database',
    'Iso',
    'NoDatabase',
    'NotAnIso',
    'Prompt',
    'System',
    'Watch',
    'inspect',
    'look_at_prompt',
    'minimums',
    'properties',
]
