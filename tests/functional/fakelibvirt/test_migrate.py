# SPDX-License-Identifier: Apache-2.0
"""Servers that move between compute hosts."""

from tests.functional.fakelibvirt import base


class OrdinaryTestCase(base.ServersTestCase):
    """What the tests below stand on, seen with servers of stock Nova."""

    SHARED_STORAGE = False

    def setUp(self):
        super().setUp()
        self.start('compute1')
        self.start('compute2')

    def test_cold_migration(self):
        server = self.create(self.add_disk_image())
        (self.directory(server) / 'mark').touch()
        self._migrate_server(server)
        self.assertIn('disk', self.files(server, 'compute2'))
        self.assertIn(
            str(self.directory(server, 'compute2')),
            self.xml(server, 'compute2'),
        )
        self._confirm_resize(server)
        self.assertFalse(self.directory(server).exists())

    def test_live_migration(self):
        server = self.create(self.add_disk_image())
        self._live_migrate(server)
        self.assertIn('disk', self.files(server, 'compute2'))
        self.assertFalse(self.directory(server).exists())

    def test_evacuation(self):
        server = self.create(self.add_disk_image())
        self.computes['compute1'].stop()
        self.api.put_service_force_down(
            self.computes['compute1'].service_ref.uuid, True
        )
        self._evacuate_server(server, expected_host='compute2')
        self.assertIn('disk', self.files(server, 'compute2'))
