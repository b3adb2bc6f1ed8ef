# SPDX-License-Identifier: Apache-2.0

import os
from unittest import mock

import ddt
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import imagecache as stock_imagecache

from nova_newos.virt import fault
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


@ddt.ddt
class DisksTest(driver_base.DriverTestCase):
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
        (driver_base.RESTORED, ''),
        (None, '.rescue'),
        (driver_base.RESTORED, '.rescue'),
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

    @ddt.data(None, driver_base.RESTORED)
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
