# SPDX-License-Identifier: Apache-2.0
"""A larger flavor for an installed server."""

from tempest import config
from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base

CONF = config.CONF


class TestResize(base.ScenarioTest):
    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.compute_feature_enabled.resize:
            raise cls.skipException('servers cannot be resized')

    @decorators.idempotent_id('0230b91b-d271-40b4-8547-ba3163f94e4b')
    @decorators.attr(type='slow')
    def test_resized_server_boots(self):
        server = self.install(self.install_iso())
        larger = CONF.newos.flavor_ref_alt or CONF.compute.flavor_ref_alt

        self.servers.resize_server(server, larger)
        self.watch.server(server, 'VERIFY_RESIZE')
        self.servers.confirm_resize_server(server)
        self.watch.server(server, 'SHUTOFF')

        self.start(server)
