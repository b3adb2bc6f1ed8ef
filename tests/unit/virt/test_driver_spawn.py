# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import driver as stock

from nova_newos import exception
from nova_newos import layout
from nova_newos.virt import blockinfo
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import glance as newos_glance
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


@ddt.ddt
class NamingTest(driver_base.DriverTestCase):
    def name_all(self, instance, *lists):
        self.patch(objects.BlockDeviceMapping, 'save')
        self.driver.default_device_names_for_instance(
            instance, '/dev/vda', *lists
        )

    def test_root(self):
        instance = fakes.server()
        self.assertEqual(
            '/dev/vda',
            self.driver.default_root_device_name(
                instance, fakes.image_meta(), fakes.root_bdm(instance)
            ),
        )
        self.assertNotIn(layout.KEY, instance.system_metadata)
        self.assertEqual([], self.saved)

    @ddt.data(('qcow2', '/dev/vda'), ('iso', '/dev/hda'))
    @ddt.unpack
    def test_root_of_a_stock_server(self, disk_format, expected):
        image = fakes.image_dict(disk_format, newos_install='false')
        instance = fakes.server(image)
        self.assertEqual(
            expected,
            self.driver.default_root_device_name(
                instance,
                objects.ImageMeta.from_dict(image),
                fakes.root_bdm(instance),
            ),
        )

    def test_all(self):
        """The database then names what the guest will have."""
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='sata', hw_cdrom_bus='sata'),
            root_device_name='/dev/sda',
        )
        root = fakes.root_bdm(instance)
        ephemeral = fakes.ephemeral(instance)
        swap = fakes.swap(instance)
        volume = fakes.volume(instance, disk_bus='sata')
        self.name_all(instance, [root], [ephemeral], [swap], [volume])
        # The ISO is sdb, the driver ISO sdc.
        self.assertEqual(
            ['/dev/sda', '/dev/sdd', '/dev/sde', '/dev/sdf'],
            [b.device_name for b in (root, ephemeral, swap, volume)],
        )
        self.assertEqual(('sata', 'disk'), (root.disk_bus, root.device_type))
        self.assertNotIn(layout.KEY, instance.system_metadata)

    def volume_root(self, instance):
        return fakes.volume(instance, boot_index=0, device_type='disk')

    def test_boot_from_volume(self):
        instance = fakes.server()
        root = self.volume_root(instance)
        for name in (
            lambda: self.driver.default_root_device_name(
                instance, fakes.image_meta(), root
            ),
            lambda: self.name_all(instance, [root]),
        ):
            with self.assertRaises(virt_exception.Refused) as caught:
                name()
            self.assertIn(
                'without a new volume',
                caught.exception.format_message(),
            )

    def test_boot_from_volume_of_another_image(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        root = self.volume_root(instance)
        self.name_all(instance, [root])
        self.assertEqual('/dev/vda', root.device_name)

    def test_too_many_cdroms(self):
        """A fault of the build, before anything is made."""
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='ide', hw_cdrom_bus='ide')
        )
        ephemerals = [fakes.ephemeral(instance) for _ in range(2)]
        with self.assertRaises(virt_exception.Refused) as caught:
            self.name_all(instance, [fakes.root_bdm(instance)], ephemerals)
        self.assertIn('2 CD-ROMs on ide', caught.exception.format_message())

    @ddt.data('qcow2', 'iso')
    def test_exactly_stock(self, disk_format):
        """Names of servers that are not to be installed."""
        image = fakes.image_dict(
            disk_format, newos_install='false', newos_root_disk_size='junk'
        )

        def names(named_by):
            instance = fakes.server(image, root_device_name='/dev/hda')
            bdms = [
                fakes.root_bdm(instance),
                fakes.ephemeral(instance),
                fakes.volume(instance),
            ]
            named_by(instance, '/dev/hda', bdms)
            return [(b.device_name, b.disk_bus, b.device_type) for b in bdms]

        self.patch(objects.BlockDeviceMapping, 'save')
        ours = names(self.driver.default_device_names_for_instance)
        blockinfo.uninstall()
        theirs = names(
            stock.LibvirtDriver(None).default_device_names_for_instance
        )
        self.assertEqual(theirs, ours)


@ddt.ddt
class SpawnTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.stock_spawn = self.stock_method('spawn', self.at_spawn)
        self.check = self.patch(newos_glance, 'check')
        self.seen = []
        self.error = None

    def at_spawn(self, _self, _context, instance, *_args, **_kwargs):
        self.seen.append(layout.load(instance.system_metadata))
        if self.error:
            raise self.error

    def spawn(self, instance, meta=None, info=None):
        self.driver.spawn(
            self.context,
            instance,
            meta or instance.image_meta,
            [],
            'password',
            {},
            network_info='network',
            block_device_info=info,
            power_on=False,
            accel_info='accel',
        )

    def test_install(self):
        """The layout is on record when Nova's spawn begins."""
        instance = fakes.server()
        meta = fakes.image_meta()
        self.spawn(instance, meta)
        expected = layout.Layout(
            iso=fakes.ISO, root_gb=20, media=(('virtio', fakes.DRIVERS),)
        )
        self.assertEqual([expected], self.seen)
        self.assertEqual(expected, layout.load(self.saved[-1]))
        self.stock_spawn.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            meta,
            [],
            'password',
            {},
            network_info='network',
            block_device_info=None,
            power_on=False,
            accel_info='accel',
        )

    def test_glance_is_asked_with_the_requesters_context(self):
        """At every spawn, whatever is cached on the host."""
        self.spawn(fakes.server())
        self.check.assert_called_once_with(
            self.context, self.glance, fakes.DRIVERS, 'virtio', fakes.PROJECT
        )

    def test_driver_iso_of_another_project(self):
        """Refused before anything is created or saved."""
        self.check.side_effect = exception.MediumImageRefused(
            image_id=fakes.DRIVERS, medium='virtio', reason='is private'
        )
        instance = fakes.server()
        before = dict(instance.system_metadata)
        with self.assertRaises(virt_exception.Refused) as caught:
            self.spawn(instance)
        self.assertIn('is private', caught.exception.format_message())
        self.stock_spawn.assert_not_called()
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual([], self.saved)

    @ddt.data(
        ({'newos_root_disk_size': '21'}, 'larger flavor'),
        ({'newos_root_disk_size': '1_0'}, 'whole number of GiB'),
        ({'newos_install': 'maybe'}, 'true or false'),
        ({'hw_machine_type': 'q35', 'hw_cdrom_bus': 'ide'}, 'hw_cdrom_bus'),
    )
    @ddt.unpack
    def test_refused(self, properties, text):
        instance = fakes.server(fakes.image_dict(**properties))
        with self.assertRaises(virt_exception.Refused) as caught:
            self.spawn(instance)
        self.assertIn(text, caught.exception.format_message())
        self.stock_spawn.assert_not_called()
        self.assertEqual([], self.saved)

    def test_no_size(self):
        instance = fakes.server(flavor=fakes.flavor(0))
        with self.assertRaisesRegex(virt_exception.Refused, 'root_disk_size'):
            self.spawn(instance)
        self.stock_spawn.assert_not_called()

    def test_volume_root(self):
        instance = fakes.server()
        info = fakes.block_device_info(
            instance, fakes.volume(instance, boot_index=0)
        )
        with self.assertRaisesRegex(virt_exception.Refused, 'volume'):
            self.spawn(instance, info=info)
        self.stock_spawn.assert_not_called()

    def test_too_many_cdroms(self):
        """Also when the device names come from a rebuild."""
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='ide', hw_cdrom_bus='ide')
        )
        info = fakes.block_device_info(
            instance,
            fakes.root_bdm(instance),
            *(fakes.ephemeral(instance) for _ in range(2)),
        )
        with self.assertRaisesRegex(virt_exception.Refused, 'do not fit'):
            self.spawn(instance, info=info)
        self.stock_spawn.assert_not_called()

    def test_failure(self):
        """The next host may be a stock one."""
        self.error = nova_exception.InstanceNotFound(instance_id='x')
        instance = fakes.server()
        with self.assertRaises(nova_exception.InstanceNotFound):
            self.spawn(instance)
        self.assertNotIn(layout.KEY, self.saved[-1])

    def test_refusal_while_disks_are_made(self):
        """Another host may have the room."""
        self.error = exception.HostDiskFull(path='/instances')
        instance = fakes.server()
        with self.assertRaisesRegex(virt_exception.HostFault, 'no room left'):
            self.spawn(instance)
        self.assertIn('no room left', instance.metadata['newos_error'])

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """Nothing is asked, saved or changed."""
        image = fakes.image_dict(
            disk_format, newos_install='false', newos_virtio_image_id='junk'
        )
        instance = fakes.server(image)
        before = dict(instance.system_metadata)
        self.spawn(instance, objects.ImageMeta.from_dict(image))
        self.assertEqual([None], self.seen)
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual([], self.saved)
        self.assertEqual([], self.glance.mock_calls)
        self.check.assert_not_called()

    def test_unshelve(self):
        """From an image of the root disk, an ordinary disk."""
        instance = fakes.server(
            server_layout=fakes.LAYOUT, vm_state='shelved_offloaded'
        )
        self.spawn(instance, fakes.image_meta('qcow2', fakes.OTHER))
        self.assertEqual([driver_base.RESTORED], self.seen)
        self.assertEqual('qcow2', self.saved[-1]['image_disk_format'])
        self.check.assert_not_called()

    def test_evacuation_of_an_older_iso_server(self):
        """It does not become an install server by it."""
        instance = fakes.server(
            task_state='rebuild_spawning', host='failed-host'
        )
        self.spawn(instance)
        self.assertEqual([None], self.seen)
        self.assertEqual([], self.saved)

    def test_unreadable_layout(self):
        instance = self.broken()
        with self.assertRaisesRegex(virt_exception.Refused, 'version 99'):
            self.spawn(instance, fakes.image_meta('qcow2'))
        self.stock_spawn.assert_not_called()
