# SPDX-License-Identifier: Apache-2.0

import errno
import os
import pathlib

import ddt
from nova import exception as nova_exception
from oslo_concurrency import processutils

from nova_newos import exception
from tests.unit.virt import disks_base
from tests.unit.virt import fakes


@ddt.ddt
class RestoreTest(disks_base.DisksTestCase):
    """What a hard reboot does about missing bases."""

    def setUp(self):
        super().setUp()
        self.create()
        self.instance.task_state = 'reboot_started_hard'
        del self.storage.fetched[:]
        del self.storage.created[:]

    def restore(self, running=None, host=None):
        self.disks().restore_cdroms(
            fakes.context(), self.server(), running, host
        )

    def lose(self, image_id):
        """Remove a base, and its image from Glance."""
        os.unlink(self.base(image_id))
        self.storage.content[image_id] = nova_exception.ImageNotFound(
            image_id=image_id
        )

    def test_nothing_is_missing(self):
        self.restore()
        self.assertEqual([], self.storage.fetched)
        self.assertEqual([], self.storage.created)

    @ddt.data(('disk', fakes.ISO), ('disk.virtio', fakes.DRIVERS))
    @ddt.unpack
    def test_missing_base(self, name, image_id):
        """Each base from its own image, never image_ref for all."""
        os.unlink(self.base(image_id))
        self.restore()
        self.assertEqual(
            [(disks_base.base_name(image_id), image_id)], self.storage.fetched
        )
        self.assertEqual(
            fakes.iso_bytes(image_id.encode()),
            pathlib.Path(self.base(image_id)).read_bytes(),
        )
        self.assertEqual([], self.storage.created)

    def test_missing_overlay(self):
        os.unlink(self.path('disk.virtio'))
        self.restore()
        self.assertEqual([], self.storage.fetched)
        self.assertEqual(
            [disks_base.base_name(fakes.DRIVERS)],
            [created[3] for created in self.storage.created],
        )

    def test_all_bases_missing(self):
        for image_id in (fakes.ISO, fakes.DRIVERS):
            os.unlink(self.base(image_id))
        self.restore()
        self.assertEqual(
            [
                (disks_base.base_name(fakes.ISO), fakes.ISO),
                (disks_base.base_name(fakes.DRIVERS), fakes.DRIVERS),
            ],
            self.storage.fetched,
        )

    @ddt.data(('qcow2', 'qcow2'), ('raw', 'raw'))
    @ddt.unpack
    def test_as_the_other_host_has_it(self, image_type, disk_format):
        """A live guest is told no other format than it runs with."""
        for name in ('disk', 'disk.virtio', 'disk.info'):
            os.unlink(self.path(name))
        self.restore({'disk': image_type, 'disk.virtio': image_type})
        for name, image_id in (
            ('disk', fakes.ISO),
            ('disk.virtio', fakes.DRIVERS),
        ):
            if disk_format == 'raw':
                self.assertEqual(
                    fakes.iso_bytes(image_id.encode()),
                    pathlib.Path(self.path(name)).read_bytes(),
                )
            else:
                self.assertEqual(
                    'qcow2', fakes.read_disk(self.path(name))['format']
                )

    def test_base_and_image_gone(self):
        self.lose(fakes.DRIVERS)
        self.restore(host='before')
        self.assertEqual(
            [(f'{disks_base.base_name(fakes.DRIVERS)}.part', 'before')],
            self.storage.copied,
        )

    @ddt.data(None, 'before')
    def test_gone_everywhere(self, host):
        """The server goes on without; the other CD-ROM is there."""
        self.lose(fakes.ISO)
        os.unlink(self.base(fakes.DRIVERS))
        self.storage.copy_error = processutils.ProcessExecutionError(
            stderr='no such file'
        )
        self.restore(host=host)
        self.assertFalse(os.path.exists(self.base(fakes.ISO)))
        self.assertTrue(os.path.exists(self.base(fakes.DRIVERS)))

    def test_glance_is_down(self):
        """No reason to go on without: a retry will have it."""
        os.unlink(self.base(fakes.ISO))
        self.storage.content[fakes.ISO] = (
            nova_exception.GlanceConnectionFailed(server='s', reason='r')
        )
        with self.assertRaises(nova_exception.GlanceConnectionFailed):
            self.restore()

    @ddt.data(None, 'before')
    def test_gone_below_a_running_guest(self, host):
        """It would lose a CD-ROM that it may be installing from."""
        self.lose(fakes.ISO)
        self.storage.copy_error = processutils.ProcessExecutionError()
        with self.assertRaises(
            (nova_exception.ImageNotFound, exception.CopyFailed)
        ):
            self.restore({'disk': 'qcow2', 'disk.virtio': 'qcow2'}, host)

    def test_drive_of_a_running_guest_is_empty(self):
        self.lose(fakes.ISO)
        self.restore({'disk.virtio': 'qcow2'})

    def test_gone_before_the_spawn(self):
        """A new server without its ISO is no use to anyone."""
        self.lose(fakes.ISO)
        self.instance.task_state = 'spawning'
        with self.assertRaises(nova_exception.ImageNotFound):
            self.create()

    def test_too_large_by_now(self):
        """It is not fetched again; what is installed goes without."""
        os.unlink(self.base(fakes.DRIVERS))
        del self.storage.sized[:]
        self.storage.size_error = exception.MediumTooLarge(
            image_id=fakes.DRIVERS, medium='virtio', limit=1
        )
        self.restore()
        self.assertEqual([(fakes.DRIVERS, 'virtio')], self.storage.sized)
        self.assertEqual([], self.storage.fetched)

    def test_size_of_the_iso(self):
        """The flavor has a word in that, not the option."""
        os.unlink(self.base(fakes.ISO))
        del self.storage.sized[:]
        self.restore()
        self.assertEqual([], self.storage.sized)
        self.assertEqual(1, len(self.storage.fetched))

    def test_deactivated(self):
        """Glance says 403 then, and a user can do nothing about it."""
        self.lose(fakes.ISO)
        self.storage.content[fakes.ISO] = nova_exception.ImageNotAuthorized(
            image_id=fakes.ISO
        )
        self.restore()

    def test_half_a_copy(self):
        """Nova would leave it under its final name."""
        self.lose(fakes.ISO)

        self.storage.copy_error = processutils.ProcessExecutionError()
        self.storage.half_copied = True
        self.restore(host='before')
        left = os.listdir(os.path.dirname(self.base(fakes.ISO)))
        self.assertEqual(
            [],
            [n for n in left if n.startswith(disks_base.base_name(fakes.ISO))],
        )

    def test_whole_without_a_base(self):
        """A flat CD-ROM, or one that came from such a host."""
        self.flags('libvirt', images_type='flat')
        os.unlink(self.path('disk'))
        os.unlink(self.path('disk.virtio'))
        os.unlink(self.path('disk.info'))
        self.restore()
        for image_id in (fakes.ISO, fakes.DRIVERS):
            self.lose(image_id)
        del self.storage.fetched[:]
        self.restore()
        self.assertEqual([], self.storage.fetched)

    def test_tool_failed(self):
        """What is no copy from another host is a defect to be seen."""
        os.unlink(self.base(fakes.ISO))
        self.storage.content[fakes.ISO] = processutils.ProcessExecutionError()
        with self.assertRaises(processutils.ProcessExecutionError):
            self.restore()

    def test_of_a_server_without(self):
        self.layout = self.layout.restored()
        for image_id in (fakes.ISO, fakes.DRIVERS):
            os.unlink(self.base(image_id))
        self.restore()
        self.assertEqual([], self.storage.fetched)

    def test_generated(self):
        self.with_answers()
        self.restore()
        os.unlink(self.path('disk.answers'))
        self.restore()
        self.assertEqual(2, len(self.written))
        self.assertEqual(
            fakes.iso_bytes(b'answers'),
            pathlib.Path(self.path('disk.answers')).read_bytes(),
        )

    def test_host_full(self):
        os.unlink(self.base(fakes.ISO))
        self.storage.content[fakes.ISO] = disks_base.FULL
        with self.assertRaises(exception.HostDiskFull):
            self.restore()

    def test_host_full_of_a_copy(self):
        self.lose(fakes.ISO)
        self.storage.copy_error = processutils.ProcessExecutionError(
            stderr=os.strerror(errno.ENOSPC)
        )
        with self.assertRaises(exception.HostDiskFull):
            self.restore(host='before')
