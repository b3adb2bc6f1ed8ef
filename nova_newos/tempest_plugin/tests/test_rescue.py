# SPDX-License-Identifier: Apache-2.0
"""Help for an installed server that does not boot."""

from tempest import config
from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base

CONF = config.CONF


class TestRescue(base.ScenarioTest):
    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.compute_feature_enabled.rescue:
            raise cls.skipException('servers cannot be rescued')

    @decorators.idempotent_id('2da48488-e41d-4a09-9f54-4293c0cfce5e')
    @decorators.attr(type='slow')
    def test_rescued_server_boots_again(self):
        """By an image that is named: the server's own is the installer."""
        server = self.install(self.install_iso())
        self.start(server)

        self.servers.rescue_server(
            server, rescue_image_ref=CONF.compute.image_ref
        )
        self.watch.server(server, 'RESCUE')
        self.servers.unrescue_server(server)

        self.wait_until_up(server)
