# SPDX-License-Identifier: Apache-2.0
"""Install servers keep away from hosts that have Nova's own driver.

Such a host would boot the installer again, with no root disk beside it.
"""

import pytest

from tests.functional.fakelibvirt import base
from tests.functional.fakelibvirt import test_moves


class StockHostTestCase(test_moves.MovesMixin, base.InstalledTestCase):
    """The hosts themselves ask, without the scheduler's help."""

    HOSTS = {'compute1': base.NEWOS, 'stock': base.STOCK}
    SHARED_STORAGE = False

    def assert_stays(self, boots_installer=True):
        self.wait_for(self.server, 'ACTIVE')
        self.assertEqual('compute1', self.host_of(self.server))
        self.assertFalse(self.directory(self.server, 'stock').exists())
        self.assert_kept(boots_installer=boots_installer)

    def refused_by_the_host(self, action, body, event, name=None):
        self.fails(
            self.server, action, body, event, 'CUSTOM_NOVA_NEWOS', name=name
        )
        self.assert_stays()

    @pytest.mark.operation('stock-host', outcome='refused')
    def test_cold_migration_and_resize(self):
        event = 'compute_resize_instance'
        self.refused_by_the_host('migrate', {'host': 'stock'}, event)
        flavor = self.add_flavor(disk=2)
        self.refused_by_the_host('resize', {'flavorRef': flavor}, event)

    @pytest.mark.operation('stock-host', outcome='refused')
    def test_live_migration(self):
        self.refused_by_the_host(
            'os-migrateLive',
            {'host': 'stock', 'block_migration': 'auto'},
            'compute_check_can_live_migrate_destination',
            name='live-migration',
        )


class FilterTestCase(StockHostTestCase):
    """The scheduler keeps them away before a host is asked."""

    @staticmethod
    def prepare(cloud):
        cloud.flags(
            available_filters=[
                'nova.scheduler.filters.all_filters',
                'nova_newos.scheduler.InstallServerFilter',
            ],
            enabled_filters=[
                *base.CONF.filter_scheduler.enabled_filters,
                'InstallServerFilter',
            ],
            group='filter_scheduler',
        )

    def refused_by_the_host(self, action, body, event, name=None):
        self.admin_api.post_server_action(self.server['id'], {action: body})
        self._wait_for_instance_action_event(
            self.server,
            name or action,
            'conductor_live_migrate_instance'
            if name
            else 'conductor_migrate_server',
            'error',
        )
        self.assertEqual([], self.asked_of('stock'))
        self.assert_stays()

    def asked_of(self, host):
        """The migrations that a host was asked for."""
        migrations = self.admin_api.api_get('/os-migrations').body
        return [
            migration
            for migration in migrations['migrations']
            if migration['dest_compute'] == host
            and migration['instance_uuid'] == self.server['id']
        ]

    def switch_off(self, host):
        """The scheduler gives nothing to a host."""
        self.addCleanup(self.switch_on, host)
        self.api.put_service(
            self.computes[host].service_ref.uuid, {'status': 'disabled'}
        )

    def switch_on(self, host):
        self.api.put_service(
            self.computes[host].service_ref.uuid, {'status': 'enabled'}
        )

    @pytest.mark.operation('stock-host', outcome='refused')
    @pytest.mark.operation('create')
    def test_create(self):
        for _server in range(3):
            server = self.create(self.iso, host=None)
            self.assertEqual('compute1', self.host_of(server))
        self.switch_off('compute1')
        server = self.create(self.iso, host=None, state='ERROR')
        self.assertIn('No valid host', server['fault']['message'])
        ordinary = self.create(self.add_disk_image(), host=None)
        self.assertEqual('stock', self.host_of(ordinary))

    @pytest.mark.operation('stock-host', outcome='refused')
    @pytest.mark.operation('shelve-unshelve')
    def test_unshelve(self):
        self.act(self.server, 'shelve', state='SHELVED_OFFLOADED')
        self.switch_off('compute1')
        self.admin_api.post_server_action(
            self.server['id'], {'unshelve': None}
        )
        self._wait_for_instance_action_event(
            self.server, 'unshelve', 'schedule_instances', 'error'
        )
        self.wait_for(self.server, 'SHELVED_OFFLOADED')
        self.switch_on('compute1')
        self.act(self.server, 'unshelve')
        self.assertEqual('compute1', self.host_of(self.server))
        self.assert_installed(self.server, 'disk')

    @pytest.mark.operation('stock-host', outcome='refused')
    @pytest.mark.operation('evacuate', outcome='refused')
    def test_evacuation(self):
        self.fail_host()
        self.admin_api.post_server_action(self.server['id'], {'evacuate': {}})
        self._wait_for_instance_action_event(
            self.server, 'evacuate', 'rebuild_server', 'error'
        )
        self.assertFalse(self.directory(self.server, 'stock').exists())
        self.repair_host()
        self._reboot_server(self.server, hard=True)
        self.assert_stays(boots_installer=False)

    @pytest.mark.operation('stock-host')
    def test_ordinary_servers_go_where_they_like(self):
        server = self.create(self.add_disk_image())
        self._migrate_server(server)
        self._confirm_resize(server)
        self.assertEqual('stock', self.host_of(server))

    @pytest.mark.operation('stock-host')
    @pytest.mark.operation('rebuild-to-disk-image')
    def test_rebuilt_to_a_disk_image(self):
        """An ordinary server from then on."""
        self._rebuild_server(self.server, self.add_disk_image())
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assertEqual('stock', self.host_of(self.server))
        self.assertEqual([base.STOCK_ROOT], self.disks(self.server, 'stock'))
