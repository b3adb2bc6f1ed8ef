# SPDX-License-Identifier: Apache-2.0

import os
import pathlib

import ddt
from nova import exception as nova_exception
from nova import objects
import nova.privsep.qemu
from nova.virt.libvirt import imagecache as stock

from nova_newos.virt import imagecache
from tests.unit.virt import fakes

UNUSED = '55555555-5555-4555-8555-555555555555'


class ImageCacheTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.storage = self.useFixture(fakes.Storage(self))
        self.patch(
            objects.BlockDeviceMappingList,
            'bdms_by_instance_uuid',
            return_value={},
        )
        # As aggressive as can be: whatever is not in use goes at once.
        self.flags(
            'image_cache',
            remove_unused_base_images=True,
            remove_unused_original_minimum_age_seconds=0,
            remove_unused_resized_minimum_age_seconds=0,
        )
        self.flags('newos', virtio_image_id=None)
        self.bases = pathlib.Path(self.instances_path, '_base')
        self.bases.mkdir()
        for image_id in (fakes.ISO, fakes.DRIVERS, UNUSED):
            self.base(image_id).write_bytes(fakes.iso_bytes())
        self.instance = fakes.server(server_layout=fakes.LAYOUT)

    def base(self, image_id):
        return self.bases / stock.get_cache_fname(image_id)

    def remaining(self):
        return {
            image_id
            for image_id in (fakes.ISO, fakes.DRIVERS, UNUSED)
            if self.base(image_id).exists()
        }

    def make_disk(self, name, image_id=None, suffix=''):
        directory = pathlib.Path(
            self.instances_path, self.instance.uuid + suffix
        )
        directory.mkdir(exist_ok=True)
        backing = image_id and str(self.base(image_id))
        fakes.write_disk(directory / name, 'qcow2', 1, backing)
        return directory / name

    def make_install_server(self, suffix=''):
        self.make_disk('disk.newos', suffix=suffix)
        self.make_disk('disk', fakes.ISO, suffix)
        self.make_disk('disk.virtio', fakes.DRIVERS, suffix)

    def run_manager(self, *instances, manager=imagecache.ImageCacheManager):
        made = manager()
        made.update(fakes.context(), list(instances))
        return made

    def inspected(self):
        """Names of files that qemu-img was run on, and the format given."""
        return {
            (os.path.basename(call.args[0]), call.kwargs.get('format'))
            for call in nova.privsep.qemu.unprivileged_qemu_img_info.mock_calls
            if call.args
        }


@ddt.ddt
class ImageCacheTest(ImageCacheTestCase):
    def test_stock(self):
        """This is what Nova's own manager does to an install server."""
        self.make_install_server()
        self.run_manager(self.instance, manager=stock.ImageCacheManager)
        self.assertEqual({fakes.ISO}, self.remaining())

    def test_install_server(self):
        """The driver ISO's base stays below a live overlay."""
        self.make_install_server()
        manager = self.run_manager(self.instance)
        self.assertEqual({fakes.ISO, fakes.DRIVERS}, self.remaining())
        self.assertEqual(
            [str(self.base(UNUSED))], manager.removable_base_files
        )
        self.assertIn(str(self.base(fakes.DRIVERS)), manager.active_base_files)

    def test_again_and_again(self):
        """And it does not depend on what was found before."""
        self.make_install_server()
        manager = imagecache.ImageCacheManager()
        for _ in range(3):
            manager.update(fakes.context(), [self.instance])
        self.assertEqual({fakes.ISO, fakes.DRIVERS}, self.remaining())

    def test_image_ref_is_another(self):
        """Nova's own rule still finds the base of the ISO."""
        self.make_install_server()
        self.instance.image_ref = UNUSED
        self.run_manager(self.instance)
        self.assertEqual({fakes.ISO, fakes.DRIVERS, UNUSED}, self.remaining())

    def test_directory_of_a_resize(self):
        """The disks of a server that may be reverted count as well."""
        self.instance.vm_state = 'resized'
        self.make_install_server(suffix='_resize')
        self.instance.image_ref = UNUSED
        self.run_manager(self.instance)
        self.assertIn(fakes.DRIVERS, self.remaining())

    def test_deleted_server(self):
        """The base goes when nobody needs it any more."""
        self.make_install_server()
        self.run_manager()
        self.assertEqual(set(), self.remaining())

    def test_media_of_any_name(self):
        self.make_install_server()
        self.make_disk('disk.third-party', UNUSED)
        self.run_manager(self.instance)
        self.assertIn(UNUSED, self.remaining())

    def test_what_the_guest_can_write(self):
        """It may have the header of any format and name any file."""
        self.make_install_server()
        for name in ('disk.eph0', 'disk.swap', 'disk.rescue', 'disk.local'):
            self.make_disk(name, UNUSED)
        self.run_manager(self.instance)
        self.assertEqual(
            {('disk.virtio', 'qcow2')},
            {read for read in self.inspected() if read[0] != 'disk'},
        )
        self.assertEqual({fakes.ISO, fakes.DRIVERS}, self.remaining())

    def test_not_removed_while_others_are(self):
        self.make_install_server()
        ordinary = fakes.server(
            fakes.image_dict('qcow2', UNUSED), uuid=fakes.OTHER
        )
        self.run_manager(self.instance, ordinary)
        self.assertEqual({fakes.ISO, fakes.DRIVERS, UNUSED}, self.remaining())

    def test_ordinary_server(self):
        """Without disk.newos no more files are read than by Nova."""
        self.make_disk('disk', fakes.ISO)
        self.make_disk('disk.eph0', fakes.DRIVERS)
        self.run_manager(self.instance)
        ours = self.inspected()
        self.assertEqual({'disk'}, {name for name, _format in ours})
        self.assertEqual({fakes.ISO}, self.remaining())
        nova.privsep.qemu.unprivileged_qemu_img_info.reset_mock()
        self.run_manager(self.instance, manager=stock.ImageCacheManager)
        self.assertEqual(self.inspected(), ours)

    def test_other_directories(self):
        """A directory that is no instance's is none of ours."""
        self.make_install_server()
        other = fakes.server(uuid=fakes.OTHER)
        self.run_manager(other)
        self.assertEqual({fakes.ISO}, self.remaining())


@ddt.ddt
class HostileContentTest(ImageCacheTestCase):
    def test_format_is_given(self):
        """No guessing at files whose bytes others chose."""
        self.make_install_server()
        self.run_manager(self.instance)
        self.assertIn(('disk.virtio', 'qcow2'), self.inspected())

    @ddt.data('disk.newos', 'disk.config', 'disk.info')
    def test_not_looked_at(self, name):
        """The root disk is the guest's, and has no base."""
        self.make_install_server()
        self.make_disk(name, UNUSED)
        self.run_manager(self.instance)
        self.assertNotIn(name, {found for found, _ in self.inspected()})
        self.assertNotIn(UNUSED, self.remaining())

    def test_raw_cdrom(self):
        self.make_install_server()
        path = self.make_disk('disk.answers')
        path.write_bytes(fakes.iso_bytes())
        self.run_manager(self.instance)
        self.assertEqual({fakes.ISO, fakes.DRIVERS}, self.remaining())

    def test_base_of_another_directory(self):
        """Only the name counts; nothing outside the cache is kept or read."""
        self.make_install_server()
        path = self.make_disk('disk.answers')
        fakes.write_disk(path, 'qcow2', 1, '/etc/shadow')
        manager = self.run_manager(self.instance)
        self.assertEqual(
            [],
            [
                name
                for name in manager.active_base_files
                if not name.startswith(str(self.bases))
            ],
        )

    @ddt.data(
        nova_exception.DiskNotFound(location='disk.virtio'),
        nova_exception.InvalidDiskInfo(reason='deleted meanwhile'),
    )
    def test_deleted_while_we_look(self, error):
        self.make_install_server()
        info = nova.privsep.qemu.unprivileged_qemu_img_info

        def gone(path, format=None):
            if path.endswith('disk.virtio'):
                raise error
            return self.storage._info(path, format)

        info.side_effect = gone
        self.run_manager(self.instance)
        self.assertIn(fakes.ISO, self.remaining())


@ddt.ddt
class ConfiguredTest(ImageCacheTestCase):
    def test_kept(self):
        """The next server needs it; fetching takes long."""
        self.flags('newos', virtio_image_id=fakes.DRIVERS)
        self.run_manager()
        self.assertEqual({fakes.DRIVERS}, self.remaining())

    def test_spelled_otherwise(self):
        lower = 'abcdefab-5555-4555-8555-555555555555'
        self.base(lower).write_bytes(fakes.iso_bytes())
        self.flags('newos', virtio_image_id=lower.upper())
        self.run_manager()
        self.assertTrue(self.base(lower).exists())

    def test_used_by_a_server_as_well(self):
        """Nova's own count of an image is not lost."""
        self.flags('newos', virtio_image_id=fakes.ISO)
        manager = self.run_manager(self.instance)
        self.assertEqual((1, 0), manager.used_images[fakes.ISO][:2])

    @ddt.data(None, '', 'none')
    def test_none(self, value):
        self.flags('newos', virtio_image_id=value)
        self.run_manager()
        self.assertEqual(set(), self.remaining())
