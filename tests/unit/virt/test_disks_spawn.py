# SPDX-License-Identifier: Apache-2.0

import errno
import json
import os
import pathlib

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import base as media_base
from tests.unit.virt import disks_base
from tests.unit.virt import fakes


@ddt.ddt
class RootTest(disks_base.DisksTestCase):
    @ddt.data(
        ('qcow2', 'qcow2'),
        ('raw', 'raw'),
        ('flat', 'raw'),
        ('default', 'qcow2'),
    )
    @ddt.unpack
    def test_blank(self, images_type, disk_format):
        """A format that is given, no base, the layout's size."""
        self.flags('libvirt', images_type=images_type)
        self.assertIs(True, self.create())
        self.assertEqual(
            ('disk.newos', disk_format, 7 * fakes.GiB, None),
            self.storage.created[0],
        )
        self.assertEqual(disk_format, self.recorded()['disk.newos'])

    @ddt.data('qcow2', 'raw')
    def test_not_made_again(self, images_type):
        """Nova deletes the disks of a failed start if told they are new.

        Of a server that is installed they are not.
        """
        self.flags('libvirt', images_type=images_type)
        self.create()
        pathlib.Path(self.path('disk.newos')).write_text('installed')
        del self.storage.created[:]
        self.assertIs(False, self.create())
        self.assertEqual([], self.storage.created)
        self.assertEqual(
            'installed', pathlib.Path(self.path('disk.newos')).read_text()
        )

    @ddt.data('spawning', 'rebuild_spawning')
    def test_spawns(self, task_state):
        self.instance.task_state = task_state
        self.assertIs(True, self.create())

    @ddt.data(
        None,
        'powering-on',
        'reboot_started_hard',
        'rebooting_hard',
        'rescuing',
        'unrescuing',
        'resize_finish',
        'resize_reverting',
        'migrating',
        'rebuilding',
        'rebuild_block_device_mapping',
    )
    def test_not_made_at_other_times(self, task_state):
        """A server that was installed never gets a blank disk."""
        self.instance.task_state = task_state
        with self.assertRaises(exception.RootDiskMissing):
            self.create()
        self.assertEqual([], self.storage.created)
        self.assertEqual([], self.storage.fetched)

    def test_guest_cannot_change_the_format(self):
        """A raw root with a qcow2 header stays raw to the host."""
        self.flags('libvirt', images_type='raw')
        self.create()
        fakes.write_disk(self.path('disk.newos'), 'qcow2', 1, '/etc/shadow')
        backend = self.storage.backend().by_name(self.instance, 'disk.newos')
        self.assertEqual('raw', backend.driver_format)

    def test_failure_leaves_nothing(self):
        error = processutils.ProcessExecutionError('qemu-img')

        def half(path, *_args, **_kwargs):
            pathlib.Path(path).write_text('half')
            raise error

        libvirt_utils.create_image.side_effect = half
        with self.assertRaises(processutils.ProcessExecutionError):
            self.create()
        self.assertNotIn('disk.newos', self.files())

    def test_preallocated(self):
        self.flags(preallocate_images='space')
        self.patch(imagebackend.Image, '_can_fallocate', return_value=True)
        execute = self.patch(processutils, 'execute')
        self.create()
        execute.assert_called_once_with(
            'fallocate', '-n', '-l', 7 * fakes.GiB, self.path('disk.newos')
        )

    def test_before_the_cdroms(self):
        """The image cache knows an install server by its disk.newos."""
        self.create()
        self.assertEqual(
            ['disk.newos', 'disk', 'disk.virtio'],
            [name for name, *_rest in self.storage.created],
        )


@ddt.ddt
class CdromTest(disks_base.DisksTestCase):
    def test_each_its_own_image(self):
        """An overlay as large as the ISO, not as the flavor's disk."""
        self.create()
        self.assertEqual(
            [
                (disks_base.base_name(fakes.ISO), fakes.ISO),
                (disks_base.base_name(fakes.DRIVERS), fakes.DRIVERS),
            ],
            self.storage.fetched,
        )
        self.assertEqual(
            [
                ('disk', 'qcow2', None, disks_base.base_name(fakes.ISO)),
                (
                    'disk.virtio',
                    'qcow2',
                    None,
                    disks_base.base_name(fakes.DRIVERS),
                ),
            ],
            self.storage.created[1:],
        )

    def test_raw(self):
        self.flags('libvirt', images_type='raw')
        self.create()
        for name, image_id in (
            ('disk', fakes.ISO),
            ('disk.virtio', fakes.DRIVERS),
        ):
            content = pathlib.Path(self.path(name)).read_bytes()
            self.assertEqual(fakes.iso_bytes(image_id.encode()), content)
            self.assertEqual('raw', self.recorded()[name])

    def test_cached(self):
        self.create()
        other = fakes.server(uuid=fakes.OTHER)
        self.instance = other
        self.directory(other)
        del self.storage.fetched[:]
        self.create()
        self.assertEqual([], self.storage.fetched)

    def test_no_media(self):
        self.layout = layout.Layout(iso=fakes.ISO, root_gb=1)
        self.create()
        self.assertEqual({'disk.newos', 'disk', 'disk.info'}, self.files())

    def test_image_gone_from_glance(self):
        """As Nova does for an ordinary server: from the host before."""
        self.storage.content[fakes.DRIVERS] = nova_exception.ImageNotFound(
            image_id=fakes.DRIVERS
        )
        self.create(fallback_host='before')
        self.assertEqual(
            [(f'{disks_base.base_name(fakes.DRIVERS)}.part', 'before')],
            self.storage.copied,
        )

    @ddt.data(fakes.ISO, fakes.DRIVERS)
    def test_image_gone_altogether(self, image_id):
        self.storage.content[image_id] = nova_exception.ImageNotFound(
            image_id=image_id
        )
        with self.assertRaises(nova_exception.ImageNotFound):
            self.create()

    @ddt.data(
        (fakes.ISO, 'disk'),
        (fakes.DRIVERS, 'virtio'),
    )
    @ddt.unpack
    def test_no_iso_inside(self, image_id, medium):
        """What Nova finds wrong with the bytes is a clear fault."""
        self.storage.content[image_id] = nova_exception.ImageUnacceptable(
            image_id=image_id, reason='it is a qcow2'
        )
        with self.assertRaises(exception.ImageContentRefused) as caught:
            self.create()
        error = caught.exception
        self.assertEqual((image_id, medium), (error.image_id, error.medium))
        self.assertIn('it is a qcow2', error.reason)

    def test_unsafe_base(self):
        """Nova's own inspection of the base, with a real header."""
        qcow2 = (
            b'QFI\xfb'
            + (3).to_bytes(4, 'big')
            + (512).to_bytes(8, 'big')
            + (16).to_bytes(4, 'big')
            + bytes(492 + 512)
        )
        self.storage.content[fakes.ISO] = qcow2
        with self.assertRaises(exception.ImageContentRefused):
            self.create()

    @ddt.data(fakes.ISO, fakes.DRIVERS)
    def test_host_full(self, image_id):
        self.storage.content[image_id] = disks_base.FULL
        with self.assertRaises(exception.HostDiskFull) as caught:
            self.create()
        self.assertEqual(self.instances_path, caught.exception.path)

    def test_host_full_for_a_tool(self):
        """cp and fallocate, which Nova runs, say it in their own words."""
        self.storage.content[fakes.ISO] = processutils.ProcessExecutionError(
            stderr="cp: error writing '/x': No space left on device\n"
        )
        with self.assertRaises(exception.HostDiskFull):
            self.create()

    def test_other_errors_of_a_tool(self):
        self.storage.content[fakes.ISO] = processutils.ProcessExecutionError(
            stderr='cp: Input/output error\n'
        )
        with self.assertRaises(processutils.ProcessExecutionError):
            self.create()

    def test_other_errors_of_the_host(self):
        self.storage.content[fakes.ISO] = OSError(errno.EIO, 'I/O error')
        with self.assertRaises(OSError) as caught:
            self.create()
        self.assertEqual(errno.EIO, caught.exception.errno)


@ddt.ddt
class GeneratedTest(disks_base.DisksTestCase):
    def setUp(self):
        super().setUp()
        self.with_answers()

    def test_format_is_on_record_before_there_are_bytes(self):
        """Nova must not guess it from what a plug-in wrote."""
        self.create()
        with open(self.path('disk.info')) as disk_info:
            formats = json.load(disk_info)
        self.assertEqual('raw', formats[self.path('disk.answers')])
        self.assertNotIn(fakes.iso_bytes(b'answers'), self.storage.guessed)

    @ddt.data('qcow2', 'raw')
    def test_written(self, images_type):
        self.flags('libvirt', images_type=images_type)
        self.create()
        self.assertEqual(
            fakes.iso_bytes(b'answers'),
            pathlib.Path(self.path('disk.answers')).read_bytes(),
        )
        self.assertEqual('raw', self.recorded()['disk.answers'])
        self.assertNotIn(
            'disk.answers', [name for name, *_ in self.storage.created]
        )

    def test_under_another_name_first(self):
        """A half-written CD-ROM would never be written again."""
        self.create()
        [written] = self.written
        self.assertNotEqual(self.path('disk.answers'), written)
        self.assertEqual(
            os.path.dirname(written), self.directory(self.instance)
        )
        self.assertNotIn(os.path.basename(written), self.files())

    @ddt.data(ZeroDivisionError, disks_base.FULL)
    def test_failure_leaves_nothing(self, error):
        def half(path):
            pathlib.Path(path).write_bytes(b'half')
            raise error

        self.media = [
            fakes.Medium(
                'answers', 'digest', media_base.Generated('LABEL', half)
            )
        ]
        expected = (
            exception.HostDiskFull if error is disks_base.FULL else error
        )
        with self.assertRaises(expected):
            self.create()
        self.assertEqual({'disk.newos', 'disk', 'disk.info'}, self.files())

    def test_written_once(self):
        self.create()
        self.create()
        self.assertEqual(1, len(self.written))

    def refuse(self):
        """Have a medium that cannot write its CD-ROM."""

        def write(_path):
            raise exception.AnswersChanged(expected='digest')

        self.media = [
            fakes.Medium(
                'answers', 'digest', media_base.Generated('LABEL', write)
            )
        ]

    def test_refusal(self):
        self.refuse()
        with self.assertRaises(exception.AnswersChanged):
            self.create()
        self.assertNotIn('disk.answers', self.files())

    def test_lost(self):
        """What was installed goes on, without that CD-ROM."""
        self.create()
        os.unlink(self.path('disk.answers'))
        self.refuse()
        self.instance.task_state = 'reboot_started_hard'
        self.disks().restore_cdroms(fakes.context(), self.server())
        self.assertNotIn('disk.answers', self.files())

    def test_image_type(self):
        made = self.disks()
        self.assertEqual(
            {
                'disk.answers': 'raw',
                'disk': None,
                'disk.newos': None,
                'disk.config': None,
                'disk.virtio': None,
            },
            {
                name: made.image_type(self.server(), name)
                for name in (
                    'disk.answers',
                    'disk',
                    'disk.newos',
                    'disk.config',
                    'disk.virtio',
                )
            },
        )
