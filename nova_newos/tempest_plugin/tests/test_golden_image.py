# SPDX-License-Identifier: Apache-2.0
"""Install, capture, boot."""

from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base


class TestGoldenImage(base.ScenarioTest):
    @decorators.idempotent_id('cd55e9a3-9272-4f9e-b4cb-d3a3244e3a8d')
    @decorators.attr(type=['smoke', 'slow'])
    def test_golden_image_boots(self):
        """The image of what was installed is an ordinary one."""
        installed = self.install(self.install_iso())

        golden = self.capture(installed)

        self.assertNotEqual('iso', golden['disk_format'])
        # The ISO's own is 0, and the root disk is what has to fit.
        self.assertGreater(golden['min_disk'], 0)
        self.assertEqual([], [n for n in golden if n.startswith('newos_')])
        self.boot(golden['id'])

    @decorators.idempotent_id('dfe76713-14c4-4022-a3b9-9c1746a410e2')
    @decorators.attr(type='slow')
    def test_installed_server_boots(self):
        """What was installed boots, and not the installer once more."""
        installed = self.install(self.install_iso())

        self.start(installed)
        self.servers.reboot_server(installed, type='HARD')
        self.wait_until_up(installed)
