# SPDX-License-Identifier: Apache-2.0

import os

import ddt
from nova.virt.libvirt import imagebackend
from oslo_concurrency import processutils

from nova_newos import exception
from tests.unit.virt import disks_base
from tests.unit.virt import fakes


@ddt.ddt
class MovedTest(disks_base.DisksTestCase):
    """What a resize or cold migration does to the disks."""

    def setUp(self):
        super().setUp()
        self.execute = self.patch(processutils, 'execute')

    def move(self, source, here):
        """Make the disks as one host would and convert them on another."""
        self.flags('libvirt', images_type=source)
        self.create()
        info = [
            {'path': self.path(name), 'type': disk_format}
            for name, disk_format in {
                **self.recorded(),
                'disk.eph0': 'raw',
            }.items()
        ]
        self.flags('libvirt', images_type=here)
        self.instance.task_state = 'resize_finish'
        converted = []
        others = self.disks().convert(self.server(), info, converted.append)
        self.assertEqual(
            ['disk.eph0'], [os.path.basename(each['path']) for each in others]
        )
        return {os.path.basename(path) for path in converted}

    def test_from_raw_to_qcow2(self):
        """Nova's qcow2 backend believes no record of another format."""
        self.assertEqual(
            {'disk.newos', 'disk', 'disk.virtio'}, self.move('flat', 'qcow2')
        )

    def test_record_of_a_converted_disk(self):
        """Another flat host would take it for raw, and find it blank."""
        self.move('flat', 'qcow2')
        self.assertEqual(
            {'disk.newos': 'qcow2', 'disk': 'qcow2', 'disk.virtio': 'qcow2'},
            self.recorded(),
        )

    def test_wrong_record(self):
        self.flags('libvirt', images_type='flat')
        self.create()
        info = [{'path': self.path('disk.newos'), 'type': 'qcow2'}]
        with self.assertRaises(exception.DiskFormatMismatch):
            self.disks().convert(self.server(), info, None)

    @ddt.data(('qcow2', 'qcow2'), ('flat', 'flat'), ('qcow2', 'flat'))
    @ddt.unpack
    def test_nothing_to_convert(self, source, here):
        """use_cow_images, on by default, is not asked."""
        self.assertEqual(set(), self.move(source, here))

    def test_generated_stays_raw(self):
        self.with_answers()
        self.assertEqual({'disk.newos', 'disk'}, self.move('flat', 'qcow2'))

    def test_restored_root(self):
        self.create()
        os.rename(self.path('disk.newos'), self.path('disk'))
        self.layout = self.layout.restored()
        info = [{'path': self.path('disk'), 'type': 'raw'}]
        converted = []
        self.assertEqual(
            [],
            self.disks().convert(self.server(), info, converted.append),
        )
        self.assertEqual([self.path('disk')], converted)

    def grow(self, gib):
        self.disks().grow_root(self.server(), gib * fakes.GiB)

    @ddt.data(('qcow2', 'qcow2'), ('flat', 'raw'))
    @ddt.unpack
    def test_grow(self, images_type, disk_format):
        """The disk, by a format that is given, and not what is in it."""
        self.flags('libvirt', images_type=images_type)
        self.create()
        self.grow(8)
        self.execute.assert_called_once_with(
            'qemu-img',
            'resize',
            '-f',
            disk_format,
            self.path('disk.newos'),
            8 * fakes.GiB,
        )

    @ddt.data(0, 6, 7)
    def test_never_smaller(self, gib):
        self.create()
        self.grow(gib)
        self.execute.assert_not_called()

    def test_grow_preallocated(self):
        self.create()
        self.flags(preallocate_images='space')
        self.patch(imagebackend.Image, '_can_fallocate', return_value=True)
        self.grow(8)
        self.assertEqual(
            ['qemu-img', 'fallocate'],
            [call.args[0] for call in self.execute.mock_calls],
        )

    def test_size(self):
        self.create()
        self.assertEqual(7 * fakes.GiB, self.disks().root_size(self.server()))
        self.assertEqual([], self.storage.guessed)

    def test_root_is_asked_for(self):
        self.create()
        self.disks().require_root(self.server())
        os.unlink(self.path('disk.newos'))
        self.assertFalse(self.disks().has_root(self.server()))
        with self.assertRaises(exception.RootDiskMissing) as caught:
            self.disks().require_root(self.server())
        self.assertIn('disk.newos', str(caught.exception))

    def test_restored_root_is_not_made(self):
        """Neither blank nor from the ISO."""
        self.layout = self.layout.restored()
        self.instance.task_state = 'spawning'
        with self.assertRaises(exception.RootDiskMissing):
            self.create()
        self.assertEqual([], self.storage.created)
        self.assertEqual([], self.storage.fetched)

    def test_evacuated_root_is_not_made(self):
        self.instance.task_state = 'rebuild_spawning'
        self.instance.host = 'another'
        with self.assertRaises(exception.RootDiskMissing):
            self.create()
        self.assertEqual([], self.storage.created)
