# SPDX-License-Identifier: Apache-2.0

import inspect
import os
import types
from unittest import mock

import ddt
from lxml import etree
from nova import exception as nova_exception
from nova import objects
from nova.compute import provider_tree
import nova.privsep.utils
from nova.virt.libvirt import blockinfo as stock_blockinfo
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver as stock
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import imagecache as stock_imagecache

from nova_newos import exception
from nova_newos import layout
from nova_newos.virt import driver
from nova_newos.virt import fault
from nova_newos.virt import imagecache
from nova_newos.virt import images
from tests.unit.virt import fakes
from tests.unit.virt import test_snapshot

RESTORED = fakes.LAYOUT.restored()
BROKEN = '{"v":99}'


class DriverTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.driver = fakes.make_driver(fakes.VIRTIO)
        self.context = fakes.context()
        self.glance = self.driver._image_api = mock.Mock(
            spec_set=['get', 'update']
        )

    def stock_method(self, name, *args, **kwargs):
        """Replace a method of Nova's driver."""
        return self.patch(stock.LibvirtDriver, name, *args, **kwargs)

    def broken(self):
        """A server whose layout only a later release can read."""
        instance = fakes.server()
        instance.system_metadata[layout.KEY] = BROKEN
        return instance


@ddt.ddt
class StartTest(DriverTestCase):
    def test_image_cache(self):
        """A2: the periodic task of the compute manager uses ours."""
        self.assertIsInstance(
            self.driver.image_cache_manager, imagecache.ImageCacheManager
        )

    def test_blockinfo(self):
        """B1: from the first question on."""
        for name, leaf in fakes.LEAVES.items():
            self.assertIsNot(leaf, getattr(stock_blockinfo, name))

    @ddt.data('rbd', 'lvm')
    def test_images_type(self, images_type):
        init_host = self.stock_method('init_host')
        self.flags('libvirt', images_type=images_type)
        with self.assertRaises(exception.ImagesTypeUnsupported) as caught:
            self.driver.init_host('host')
        for part in (images_type, 'qcow2', 'libvirt.LibvirtDriver'):
            self.assertIn(part, str(caught.exception))
        init_host.assert_not_called()

    @ddt.data('default', 'qcow2', 'flat', 'raw')
    def test_supported_images_type(self, images_type):
        init_host = self.stock_method('init_host')
        self.flags('libvirt', images_type=images_type)
        self.driver.init_host('host')
        init_host.assert_called_once_with(self.driver, 'host')

    def test_unknown_medium(self):
        init_host = self.stock_method('init_host')
        self.flags('newos', media=['virtio', 'floppy'])
        with self.assertRaises(exception.MediumLoadError) as caught:
            fakes.make_driver().init_host('host')
        self.assertEqual('floppy', caught.exception.name)
        init_host.assert_not_called()

    def test_installed_media(self):
        self.stock_method('init_host')
        made = fakes.make_driver()
        made.init_host('host')
        self.assertEqual(['virtio'], [m.name for m in made._media.enabled])

    def test_trait(self):
        """A4: moves of install servers stay on hosts with this driver."""
        tree = provider_tree.ProviderTree()
        tree.new_root('node', fakes.OTHER)
        tree.update_traits('node', ['CUSTOM_OLD'])
        self.stock_method(
            'update_provider_tree',
            lambda _self, tree, nodename, allocations=None: tree.update_traits(
                nodename, ['HW_CPU_X86_VMX']
            ),
        )
        self.driver.update_provider_tree(tree, 'node')
        self.assertEqual(
            {'HW_CPU_X86_VMX', 'CUSTOM_NOVA_NEWOS'}, tree.data('node').traits
        )

    def test_allocations_of_a_reshape(self):
        update = self.stock_method('update_provider_tree')
        tree = mock.Mock()
        self.driver.update_provider_tree(tree, 'node', {'consumer': {}})
        update.assert_called_once_with(
            self.driver, tree, 'node', allocations={'consumer': {}}
        )


@ddt.ddt
class NamingTest(DriverTestCase):
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
        """B1: the database then names what the guest will have."""
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
            with self.assertRaises(fault.InstallRefused) as caught:
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
        """B1: a fault of the build, before anything is made."""
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='ide', hw_cdrom_bus='ide')
        )
        ephemerals = [fakes.ephemeral(instance) for _ in range(2)]
        with self.assertRaises(fault.InstallRefused) as caught:
            self.name_all(instance, [fakes.root_bdm(instance)], ephemerals)
        self.assertIn('2 CD-ROMs on ide', caught.exception.format_message())

    @ddt.data('qcow2', 'iso')
    def test_exactly_stock(self, disk_format):
        """A4: names of servers that are not to be installed."""
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
        for name, leaf in fakes.LEAVES.items():
            setattr(stock_blockinfo, name, leaf)
        theirs = names(
            stock.LibvirtDriver(None).default_device_names_for_instance
        )
        self.assertEqual(theirs, ours)


@ddt.ddt
class SpawnTest(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.stock_spawn = self.stock_method('spawn', self.at_spawn)
        self.check = self.patch(images, 'check')
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
        """A3: the layout is on record when Nova's spawn begins."""
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
        """A8: at every spawn, whatever is cached on the host."""
        self.spawn(fakes.server())
        self.check.assert_called_once_with(
            self.context, self.glance, fakes.DRIVERS, 'virtio', fakes.PROJECT
        )

    def test_driver_iso_of_another_project(self):
        """A8: refused before anything is created or saved."""
        self.check.side_effect = exception.MediumImageRefused(
            image_id=fakes.DRIVERS, medium='virtio', reason='is private'
        )
        instance = fakes.server()
        before = dict(instance.system_metadata)
        with self.assertRaises(fault.InstallRefused) as caught:
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
        with self.assertRaises(fault.InstallRefused) as caught:
            self.spawn(instance)
        self.assertIn(text, caught.exception.format_message())
        self.stock_spawn.assert_not_called()
        self.assertEqual([], self.saved)

    def test_no_size(self):
        instance = fakes.server(flavor=fakes.flavor(0))
        with self.assertRaisesRegex(fault.InstallRefused, 'root_disk_size'):
            self.spawn(instance)
        self.stock_spawn.assert_not_called()

    def test_volume_root(self):
        instance = fakes.server()
        info = fakes.block_device_info(
            instance, fakes.volume(instance, boot_index=0)
        )
        with self.assertRaisesRegex(fault.InstallRefused, 'volume'):
            self.spawn(instance, info=info)
        self.stock_spawn.assert_not_called()

    def test_too_many_cdroms(self):
        """B1: also when the device names come from a rebuild."""
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='ide', hw_cdrom_bus='ide')
        )
        info = fakes.block_device_info(
            instance,
            fakes.root_bdm(instance),
            *(fakes.ephemeral(instance) for _ in range(2)),
        )
        with self.assertRaisesRegex(fault.InstallRefused, 'do not fit'):
            self.spawn(instance, info=info)
        self.stock_spawn.assert_not_called()

    def test_failure(self):
        """A4: the next host may be a stock one."""
        self.error = nova_exception.InstanceNotFound(instance_id='x')
        instance = fakes.server()
        with self.assertRaises(nova_exception.InstanceNotFound):
            self.spawn(instance)
        self.assertNotIn(layout.KEY, self.saved[-1])

    def test_refusal_while_disks_are_made(self):
        self.error = exception.HostDiskFull(path='/instances')
        with self.assertRaisesRegex(fault.InstallRefused, 'no room left'):
            self.spawn(fakes.server())

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """A4: nothing is asked, saved or changed."""
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
        """A3: from an image of the root disk, an ordinary disk."""
        instance = fakes.server(
            server_layout=fakes.LAYOUT, vm_state='shelved_offloaded'
        )
        self.spawn(instance, fakes.image_meta('qcow2', fakes.OTHER))
        self.assertEqual([RESTORED], self.seen)
        self.assertEqual('qcow2', self.saved[-1]['image_disk_format'])
        self.check.assert_not_called()

    def test_evacuation_of_an_older_iso_server(self):
        """A4: it does not become an install server by it."""
        instance = fakes.server(
            task_state='rebuild_spawning', host='failed-host'
        )
        self.spawn(instance)
        self.assertEqual([None], self.seen)
        self.assertEqual([], self.saved)

    def test_unreadable_layout(self):
        instance = self.broken()
        with self.assertRaisesRegex(fault.InstallRefused, 'version 99'):
            self.spawn(instance, fakes.image_meta('qcow2'))
        self.stock_spawn.assert_not_called()


@ddt.ddt
class RebuildTest(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.stock_rebuild = self.stock_method('rebuild', NotImplementedError)
        self.check = self.patch(images, 'check')

    def rebuild(self, instance, evacuate=False, image_meta=None):
        """As ComputeManager._do_rebuild_instance calls it."""
        arguments = {
            'context': self.context,
            'instance': instance,
            'image_meta': image_meta or instance.image_meta,
            'injected_files': [],
            'admin_password': 'password',
            'allocations': {},
            'bdms': 'bdms',
            'detach_block_devices': 'detach',
            'attach_block_devices': 'attach',
            'block_device_info': None,
            'network_info': 'network',
            'preserve_ephemeral': False,
            'evacuate': evacuate,
            'accel_uuids': [],
            'reimage_boot_volume': False,
        }
        try:
            self.driver.rebuild(**arguments)
        finally:
            self.arguments = arguments

    def test_manager_goes_on(self):
        """Nova destroys and spawns when told that there is no other way."""
        instance = fakes.server(task_state='rebuilding')
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance)
        self.check.assert_called_once()
        self.assertEqual([], self.saved)
        self.assertNotIn(layout.KEY, instance.system_metadata)

    def test_refused_before_disks_are_deleted(self):
        instance = fakes.server(
            fakes.image_dict(newos_root_disk_size='21'),
            fakes.LAYOUT,
            task_state='rebuilding',
        )
        with self.assertRaises(fault.InstallRefused):
            self.rebuild(instance)
        self.stock_rebuild.assert_not_called()

    @ddt.data(fakes.LAYOUT, RESTORED)
    def test_evacuate(self, server_layout):
        """B8: the ISO would silently be installed again."""
        instance = fakes.server(
            server_layout=server_layout, task_state='rebuilding'
        )
        with self.assertRaises(nova_exception.NovaException) as caught:
            self.rebuild(instance, evacuate=True)
        self.assertIn('evacuate', caught.exception.format_message())
        self.assertIn('Bring the host back', caught.exception.format_message())
        self.stock_rebuild.assert_not_called()

    @ddt.data('iso', 'qcow2')
    def test_evacuate_others(self, disk_format):
        """A4: that is Nova's affair, ISO or not."""
        instance = fakes.server(
            fakes.image_dict(disk_format, newos_root_disk_size='junk'),
            task_state='rebuilding',
        )
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance, evacuate=True)
        self.check.assert_not_called()

    def test_arguments(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        meta = fakes.image_meta('qcow2')
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance, image_meta=meta)
        [call] = self.stock_rebuild.mock_calls
        bound = inspect.signature(stock.LibvirtDriver.rebuild).bind(
            *call.args, **call.kwargs
        )
        self.assertEqual(
            {'self': self.driver, **self.arguments}, bound.arguments
        )


@ddt.ddt
class DisksTest(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.storage = self.useFixture(fakes.Storage(self))

    def create_root(self, instance, suffix=''):
        mapping = fakes.disk_info(instance, instance.image_meta)['mapping']
        return self.driver._create_and_inject_local_root(
            self.context,
            instance,
            mapping,
            False,
            suffix,
            'images',
            None,
            None,
        )

    def test_root(self):
        stock_root = self.stock_method('_create_and_inject_local_root')
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.assertIs(True, self.create_root(instance))
        self.assertIs(False, self.create_root(instance))
        self.assertEqual(
            ['disk.newos', 'disk', 'disk.virtio'],
            [created[0] for created in self.storage.created],
        )
        stock_root.assert_not_called()

    @ddt.data(
        (None, ''),
        (RESTORED, ''),
        (None, '.rescue'),
        (RESTORED, '.rescue'),
        (fakes.LAYOUT, '.rescue'),
    )
    @ddt.unpack
    def test_root_of_nova(self, server_layout, suffix):
        """B2: the disk of a rescue is not the root disk."""
        stock_root = self.stock_method(
            '_create_and_inject_local_root', return_value='answer'
        )
        instance = fakes.server(server_layout=server_layout)
        self.assertEqual('answer', self.create_root(instance, suffix))
        stock_root.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            mock.ANY,
            False,
            suffix,
            'images',
            None,
            None,
        )
        self.assertEqual([], self.storage.created)

    def backing(self, instance):
        """What a hard reboot knows of the disks of a server."""
        directory = self.directory(instance)
        for name in sorted(os.listdir(directory)):
            if name == 'disk.info':
                continue
            disk = fakes.read_disk(os.path.join(directory, name))
            yield {
                'path': os.path.join(directory, name),
                'type': disk['format'],
                'virt_disk_size': disk['virtual-size'],
                'backing_file': os.path.basename(
                    disk.get('backing-filename', '')
                ),
            }

    def restore(self, instance, disk_info):
        self.stock_method('_fetch_instance_kernel_ramdisk')
        self.driver._create_images_and_backing(
            self.context, instance, self.directory(instance), disk_info
        )

    @ddt.data([fakes.ISO], [fakes.DRIVERS], [fakes.ISO, fakes.DRIVERS])
    def test_start_after_bases_were_removed(self, missing):
        """A1: Nova's code would put the install ISO under every name."""
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.create_root(instance)
        instance.task_state = 'reboot_started_hard'
        del self.storage.fetched[:]
        names = {
            image_id: stock_imagecache.get_cache_fname(image_id)
            for image_id in missing
        }
        for name in names.values():
            os.unlink(os.path.join(self.instances_path, '_base', name))
        self.restore(instance, list(self.backing(instance)))
        self.assertEqual(
            [(names[image_id], image_id) for image_id in missing],
            self.storage.fetched,
        )

    def test_root_is_gone(self):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.create_root(instance)
        known = list(self.backing(instance))
        os.unlink(os.path.join(self.directory(instance), 'disk.newos'))
        instance.task_state = 'powering-on'
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.restore(instance, known)
        self.assertIn('disk.newos', caught.exception.format_message())
        self.assertNotIn('disk.newos', os.listdir(self.directory(instance)))

    @ddt.data(None, RESTORED)
    def test_backing_of_others(self, server_layout):
        """A4: the same list, untouched."""
        stock_backing = self.stock_method('_create_images_and_backing')
        instance = fakes.server(server_layout=server_layout)
        for known in (None, [], [{'path': '/i/disk'}]):
            stock_backing.reset_mock()
            self.driver._create_images_and_backing(
                self.context, instance, '/i', known, fallback_from_host='h'
            )
            stock_backing.assert_called_once_with(
                self.driver,
                self.context,
                instance,
                '/i',
                known,
                fallback_from_host='h',
            )
            self.assertIs(known, stock_backing.call_args.args[4])

    def test_no_list(self):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.restore(instance, None)

    @ddt.data('shelved_offloaded', 'active')
    def test_rebase(self, vm_state):
        """A3: an unshelved disk must not be put on top of the ISO."""
        rebase = self.stock_method('_rebase_with_qemu_img')
        instance = fakes.server(server_layout=RESTORED, vm_state=vm_state)
        backend = mock.Mock(spec=imagebackend.Qcow2, path='/i/disk')
        self.driver._rebase_original_qcow2_image(
            self.context, instance, backend
        )
        if vm_state == 'active':
            rebase.assert_not_called()
        else:
            rebase.assert_called_once_with('/i/disk', None)
        self.assertEqual([], self.storage.fetched)

    def test_rebase_of_others(self):
        stock_rebase = self.stock_method('_rebase_original_qcow2_image')
        instance = fakes.server()
        self.driver._rebase_original_qcow2_image(
            self.context, instance, 'backend'
        )
        stock_rebase.assert_called_once_with(
            self.driver, self.context, instance, 'backend'
        )


def disks(configs):
    """The <disk> elements, parsed."""
    return [
        etree.fromstring(config.to_xml())
        for config in configs
        if isinstance(config, vconfig.LibvirtConfigGuestDisk)
    ]


def summary(element):
    """(file name, device, bus, target, LUN) of a <disk>."""
    target = element.find('target')
    address = element.find('address')
    return (
        os.path.basename(element.find('source').get('file')),
        element.get('device'),
        target.get('bus'),
        target.get('dev'),
        None if address is None else address.get('unit'),
    )


@ddt.ddt
class StorageConfigTest(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fakes.Storage(self))
        self.patch(nova.privsep.utils, 'supports_direct_io', return_value=True)
        self.stock_method('_connect_volume')
        self.stock_method('_get_volume_config', self.volume_config)
        self.patch(objects.BlockDeviceMapping, 'save')

    @staticmethod
    def volume_config(_self, *args):
        """As the volume drivers do; the arguments differ by release."""
        info = args[-1]
        config = vconfig.LibvirtConfigGuestDisk()
        config.source_type = 'file'
        config.source_path = '/volumes/' + info['dev']
        config.target_dev = info['dev']
        config.target_bus = info['bus']
        if 'unit' in info:
            config.device_addr = vconfig.LibvirtConfigGuestDeviceAddressDrive()
            config.device_addr.unit = info['unit']
        return config

    def configs(self, instance, *bdms, made_by=None, **rescue):
        info = fakes.block_device_info(
            instance, fakes.root_bdm(instance), *bdms
        )
        if rescue == {'rescue': True}:
            # LibvirtDriver.rescue: only a stable rescue has the others.
            info = None
        meta = instance.image_meta
        disk_info = fakes.disk_info(instance, meta, info, **rescue)
        return (made_by or self.driver)._get_guest_storage_config(
            self.context,
            instance,
            meta,
            disk_info,
            bool(rescue),
            info,
            instance.flavor,
            'hvm',
        )

    def server(self, server_layout=fakes.LAYOUT, **properties):
        fields = {
            name: properties.pop(name)
            for name in ('config_drive',)
            if name in properties
        }
        return fakes.server(
            fakes.image_dict(**properties), server_layout, **fields
        )

    def test_order(self):
        """B3, B4: root disk, ISO, driver ISO, then what Nova adds."""
        instance = self.server(config_drive='True')
        found = [
            summary(disk)
            for disk in disks(
                self.configs(
                    instance,
                    fakes.ephemeral(instance),
                    fakes.volume(instance, disk_bus='virtio'),
                )
            )
        ]
        self.assertEqual(
            [
                ('disk.newos', 'disk', 'virtio', 'vda', None),
                ('disk', 'cdrom', 'ide', 'hda', None),
                ('disk.virtio', 'cdrom', 'ide', 'hdb', None),
                ('disk.eph0', 'disk', 'virtio', 'vdb', None),
                ('disk.config', 'cdrom', 'ide', 'hdc', None),
                ('vdc', 'disk', 'virtio', 'vdc', None),
            ],
            found,
        )

    def test_units(self):
        """B3: on virtio-scsi the root disk is LUN 0, whatever comes after."""
        instance = self.server(
            hw_scsi_model='virtio-scsi',
            hw_disk_bus='scsi',
            hw_cdrom_bus='scsi',
            config_drive='True',
        )
        found = [
            summary(disk)
            for disk in disks(
                self.configs(
                    instance,
                    fakes.ephemeral(instance),
                    fakes.volume(instance, disk_bus='scsi'),
                )
            )
        ]
        self.assertEqual(
            [
                ('disk.newos', 'sda', '0'),
                ('disk', 'sdb', '1'),
                ('disk.virtio', 'sdc', '2'),
                ('disk.eph0', 'sdd', '3'),
                ('disk.config', 'sdf', '4'),
                ('sde', 'sde', '5'),
            ],
            [(name, dev, unit) for name, _type, _bus, dev, unit in found],
        )

    def test_driver_attributes(self):
        """Behaviour 4: discard and zero detection, of the root disk only."""
        root, iso, drivers = disks(self.configs(self.server()))
        self.assertEqual(
            {
                'name': 'qemu',
                'type': 'qcow2',
                'cache': 'none',
                'discard': 'unmap',
                'detect_zeroes': 'unmap',
            },
            dict(root.find('driver').attrib),
        )
        for cdrom in (iso, drivers):
            self.assertIsNone(cdrom.find('driver').get('detect_zeroes'))
            self.assertIsNone(cdrom.find('driver').get('discard'))

    @ddt.data(('qcow2', 'none'), ('raw', 'none'))
    @ddt.unpack
    def test_cache_mode(self, images_type, mode):
        """B3: devices that are added after Nova's get its cache mode, too."""
        self.flags('libvirt', images_type=images_type)
        self.assertEqual(
            [mode] * 3,
            [
                disk.find('driver').get('cache')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_operators_cache_mode(self):
        """B3: [libvirt] disk_cachemodes holds for all of them."""
        self.flags('libvirt', disk_cachemodes=['file=writeback'])
        self.driver = fakes.make_driver(fakes.VIRTIO)
        self.assertEqual(
            ['writeback'] * 3,
            [
                disk.find('driver').get('cache')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_raw(self):
        self.flags('libvirt', images_type='raw')
        self.assertEqual(
            ['raw'] * 3,
            [
                disk.find('driver').get('type')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_glance_is_not_asked(self):
        """A8: a host that boots has no token."""
        get = self.patch(images, 'check')
        self.configs(self.server())
        self.assertEqual([], self.glance.mock_calls)
        get.assert_not_called()

    @ddt.data((), ('true',))
    def test_legacy_rescue(self, config_drive):
        """B2: the disk to repair is disk.newos."""
        instance = self.server(config_drive=''.join(config_drive))
        found = disks(self.configs(instance, rescue=True))
        self.assertEqual(
            [
                ('disk.rescue', 'disk', 'virtio', 'vda', None),
                ('disk.newos', 'disk', 'virtio', 'vdb', None),
            ],
            [summary(disk) for disk in found][:2],
        )
        self.assertEqual(2 + len(config_drive), len(found))

    def test_stable_rescue(self):
        """B2: all disks stay, and the rescue disk comes last."""
        rescue_image = fakes.image_meta(
            'qcow2', hw_rescue_device='disk', hw_rescue_bus='virtio'
        )
        found = disks(
            self.configs(
                self.server(), rescue=True, rescue_image_meta=rescue_image
            )
        )
        self.assertEqual(
            ['disk.newos', 'disk', 'disk.virtio', 'disk.rescue'],
            [summary(disk)[0] for disk in found],
        )

    def test_medium_that_was_uninstalled(self):
        """The user reads which one it is."""
        instance = self.server(
            layout.Layout(iso=fakes.ISO, root_gb=1, media=(('gone', 'r'),))
        )
        self.driver = fakes.make_driver()
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.configs(instance)
        self.assertIn("medium 'gone'", caught.exception.format_message())

    @ddt.data('qcow2', 'iso')
    def test_exactly_stock(self, disk_format):
        """A4: the XML of ordinary and of older ISO servers."""
        theirs = stock.LibvirtDriver(None)
        for properties in (
            {},
            {'hw_scsi_model': 'virtio-scsi', 'hw_disk_bus': 'scsi'},
        ):
            for rescue in (
                {},
                {'rescue': True},
                {
                    'rescue': True,
                    'rescue_image_meta': fakes.image_meta(
                        'qcow2', hw_rescue_device='disk', hw_rescue_bus='usb'
                    ),
                },
            ):
                image = fakes.image_dict(disk_format, **properties)

                def xml(made_by, image=image, rescue=rescue):
                    instance = fakes.server(image, config_drive='True')
                    return [
                        config.to_xml()
                        for config in self.configs(
                            instance,
                            fakes.ephemeral(instance),
                            fakes.volume(instance, disk_bus='scsi'),
                            made_by=made_by,
                            **rescue,
                        )
                    ]

                ours = xml(self.driver)
                with self.stock_leaves():
                    self.assertEqual(xml(theirs), ours)

    def stock_leaves(self):
        return mock.patch.multiple(stock_blockinfo, **fakes.LEAVES)

    def test_restored(self):
        """A3: one ordinary disk and no CD-ROM."""
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda', None)],
            [
                summary(disk)
                for disk in disks(self.configs(self.server(RESTORED)))
            ],
        )


@ddt.ddt
class SnapshotTest(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.events = []
        self.stock_snapshot = self.stock_method(
            'snapshot', lambda *args: self.events.append('snapshot')
        )
        self.glance.update.side_effect = lambda *args, **kwargs: (
            self.events.append('record')
        )
        self.glance.get.return_value = {
            'id': fakes.OTHER,
            'properties': {
                'os_type': 'linux',
                'base_image_ref': fakes.ISO,
                'newos_layout': 'x',
                'newos_root_disk_size': '5',
            },
        }
        self.patch(
            driver.snapshot.images,
            'qemu_img_info',
            return_value=types.SimpleNamespace(virtual_size=fakes.GiB + 1),
        )

    def snapshot(self, instance, *disks):
        self.driver._host = mock.Mock()
        self.driver._host.get_guest.return_value = test_snapshot.Guest(*disks)
        self.driver.snapshot(self.context, instance, fakes.OTHER, 'update')

    @ddt.data(
        (fakes.LAYOUT, (test_snapshot.ROOT, test_snapshot.CD)),
        (RESTORED, (test_snapshot.RESTORED,)),
    )
    @ddt.unpack
    def test_record(self, server_layout, found):
        """B5: a stranger can boot it, and it installs nothing."""
        instance = fakes.server(server_layout=server_layout)
        self.snapshot(instance, *found)
        self.glance.update.assert_called_once_with(
            self.context,
            fakes.OTHER,
            {'min_disk': 2, 'properties': {'os_type': 'linux'}},
            purge_props=True,
        )
        self.stock_snapshot.assert_called_once_with(
            self.driver, self.context, instance, fakes.OTHER, 'update'
        )
        self.assertEqual(['record', 'snapshot'], self.events)

    @ddt.data(
        (fakes.LAYOUT, test_snapshot.CD),
        (fakes.LAYOUT, test_snapshot.RESTORED),
        (RESTORED, test_snapshot.ROOT),
    )
    @ddt.unpack
    def test_wrong_disk(self, server_layout, first):
        """A11: rather none than an image of the ISO."""
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.snapshot(instance, first)
        self.assertIn('reboot', caught.exception.format_message())
        self.assertEqual([], self.events)

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """A4: no more than Nova does."""
        instance = fakes.server(fakes.image_dict(disk_format))
        self.snapshot(instance, test_snapshot.CD)
        self.driver._host.get_guest.assert_not_called()
        self.assertEqual([], self.glance.mock_calls)
        self.assertEqual(['snapshot'], self.events)


@ddt.ddt
class OperationsTest(DriverTestCase):
    def operations(self):
        """(method, its arguments, its options) of what is refused."""
        return (
            (
                'migrate_disk_and_power_off',
                ('dest', 'flavor', 'network'),
                {
                    'block_device_info': 'devices',
                    'timeout': 60,
                    'retry_interval': 10,
                },
            ),
            (
                'check_can_live_migrate_source',
                ('data',),
                {'block_device_info': 'devices'},
            ),
        )

    @ddt.data(fakes.LAYOUT, RESTORED)
    def test_resize(self, server_layout):
        """Refused with a state that the manager goes back from."""
        stock_method = self.stock_method('migrate_disk_and_power_off')
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.driver.migrate_disk_and_power_off(
                self.context, instance, 'dest', 'flavor', 'network'
            )
        inner = caught.exception.inner_exception
        self.assertIn('resize or migrate', inner.format_message())
        self.assertIn('create an image', inner.format_message())
        stock_method.assert_not_called()

    @ddt.data(fakes.LAYOUT, RESTORED)
    def test_live_migration(self, server_layout):
        stock_method = self.stock_method('check_can_live_migrate_source')
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(
            nova_exception.MigrationPreCheckError
        ) as caught:
            self.driver.check_can_live_migrate_source(
                self.context, instance, 'data'
            )
        self.assertIn('live migrate', caught.exception.format_message())
        stock_method.assert_not_called()

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """A4: moved as by Nova."""
        instance = fakes.server(fakes.image_dict(disk_format))
        for name, args, options in self.operations():
            stock_method = self.stock_method(name, return_value='answer')
            method = getattr(self.driver, name)
            self.assertEqual(
                'answer', method(self.context, instance, *args, **options)
            )
            stock_method.assert_called_once_with(
                self.driver, self.context, instance, *args, **options
            )

    def test_texts_fit(self):
        """Nova cuts a fault at 255 and puts the server's id before it."""
        instance = fakes.server(server_layout=fakes.LAYOUT)
        calls = [
            lambda: self.rescue(instance, fakes.ISO),
            lambda: self.driver.rebuild(
                self.context,
                instance,
                instance.image_meta,
                *[None] * 6,
                evacuate=True,
            ),
        ]
        calls += [
            lambda name=name, args=args: getattr(self.driver, name)(
                self.context, instance, *args
            )
            for name, args, _options in self.operations()
        ]
        for call in calls:
            with self.assertRaises(nova_exception.NovaException) as caught:
                call()
            text = str(caught.exception)
            self.assertLessEqual(len(text), 200, text)

    def rescue(self, instance, image_id):
        meta = fakes.image_meta(image_id=image_id)
        arguments = (
            self.context,
            instance,
            'network',
            meta,
            'password',
            'info',
            'shares',
        )
        self.driver.rescue(*arguments)
        return arguments

    def test_rescue_with_the_iso(self):
        """B2: with no image named Nova takes the install ISO."""
        stock_rescue = self.stock_method('rescue')
        instance = fakes.server(server_layout=fakes.LAYOUT)
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.rescue(instance, fakes.ISO)
        self.assertIn(
            'openstack server rescue --image',
            caught.exception.format_message(),
        )
        stock_rescue.assert_not_called()

    @ddt.data(
        (fakes.LAYOUT, fakes.OTHER),
        (RESTORED, fakes.ISO),
        (None, fakes.ISO),
    )
    @ddt.unpack
    def test_rescue(self, server_layout, image_id):
        stock_rescue = self.stock_method('rescue')
        instance = fakes.server(server_layout=server_layout)
        arguments = self.rescue(instance, image_id)
        stock_rescue.assert_called_once_with(self.driver, *arguments)

    def test_unreadable_layout(self):
        """What this host does not understand it does not touch."""
        instance = self.broken()
        calls = [
            lambda: self.driver.snapshot(self.context, instance, 'i', 'u'),
            lambda: self.rescue(instance, fakes.OTHER),
            lambda: self.driver._create_images_and_backing(
                self.context, instance, '/i', []
            ),
        ]
        for name, args, _options in self.operations():
            self.stock_method(name)
            calls.append(
                lambda name=name, args=args: getattr(self.driver, name)(
                    self.context, instance, *args
                )
            )
        for call in calls:
            with self.assertRaises(nova_exception.NovaException) as caught:
                call()
            self.assertIn('version 99', str(caught.exception))
