# SPDX-License-Identifier: Apache-2.0
"""Servers of one sealed image are hosts of their own."""

from tempest import config
from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base

CONF = config.CONF


class TestSealedImage(base.ScenarioTest):
    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.newos_feature_enabled.seal:
            raise cls.skipException('images are not sealed')
        if not CONF.compute_feature_enabled.console_output:
            raise cls.skipException('consoles cannot be read')
        if not CONF.newos.identity_pattern:
            raise cls.skipException('[newos] identity_pattern is not set')

    @decorators.idempotent_id('f6803a6c-4998-409b-bc8a-d75e919896a9')
    @decorators.attr(type='slow')
    def test_two_servers_of_a_sealed_image(self):
        """They boot, and nothing that is one host's is another's."""
        installed = self.install(
            self.install_iso(), metadata={'newos_seal': 'true'}
        )

        sealed = self.capture(installed)

        self.assertEqual('true', sealed['verdict_machine_id_gone'])
        self.assertEqual('true', sealed['verdict_ssh_host_keys_gone'])
        first, second = (self._identity(sealed) for _ in range(2))
        self.assertEqual(set(), first & second)

    def _identity(self, image):
        server = self.boot(image['id'])
        found = self.watch.console(server, CONF.newos.identity_pattern)
        return {match.groups() or match.group() for match in found}
