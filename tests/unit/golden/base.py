# SPDX-License-Identifier: Apache-2.0
"""What the tests of sealers share."""

from nova_newos.golden import base as golden_base
from nova_newos.golden import sealers
from tests.unit import base
from tests.unit import plugins

DISK = golden_base.Disk('/snapshots/x/copy', 'qcow2')


class FakeAppliance:
    """Keeps what it is asked to run, and answers as it was told.

    :ivar commands: list of (disk, tool, list of arguments)
    """

    def __init__(self, *outputs):
        self.commands = []
        self._outputs = list(outputs)

    def run(self, disk, tool, *arguments):
        self.commands.append((disk, tool, list(arguments)))
        output = self._outputs.pop(0) if self._outputs else ''
        if isinstance(output, Exception):
            raise output
        return output


class TestCase(base.TestCase):
    def provide(self, *entry_points):
        """See plugins.Provided."""
        self.useFixture(plugins.Provided(sealers.NAMESPACE, entry_points))

    def patch(self, patch):
        """Start a patch for the time of the test, and return its mock."""
        self.addCleanup(patch.stop)
        return patch.start()
