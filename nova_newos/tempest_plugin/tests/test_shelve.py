# SPDX-License-Identifier: Apache-2.0
"""An installed server that leaves its host and comes back."""

from tempest import config
from tempest.common import compute
from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base

CONF = config.CONF


class TestShelve(base.ScenarioTest):
    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.compute_feature_enabled.shelve:
            raise cls.skipException('servers cannot be shelved')

    @decorators.idempotent_id('bb0f285b-4253-41f4-80e9-ce47fff1e7a9')
    @decorators.attr(type='slow')
    def test_unshelved_server_boots(self):
        server = self.install(self.install_iso())
        self.start(server)

        compute.shelve_server(self.servers, server, force_shelve_offload=True)
        self.servers.unshelve_server(server)

        self.wait_until_up(server)
