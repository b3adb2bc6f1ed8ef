# SPDX-License-Identifier: Apache-2.0
"""What cannot be is said to the owner, and what to change."""

from tempest.lib import decorators
from tempest.lib.common.utils import data_utils

from nova_newos.tempest_plugin.tests import base
from nova_newos.tempest_plugin.tests import iso


class TestRefusals(base.ScenarioTest):
    def refusal(self, **properties):
        """The text that the owner reads of a server of such an ISO."""
        image = self.create_iso(**properties)
        self.images.store_image_file(image, iso.bootable('NEWOS_REFUSED'))
        server = self.watch.created(self.create_server(image))
        self.assertEqual('ERROR', server['status'], 'it was not refused')
        self.assertTrue(server['metadata'].get('newos_error'), server)
        # The fault may begin with ids, and may end early.
        self.assertIn(
            server['metadata']['newos_error'], server['fault']['message']
        )
        return server['metadata']['newos_error']

    @decorators.idempotent_id('eac1d249-2cc5-419d-b8a1-6e3869090dbc')
    @decorators.attr(type=['smoke', 'negative'])
    def test_root_disk_larger_than_flavor(self):
        flavor = self.flavors.show_flavor(self.flavor)['flavor']
        if not flavor['disk']:
            raise self.skipException('the flavor sets no limit')
        size = str(flavor['disk'] + 1)

        text = self.refusal(newos_root_disk_size=size)

        self.assertIn(f'newos_root_disk_size={size}', text)
        self.assertIn('flavor', text)

    @decorators.idempotent_id('82eefe12-f866-4a5b-a69b-223baffc1ad6')
    @decorators.attr(type=['smoke', 'negative'])
    def test_driver_iso_that_does_not_exist(self):
        missing = data_utils.rand_uuid()

        text = self.refusal(newos_virtio_image_id=missing)

        self.assertIn(missing, text)
