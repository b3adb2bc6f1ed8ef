# SPDX-License-Identifier: Apache-2.0
"""Install once more onto the same server."""

from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base


class TestRebuild(base.ScenarioTest):
    @decorators.idempotent_id('c8faa148-57f9-4f2d-835c-3435ce3ad3e3')
    @decorators.attr(type='slow')
    def test_rebuild_installs_again(self):
        iso = self.install_iso()
        server = self.install(iso)
        self.start(server)

        self.servers.rebuild_server(server, iso)

        # A server that was not installed anew would stay up.
        self.wait_until_installed(server)
        self.start(server)
