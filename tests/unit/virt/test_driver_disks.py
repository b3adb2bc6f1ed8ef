# SPDX-License-Identifier: Apache-2.0

import os
from unittest import mock

import ddt
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import imagecache as stock_imagecache

from nova_newos.virt import exception as virt_exception
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


@ddt.ddt
class DisksTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.storage = self.useFixture(fakes.Storage(self))

    def create_root(self, instance, suffix='', images=None):
        mapping = fakes.disk_info(instance, instance.image_meta)['mapping']
        return self.driver._create_and_inject_local_root(
            self.context,
            instance,
            mapping,
            False,
            suffix,
            images or {'image_id': fakes.ISO},
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
        (None, '', fakes.ISO),
        # An unshelve: image_ref names the image of the root disk.
        (driver_base.RESTORED, '', fakes.OTHER),
        (None, '.rescue', fakes.OTHER),
        (driver_base.RESTORED, '.rescue', fakes.OTHER),
        (fakes.LAYOUT, '.rescue', fakes.OTHER),
    )
    @ddt.unpack
    def test_root_of_nova(self, server_layout, suffix, image_id):
        """The disk of a rescue is not the root disk."""
        stock_root = self.stock_method(
            '_create_and_inject_local_root', return_value='answer'
        )
        instance = fakes.server(server_layout=server_layout)
        images = {'image_id': image_id}
        self.assertEqual('answer', self.create_root(instance, suffix, images))
        stock_root.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            mock.ANY,
            False,
            suffix,
            images,
            None,
            None,
        )
        self.assertEqual([], self.storage.created)

    def test_restored_root_is_kept(self):
        """After an unshelve the ISO is not even downloaded."""
        stock_root = self.stock_method('_create_and_inject_local_root')
        instance = fakes.server(
            server_layout=driver_base.RESTORED, task_state='resize_finish'
        )
        path = os.path.join(self.directory(instance), 'disk')
        fakes.write_disk(path, 'qcow2', fakes.GiB)
        self.assertIs(False, self.create_root(instance))
        stock_root.assert_not_called()
        self.assertEqual([], self.storage.fetched)

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

    def reboot(self, instance, token='token'):
        """Nova's hard reboot, as far as its disks."""

        def look_into_files(_driver, context, instance, *args, **kwargs):
            self.driver._create_images_and_backing(
                context,
                instance,
                self.directory(instance),
                list(self.backing(instance)),
            )
            return args, kwargs

        self.stock_method('_fetch_instance_kernel_ramdisk')
        stock_reboot = self.stock_method('_hard_reboot', look_into_files)
        self.context.auth_token = token
        self.driver._hard_reboot(
            self.context, instance, 'network', 'shares', accel_info='accel'
        )
        stock_reboot.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            'network',
            'shares',
            accel_info='accel',
        )

    def installed(self, task_state='reboot_started_hard'):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.create_root(instance)
        instance.task_state = task_state
        del self.storage.fetched[:]
        return instance

    def remove_base(self, image_id):
        name = stock_imagecache.get_cache_fname(image_id)
        os.unlink(os.path.join(self.instances_path, '_base', name))
        return name

    @ddt.data([fakes.ISO], [fakes.DRIVERS], [fakes.ISO, fakes.DRIVERS])
    def test_start_after_bases_were_removed(self, missing):
        """Nova's code would put the install ISO under every name."""
        instance = self.installed()
        names = [self.remove_base(image_id) for image_id in missing]
        self.reboot(instance)
        self.assertEqual(
            list(zip(names, missing, strict=True)), self.storage.fetched
        )

    def test_boot_of_the_host(self):
        """There is nobody's token to ask Glance with."""
        instance = self.installed()
        self.remove_base(fakes.DRIVERS)
        stock_reboot = self.stock_method('_hard_reboot')
        self.context.auth_token = None
        self.driver._hard_reboot(self.context, instance, 'network', 'shares')
        stock_reboot.assert_called_once()
        self.assertEqual([], self.storage.fetched)

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_root_is_gone(self, server_layout):
        """Said before the guest is touched."""
        stock_reboot = self.stock_method('_hard_reboot')
        instance = fakes.server(
            server_layout=server_layout, task_state='powering-on'
        )
        with self.assertRaises(virt_exception.Refused) as caught:
            self.driver._hard_reboot(
                self.context, instance, 'network', 'shares'
            )
        self.assertIn(server_layout.root, caught.exception.format_message())
        stock_reboot.assert_not_called()

    def test_reboot_of_others(self):
        stock_reboot = self.stock_method('_hard_reboot')
        instance = fakes.server()
        self.driver._hard_reboot(
            self.context, instance, 'network', 'shares', accel_info='accel'
        )
        stock_reboot.assert_called_once_with(
            self.driver,
            self.context,
            instance,
            'network',
            'shares',
            accel_info='accel',
        )

    def test_destination_of_a_live_migration(self):
        """Libvirt fills the root disk only, so the CD-ROMs come anew."""
        stock_backing = self.stock_method('_create_images_and_backing')
        instance = self.installed('migrating')
        known = list(self.backing(instance))
        for info in known:
            os.unlink(info['path'])
        names = [self.remove_base(i) for i in (fakes.ISO, fakes.DRIVERS)]
        del self.storage.created[:]
        self.driver._create_images_and_backing(
            self.context, instance, '/i', known, fallback_from_host='source'
        )
        self.assertEqual(
            [(names[0], fakes.ISO), (names[1], fakes.DRIVERS)],
            self.storage.fetched,
        )
        self.assertEqual(
            [('disk', names[0]), ('disk.virtio', names[1])],
            [(made[0], made[3]) for made in self.storage.created],
        )
        [root] = stock_backing.call_args.args[4]
        self.assertEqual('disk.newos', os.path.basename(root['path']))

    @ddt.data(None, driver_base.RESTORED)
    def test_backing_of_others(self, server_layout):
        """The same list, untouched."""
        stock_backing = self.stock_method('_create_images_and_backing')
        instance = fakes.server(
            server_layout=server_layout, task_state='migrating'
        )
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
        self.stock_method('_fetch_instance_kernel_ramdisk')
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.driver._create_images_and_backing(
            self.context, instance, self.directory(instance), None
        )

    @ddt.data('shelved_offloaded', 'active')
    def test_rebase(self, vm_state):
        """An unshelved disk must not be put on top of the ISO."""
        rebase = self.stock_method('_rebase_with_qemu_img')
        instance = fakes.server(
            server_layout=driver_base.RESTORED, vm_state=vm_state
        )
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
