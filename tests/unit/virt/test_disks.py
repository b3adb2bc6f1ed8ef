# SPDX-License-Identifier: Apache-2.0

import errno
import json
import os
import pathlib

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import imagecache
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import base as media_base
from nova_newos.virt import blockinfo
from nova_newos.virt import disks
from tests.unit.virt import fakes

FULL = OSError(errno.ENOSPC, 'No space left on device')

MAPPING = {
    'disk.newos': {'bus': 'virtio', 'dev': 'vda', 'type': 'disk'},
    'disk': {'bus': 'ide', 'dev': 'hda', 'type': 'cdrom'},
    'disk.virtio': {'bus': 'ide', 'dev': 'hdb', 'type': 'cdrom'},
    'disk.answers': {'bus': 'ide', 'dev': 'hdc', 'type': 'cdrom'},
}


def base_name(image_id):
    return imagecache.get_cache_fname(image_id)


class DisksTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        blockinfo.install()
        self.storage = self.useFixture(fakes.Storage(self))
        self.written = []
        self.media = [
            fakes.VIRTIO,
            fakes.Medium(
                'answers', 'digest', media_base.Generated('LABEL', self.write)
            ),
        ]
        self.layout = fakes.LAYOUT
        self.instance = fakes.server()
        # LibvirtDriver._create_image makes it first.
        self.directory(self.instance)

    def write(self, path):
        self.written.append(path)
        pathlib.Path(path).write_bytes(fakes.iso_bytes(b'answers'))

    def with_answers(self):
        self.layout = layout.Layout(
            iso=fakes.ISO, root_gb=7, media=(('answers', 'digest'),)
        )

    def disks(self):
        return disks.Disks(
            self.storage.backend(),
            self.storage.fetch(),
            fakes.Media(*self.media),
        )

    def create(self, fallback_host=None):
        return self.disks().create(
            fakes.context(), self.instance, self.layout, MAPPING, fallback_host
        )

    def path(self, name):
        return os.path.join(self.directory(self.instance), name)

    def base(self, image_id):
        return os.path.join(self.instances_path, '_base', base_name(image_id))

    def recorded(self):
        """Formats on record, by file name."""
        content = pathlib.Path(self.path('disk.info')).read_text()
        return {
            os.path.basename(path): disk_format
            for path, disk_format in json.loads(content).items()
        }

    def files(self):
        return set(os.listdir(self.directory(self.instance)))


@ddt.ddt
class RootTest(DisksTestCase):
    @ddt.data(
        ('qcow2', 'qcow2'),
        ('raw', 'raw'),
        ('flat', 'raw'),
        ('default', 'qcow2'),
    )
    @ddt.unpack
    def test_blank(self, images_type, disk_format):
        """B3, A9: a format that is given, no base, the layout's size."""
        self.flags('libvirt', images_type=images_type)
        self.assertIs(True, self.create())
        self.assertEqual(
            ('disk.newos', disk_format, 7 * fakes.GiB, None),
            self.storage.created[0],
        )
        self.assertEqual(disk_format, self.recorded()['disk.newos'])

    @ddt.data('qcow2', 'raw')
    def test_not_made_again(self, images_type):
        """A5: Nova deletes the disks of a failed start if told they are new.

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
        """A3: a server that was installed never gets a blank disk."""
        self.instance.task_state = task_state
        with self.assertRaises(exception.RootDiskMissing):
            self.create()
        self.assertEqual([], self.storage.created)
        self.assertEqual([], self.storage.fetched)

    def test_guest_cannot_change_the_format(self):
        """A9: a raw root with a qcow2 header stays raw to the host."""
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
class CdromTest(DisksTestCase):
    def test_each_its_own_image(self):
        """B3: an overlay as large as the ISO, not as the flavor's disk."""
        self.create()
        self.assertEqual(
            [
                (base_name(fakes.ISO), fakes.ISO),
                (base_name(fakes.DRIVERS), fakes.DRIVERS),
            ],
            self.storage.fetched,
        )
        self.assertEqual(
            [
                ('disk', 'qcow2', None, base_name(fakes.ISO)),
                ('disk.virtio', 'qcow2', None, base_name(fakes.DRIVERS)),
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
            [(f'{base_name(fakes.DRIVERS)}.part', 'before')],
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
        self.storage.content[image_id] = FULL
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
class GeneratedTest(DisksTestCase):
    def setUp(self):
        super().setUp()
        self.with_answers()

    def test_format_is_on_record_before_there_are_bytes(self):
        """A9: Nova must not guess it from what a plug-in wrote."""
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

    @ddt.data(ZeroDivisionError, FULL)
    def test_failure_leaves_nothing(self, error):
        def half(path):
            pathlib.Path(path).write_bytes(b'half')
            raise error

        self.media = [
            fakes.Medium(
                'answers', 'digest', media_base.Generated('LABEL', half)
            )
        ]
        expected = exception.HostDiskFull if error is FULL else error
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
        self.disks().restore_cdroms(
            fakes.context(), self.instance, self.layout
        )
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
                name: made.image_type(self.instance, self.layout, name)
                for name in (
                    'disk.answers',
                    'disk',
                    'disk.newos',
                    'disk.config',
                    'disk.virtio',
                )
            },
        )


@ddt.ddt
class RestoreTest(DisksTestCase):
    """A1: what a hard reboot does about missing bases."""

    def setUp(self):
        super().setUp()
        self.create()
        self.instance.task_state = 'reboot_started_hard'
        del self.storage.fetched[:]
        del self.storage.created[:]

    def restore(self, running=None, host=None):
        self.disks().restore_cdroms(
            fakes.context(), self.instance, self.layout, running, host
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
        """A1: each base from its own image, never image_ref for all."""
        os.unlink(self.base(image_id))
        self.restore()
        self.assertEqual(
            [(base_name(image_id), image_id)], self.storage.fetched
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
            [base_name(fakes.DRIVERS)],
            [created[3] for created in self.storage.created],
        )

    def test_all_bases_missing(self):
        for image_id in (fakes.ISO, fakes.DRIVERS):
            os.unlink(self.base(image_id))
        self.restore()
        self.assertEqual(
            [
                (base_name(fakes.ISO), fakes.ISO),
                (base_name(fakes.DRIVERS), fakes.DRIVERS),
            ],
            self.storage.fetched,
        )

    @ddt.data(('qcow2', 'qcow2'), ('raw', 'raw'))
    @ddt.unpack
    def test_as_the_other_host_has_it(self, image_type, disk_format):
        """A7: a live guest is told no other format than it runs with."""
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
            [(f'{base_name(fakes.DRIVERS)}.part', 'before')],
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
        """A7: it would lose a CD-ROM that it may be installing from."""
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
            [], [n for n in left if n.startswith(base_name(fakes.ISO))]
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
        self.storage.content[fakes.ISO] = FULL
        with self.assertRaises(exception.HostDiskFull):
            self.restore()

    def test_host_full_of_a_copy(self):
        self.lose(fakes.ISO)
        self.storage.copy_error = processutils.ProcessExecutionError(
            stderr=os.strerror(errno.ENOSPC)
        )
        with self.assertRaises(exception.HostDiskFull):
            self.restore(host='before')


@ddt.ddt
class MovedTest(DisksTestCase):
    """A6: what a resize or cold migration does to the disks."""

    def setUp(self):
        super().setUp()
        self.execute = self.patch(disks.processutils, 'execute')

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
        others = self.disks().convert(
            self.instance, self.layout, info, converted.append
        )
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
            self.disks().convert(self.instance, self.layout, info, None)

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
            self.disks().convert(
                self.instance, self.layout, info, converted.append
            ),
        )
        self.assertEqual([self.path('disk')], converted)

    def grow(self, gib):
        self.disks().grow_root(self.instance, self.layout, gib * fakes.GiB)

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
        self.assertEqual(
            7 * fakes.GiB, self.disks().root_size(self.instance, self.layout)
        )
        self.assertEqual([], self.storage.guessed)

    def test_root_is_asked_for(self):
        self.create()
        self.disks().require_root(self.instance, self.layout)
        os.unlink(self.path('disk.newos'))
        self.assertFalse(self.disks().has_root(self.instance, self.layout))
        with self.assertRaises(exception.RootDiskMissing) as caught:
            self.disks().require_root(self.instance, self.layout)
        self.assertIn('disk.newos', str(caught.exception))

    def test_restored_root_is_not_made(self):
        """A3: neither blank nor from the ISO."""
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
