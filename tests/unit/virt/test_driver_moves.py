# SPDX-License-Identifier: Apache-2.0

import inspect
import os
import types
from unittest import mock

import ddt
from keystoneauth1 import exceptions as keystoneauth_exceptions
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import driver as stock
from oslo_concurrency import processutils
from oslo_serialization import jsonutils

from nova_newos import layout
from tests.unit.virt import driver_base
from tests.unit.virt import fakes

OURS = [layout.TRAIT, layout.medium_trait('virtio')]
STOCK = ['COMPUTE_VOLUME_ATTACH']


def rolled_back(caught):
    """Text of an error that leaves the server as it was."""
    return caught.exception.inner_exception.format_message()


class MovesTestCase(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.storage = self.useFixture(fakes.Storage(self))

    def installed(self, server_layout=fakes.LAYOUT, gib=7, **fields):
        """A server whose root disk has a size."""
        instance = fakes.server(
            server_layout=server_layout,
            **{
                'migration_context': objects.MigrationContext(migration_id=5),
                'old_flavor': fakes.flavor(1),
                **fields,
            },
        )
        fakes.write_disk(
            os.path.join(self.directory(instance), server_layout.root),
            'qcow2',
            gib * fakes.GiB,
        )
        return instance


@ddt.ddt
class MigrateDiskTest(MovesTestCase):
    """What is refused before the guest is powered off."""

    def setUp(self):
        super().setUp()
        self.stock_migrate = self.stock_method(
            'migrate_disk_and_power_off', return_value='disks'
        )
        self.migration = self.patch(
            objects.Migration,
            'get_by_id',
            return_value=types.SimpleNamespace(
                source_compute='host', dest_compute='there', dest_node='node'
            ),
        )
        self.patch(
            objects.ComputeNode,
            'get_by_host_and_nodename',
            return_value=types.SimpleNamespace(uuid=fakes.OTHER),
        )
        self.reports = mock.Mock(spec_set=['get_provider_traits'])
        self.driver.virtapi = types.SimpleNamespace(reportclient=self.reports)

    def migrate(self, instance, root_gb=20, found=OURS):
        self.reports.get_provider_traits.return_value = types.SimpleNamespace(
            traits=set(found)
        )
        return self.driver.migrate_disk_and_power_off(
            self.context,
            instance,
            '192.0.2.1',
            fakes.flavor(root_gb),
            'network',
            block_device_info='devices',
            timeout=60,
            retry_interval=10,
        )

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_allowed(self, server_layout):
        instance = self.installed(server_layout)
        self.assertEqual('disks', self.migrate(instance))
        self.stock_migrate.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            '192.0.2.1',
            mock.ANY,
            'network',
            block_device_info='devices',
            timeout=60,
            retry_interval=10,
        )
        self.migration.assert_called_once_with(self.context, 5)
        self.reports.get_provider_traits.assert_called_once_with(
            self.context, fakes.OTHER
        )

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_smaller(self, server_layout):
        """Nova compares flavors, and the disk has another size."""
        instance = self.installed(server_layout)
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.migrate(instance, root_gb=6)
        self.assertIn('7 GiB', rolled_back(caught))
        self.stock_migrate.assert_not_called()

    @ddt.data(0, 7)
    def test_not_smaller(self, root_gb):
        self.assertEqual('disks', self.migrate(self.installed(), root_gb))

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_stock_host(self, server_layout):
        """That host would drop disk.newos."""
        instance = self.installed(server_layout)
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.migrate(instance, found=STOCK)
        self.assertIn('there', rolled_back(caught))
        self.assertIn(layout.TRAIT, rolled_back(caught))
        self.stock_migrate.assert_not_called()

    @ddt.data(
        nova_exception.ResourceProviderTraitRetrievalFailed(uuid=fakes.OTHER),
        nova_exception.ComputeHostNotFound(host='there'),
        keystoneauth_exceptions.ConnectFailure('no route'),
    )
    def test_placement_does_not_answer(self, error):
        """Nothing is done yet, so nothing is lost."""
        self.reports.get_provider_traits.side_effect = error
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.migrate(self.installed())
        self.assertIn('try again', rolled_back(caught))
        self.stock_migrate.assert_not_called()

    def test_host_without_a_plugin(self):
        """That host could not make the CD-ROM, after the disks had moved."""
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.migrate(self.installed(), found={layout.TRAIT})
        self.assertIn("'virtio'", rolled_back(caught))
        self.stock_migrate.assert_not_called()

    def test_plugin_of_a_server_that_came_back(self):
        """It has no CD-ROMs any more."""
        instance = self.installed(driver_base.RESTORED)
        self.assertEqual('disks', self.migrate(instance, found={layout.TRAIT}))

    def test_same_host(self):
        self.migration.return_value.dest_compute = 'host'
        self.assertEqual('disks', self.migrate(self.installed(), found=STOCK))

    def test_root_is_gone(self):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.migrate(instance)
        self.assertIn('disk.newos', rolled_back(caught))

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """Moved as by Nova, and nothing is asked."""
        instance = fakes.server(fakes.image_dict(disk_format))
        self.assertEqual('disks', self.migrate(instance, 1, STOCK))
        self.migration.assert_not_called()


@ddt.ddt
class FinishMigrationTest(MovesTestCase):
    def setUp(self):
        super().setUp()
        self.stock_finish = self.stock_method('finish_migration')
        self.converted = self.patch(stock.LibvirtDriver, '_disk_raw_to_qcow2')
        self.execute = self.patch(processutils, 'execute')

    def finish(self, instance, *names, disk_format='raw'):
        disk_info = jsonutils.dumps(
            [
                {
                    'path': os.path.join(self.directory(instance), name),
                    'type': disk_format,
                }
                for name in names
            ]
        )
        self.driver.finish_migration(
            self.context,
            'migration',
            instance,
            disk_info,
            'network',
            'image_meta',
            True,
            {},
            block_device_info='devices',
            power_on=False,
        )
        [call] = self.stock_finish.mock_calls
        bound = inspect.signature(stock.LibvirtDriver.finish_migration).bind(
            *call.args, **call.kwargs
        )
        self.assertEqual('devices', bound.arguments['block_device_info'])
        self.assertIs(False, bound.arguments['power_on'])
        self.assertEqual('network', bound.arguments['network_info'])
        self.image_meta = bound.arguments['image_meta']
        return [
            os.path.basename(info['path'])
            for info in jsonutils.loads(bound.arguments['disk_info'])
        ]

    def resized_to(self):
        """Size in GiB that the root disk was grown to, None if it was not."""
        sizes = [
            call.args[-1] // fakes.GiB
            for call in self.execute.mock_calls
            if call.args[:2] == ('qemu-img', 'resize')
        ]
        return sizes[-1] if sizes else None

    def test_disks_of_nova(self):
        """Nova converts what is its own, and we what is ours."""
        instance = self.installed()
        others = self.finish(
            instance, 'disk.newos', 'disk', 'disk.virtio', 'disk.eph0'
        )
        self.assertEqual(['disk.eph0'], others)
        self.assertEqual(3, self.converted.call_count)

    def test_image_of_the_server(self):
        """The request's may be that of a refused rebuild."""
        instance = self.installed()
        self.finish(instance)
        self.assertEqual(fakes.ISO, self.image_meta.id)
        self.assertEqual('iso', self.image_meta.disk_format)

    def test_ordinary_server(self):
        instance = fakes.server()
        self.assertEqual(['disk'], self.finish(instance, 'disk'))
        self.execute.assert_not_called()
        self.converted.assert_not_called()
        self.assertEqual('image_meta', self.image_meta)

    @ddt.data(
        # As large as the flavor allows, as at a spawn.
        ({}, None, 20, 20),
        ({}, None, 7, None),
        # With another size than the flavor's it stays.
        ({'newos_root_disk_size': '7'}, None, 20, None),
        ({}, 7, 20, None),
        ({}, 10, 20, 10),
        # Nothing says a size, or what it says means nothing: as it is.
        ({}, None, 0, None),
        ({'newos_root_disk_size': '99'}, None, 20, None),
        ({'newos_root_disk_size': 'abc'}, None, 20, None),
    )
    @ddt.unpack
    def test_root_grows(self, properties, configured, flavor_gb, expected):
        self.flags('newos', root_disk_size=configured)
        instance = self.installed(
            image=fakes.image_dict(**properties),
            flavor=fakes.flavor(flavor_gb),
        )
        self.finish(instance)
        self.assertEqual(expected, self.resized_to())

    def test_cold_migration(self):
        """It changes no flavor, so whatever was configured since is none."""
        self.flags('newos', root_disk_size=20)
        instance = self.installed(
            flavor=fakes.flavor(20), old_flavor=fakes.flavor(20)
        )
        self.finish(instance)
        self.assertIsNone(self.resized_to())

    def test_restored_root_grows(self):
        """It is of an ordinary image's kind: the flavor's size."""
        self.flags('newos', root_disk_size=10)
        instance = self.installed(
            driver_base.RESTORED, flavor=fakes.flavor(20)
        )
        self.finish(instance)
        self.assertEqual(20, self.resized_to())

    def test_signature(self):
        """Nova's own tests compare them, and releases differ."""
        self.assertEqual(
            inspect.signature(stock.LibvirtDriver.finish_migration),
            inspect.signature(type(self.driver).finish_migration),
        )


@ddt.ddt
class LiveMigrationTest(MovesTestCase):
    def check(self, instance, filename):
        return self.driver.check_can_live_migrate_source(
            self.context,
            instance,
            types.SimpleNamespace(filename=filename),
            block_device_info='devices',
        )

    def destination(self, instance):
        """The file name that our driver answers with."""
        name = self.driver._create_shared_storage_test_file(instance)
        path = os.path.join(self.instances_path, name)
        self.assertTrue(os.path.exists(path))
        self.driver._cleanup_shared_storage_test_file(name)
        self.assertFalse(os.path.exists(path))
        return name

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_between_our_hosts(self, server_layout):
        stock_check = self.stock_method(
            'check_can_live_migrate_source', return_value='data'
        )
        instance = fakes.server(server_layout=server_layout)
        name = self.destination(instance)
        self.assertEqual('data', self.check(instance, name))
        stock_check.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            mock.ANY,
            block_device_info='devices',
        )

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_to_a_stock_host(self, server_layout):
        """It would fill our cached images with the install ISO."""
        stock_check = self.stock_method('check_can_live_migrate_source')
        instance = fakes.server(server_layout=server_layout)
        name = stock.LibvirtDriver._create_shared_storage_test_file(
            self.driver, instance
        )
        with self.assertRaises(
            nova_exception.MigrationPreCheckError
        ) as caught:
            self.check(instance, name)
        self.assertIn(layout.TRAIT, caught.exception.format_message())
        stock_check.assert_not_called()

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """As by Nova, the name of the file included."""
        self.stock_method('check_can_live_migrate_source', return_value='data')
        instance = fakes.server(fakes.image_dict(disk_format))
        name = self.destination(instance)
        self.assertNotIn('.', name)
        self.assertEqual('data', self.check(instance, name))


class UnreadableLayoutTest(MovesTestCase):
    def test_untouched(self):
        """What this host does not understand it does not move."""
        instance = self.broken()
        for call in (
            lambda: self.driver.migrate_disk_and_power_off(
                self.context, instance, 'dest', 'flavor', 'network'
            ),
            lambda: self.driver.finish_migration(
                self.context, 'migration', instance, '[]', 'network', 'image'
            ),
            lambda: self.driver.check_can_live_migrate_source(
                self.context, instance, 'data'
            ),
        ):
            with self.assertRaises(nova_exception.NovaException) as caught:
                call()
            self.assertIn('version 99', str(caught.exception))
