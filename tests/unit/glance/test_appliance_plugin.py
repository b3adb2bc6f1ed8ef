# SPDX-License-Identifier: Apache-2.0

import copy
import os
from unittest import mock

import ddt
import fixtures
from glance import domain
from glance.api.v2 import images  # noqa: F401  registers Glance's options
from glance.async_.flows import api_image_import
from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from taskflow import engines
from taskflow import retry
from taskflow import task
from taskflow.patterns import linear_flow

from glance_ext.appliance import plugin
from tests.unit import base
from tests.unit.glance import appliances as make

IMAGE = 'c0ffee00-0000-4000-8000-000000000001'
TASK = 'import-task'
STORES = ['fast', 'slow']


class Repo:
    """Glance's repository with one image in it."""

    def __init__(self, image):
        self.image = image

    def get(self, image_id):
        return duplicate(self.image)

    def save(self, image, from_state=None):
        self.image = image


def duplicate(image):
    found = copy.copy(image)
    found.extra_properties = type(image.extra_properties)(
        image.extra_properties
    )
    return found


class Staged(task.Task):
    default_provides = 'file_path'

    def __init__(self, url):
        super().__init__()
        self.url = url

    def execute(self):
        return self.url


class Store(task.Task):
    """What comes after the plug-in.

    :param queue: whether its own undoing has the image queued, as that of
        image_conversion does
    """

    def __init__(self, error, queue, wrapper):
        super().__init__()
        self.error = error
        self.queue = queue
        self.wrapper = wrapper
        self.stored = None

    def execute(self, file_path):
        with open(file_path.removeprefix('file://'), 'rb') as file:
            self.stored = file.read()
        if self.error:
            raise self.error

    def revert(self, **unused):
        if self.queue:
            with self.wrapper as action:
                action.set_image_attribute(status='queued')


class ReservedProperties(domain.ExtraProperties):
    def __setitem__(self, name, value):
        if name.startswith('newos'):
            raise glance_exception.Forbidden()
        super().__setitem__(name, value)


class Base(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = self.useFixture(config_fixture.Config(cfg.CONF))
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, IMAGE)

    def image(self, **attributes):
        attributes = {
            'container_format': 'ova',
            'disk_format': 'vmdk',
            'name': 'shop',
        } | attributes
        properties = attributes.pop('extra_properties', {})
        image = domain.ImageFactory().new_image(
            image_id=IMAGE,
            extra_properties={
                'os_glance_import_task': TASK,
                'os_glance_importing_to_stores': ','.join(STORES),
            }
            | properties,
            **attributes,
        )
        image.status = 'importing'
        return image

    def run_import(self, content, image=None, error=None, queue=False):
        """Returns the image as it is after the import."""
        with open(self.path, 'wb') as file:
            file.write(content)
        self.repo = Repo(image or self.image())
        self.repo.image.size = len(content)
        wrapper = api_image_import.ImportActionWrapper(self.repo, IMAGE, TASK)
        self.store = Store(error, queue, wrapper)
        url = f'file://{self.path}'
        flow = linear_flow.Flow('import', retry=retry.AlwaysRevert()).add(
            Staged(url),
            plugin.get_flow(
                task_id=TASK,
                task_type='api_image_import',
                image_repo=self.repo,
                image_id=IMAGE,
                action_wrapper=wrapper,
                backend=STORES,
                context=None,
            ),
            self.store,
        )
        engine = engines.load(flow)
        try:
            engine.run()
        finally:
            self.result = self.repo.image
        return self.result

    def ova(self, disk=None, **said):
        disk = make.qcow2() if disk is None else disk
        return make.ova(
            ('a.ovf', make.descriptor(**said)), ('disk.vmdk', disk)
        )


class OvaTest(Base):
    def test_becomes_its_disk(self):
        disk = make.qcow2(size=5 * 2**30 + 1)
        image = self.run_import(self.ova(disk))
        self.assertEqual(disk, self.store.stored)
        self.assertEqual('bare', image.container_format)
        self.assertEqual('qcow2', image.disk_format)
        self.assertEqual(len(disk), image.size)
        self.assertEqual(6, image.min_disk)
        self.assertEqual(512, image.min_ram)
        self.assertEqual(
            ('ova:Web shop', '2'),
            (
                image.extra_properties['newos_source'],
                image.extra_properties['newos_vcpus'],
            ),
        )
        self.assertEqual([IMAGE], os.listdir(self.folder))

    def test_firmware(self):
        disk = make.qcow2()
        image = self.run_import(
            make.ova(
                ('a.ovf', make.vmware('p.qcow2', len(disk), 64, 'efi')),
                ('p.qcow2', disk),
            )
        )
        self.assertEqual('uefi', image.extra_properties['hw_firmware_type'])

    def test_what_the_owner_has_set_stays(self):
        image = self.run_import(
            self.ova(),
            self.image(
                min_disk=20,
                min_ram=4096,
                extra_properties={'newos_vcpus': '8'},
            ),
        )
        self.assertEqual((20, 4096), (image.min_disk, image.min_ram))
        self.assertEqual('8', image.extra_properties['newos_vcpus'])

    def test_what_is_not_known_is_not_said(self):
        image = self.run_import(self.ova(systems=make.system(hardware='')))
        self.assertEqual(0, image.min_ram)
        self.assertNotIn('newos_vcpus', image.extra_properties)
        self.assertNotIn('hw_firmware_type', image.extra_properties)

    def test_long_name(self):
        name = f'<Name>{"n" * 1000}</Name>'
        image = self.run_import(self.ova(systems=make.system(name=name)))
        self.assertEqual(255, len(image.extra_properties['newos_source']))

    def test_properties_that_the_operator_reserves(self):
        image = self.image()
        image.extra_properties = ReservedProperties(image.extra_properties)
        found = self.run_import(self.ova(), image)
        self.assertEqual('bare', found.container_format)
        self.assertNotIn('newos_source', found.extra_properties)

    def test_earlier_refusal_is_forgotten(self):
        image = self.run_import(
            self.ova(),
            self.image(extra_properties={'newos_refused': 'no disk'}),
        )
        self.assertNotIn('newos_refused', image.extra_properties)


@ddt.ddt
class RefusalTest(Base):
    def check_queued(self, image, **attributes):
        self.assertEqual('queued', image.status)
        for name, value in attributes.items():
            self.assertEqual(value, getattr(image, name), name)
        self.assertEqual('', self.property('os_glance_importing_to_stores'))
        self.assertEqual('fast,slow', self.property('os_glance_failed_import'))
        self.assertNotIn('newos_source', image.extra_properties)
        self.assertEqual([], os.listdir(self.folder))

    def property(self, name):
        return self.result.extra_properties[name]

    @ddt.data(
        ('cannot be read', b'no tar'),
        ('not in it', make.ova(('a.ovf', make.descriptor()))),
        ('2 disks', {'disks': make.disk() + make.disk()}),
        ('backing_file', {'disk': make.qcow2(backing=0x200)}),
        ('it is iso', {'disk': make.iso()}),
        ('1025 GiB', {'disk': make.qcow2(size=1025 * 2**30)}),
    )
    @ddt.unpack
    def test_ova(self, text, content):
        if isinstance(content, dict):
            content = self.ova(**content)
        with self.assertRaisesRegex(glance_exception.UploadException, text):
            self.run_import(content)
        self.check_queued(
            self.result,
            container_format='ova',
            disk_format='vmdk',
            min_disk=0,
            min_ram=0,
            # Else Glance would want the next upload to be as large.
            size=None,
        )
        self.assertRegex(self.property('newos_refused'), text)
        self.assertIsNone(self.store.stored)

    def test_format_that_the_cloud_does_not_take(self):
        self.conf.config(group='image_format', disk_formats=['raw', 'vmdk'])
        with self.assertRaisesRegex(
            glance_exception.UploadException, 'takes raw, vmdk'
        ):
            self.run_import(self.ova())

    def test_limit_of_the_operator(self):
        plugin.conf.register_opts(cfg.CONF)
        self.conf.config(group='newos_appliance', max_disk_size=5)
        with self.assertRaisesRegex(
            glance_exception.UploadException, '6 GiB, and may have 1 to 5'
        ):
            self.run_import(self.ova())

    @ddt.data(False, True)
    def test_later_failure_gives_the_image_back_as_it_was(self, queue):
        image = self.image(min_ram=64)
        with self.assertRaises(ZeroDivisionError):
            self.run_import(
                self.ova(), image, error=ZeroDivisionError(), queue=queue
            )
        self.assertIsNotNone(self.store.stored)
        self.check_queued(
            self.result,
            container_format='ova',
            disk_format='vmdk',
            min_disk=0,
            min_ram=64,
            size=None,
        )
        self.assertNotIn('newos_refused', self.result.extra_properties)

    def test_what_only_the_operator_is_to_know(self):
        error = OSError(28, 'No space left on device', '/secret/path')
        with (
            mock.patch.object(plugin.os, 'replace', side_effect=error),
            self.assertRaises(OSError),
        ):
            self.run_import(self.ova())
        self.check_queued(self.result, container_format='ova')
        self.assertNotIn('newos_refused', self.result.extra_properties)

    def test_another_task_has_the_image(self):
        image = self.image()
        image.extra_properties['os_glance_import_task'] = 'other'
        # Neither does the undoing touch it.
        with self.assertRaises(Exception):  # noqa: B017
            self.run_import(self.ova(), image)
        self.assertEqual('ova', self.result.container_format)
        self.assertEqual('importing', self.result.status)


@ddt.ddt
class DiskTest(Base):
    def bare(self, disk_format, **attributes):
        return self.image(
            container_format='bare', disk_format=disk_format, **attributes
        )

    @ddt.data(
        ('raw', make.raw(), 1),
        ('qcow2', make.qcow2(), 6),
        ('vmdk', make.vmdk(), 2),
    )
    @ddt.unpack
    def test_checked(self, disk_format, content, gib):
        image = self.run_import(content, self.bare(disk_format))
        self.assertEqual(content, self.store.stored)
        self.assertEqual(gib, image.min_disk)
        self.assertEqual(disk_format, image.disk_format)
        self.assertEqual(
            f'disk:{disk_format}', image.extra_properties['newos_source']
        )

    @ddt.data(
        ('vmdk', make.qcow2(), 'it is qcow2'),
        ('raw', make.qcow2(), 'it is qcow2'),
        ('qcow2', make.raw(), 'it is raw'),
        ('vmdk', make.vmdk(extent='/etc/passwd'), 'not safe'),
        ('qcow2', make.qcow2(backing=0x200), 'backing_file'),
    )
    @ddt.unpack
    def test_refused(self, disk_format, content, text):
        with self.assertRaisesRegex(glance_exception.UploadException, text):
            self.run_import(content, self.bare(disk_format))
        self.assertEqual('queued', self.result.status)
        self.assertEqual([], os.listdir(self.folder))

    @ddt.data(
        ('bare', 'iso'),
        ('bare', 'ami'),
        ('bare', 'ploop'),
        ('ami', 'ami'),
        ('docker', 'raw'),
        ('compressed', 'qcow2'),
        ('ovf', 'vmdk'),
    )
    @ddt.unpack
    def test_what_is_not_known_is_not_touched(self, container, disk_format):
        before = self.image(
            container_format=container, disk_format=disk_format
        )
        content = make.qcow2(backing=0x200)
        with mock.patch.object(Repo, 'save', autospec=True) as save:
            image = self.run_import(content, duplicate(before))
        save.assert_not_called()
        self.assertEqual(content, self.store.stored)
        self.assertEqual(before.extra_properties, image.extra_properties)
