# SPDX-License-Identifier: Apache-2.0

"""The plug-in in Glance's own flow, on a repository with one image."""

import os
import pathlib
from unittest import mock

import ddt
import fixtures
from glance.api.v2 import images as _options  # noqa: F401  Glance's options
from glance.async_.flows import api_image_import
from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_config import fixture as config_fixture

from glance_ext import conf
from glance_ext.appliance import ova
from tests.unit import base
from tests.unit.glance import appliances as make
from tests.unit.glance import flow
from tests.unit.glance import images

IMAGE, LOCK = images.IMAGE, images.LOCK


class Base(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = self.useFixture(config_fixture.Config(cfg.CONF))
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(self.folder, IMAGE)
        self.conf.config(node_staging_uri=f'file://{self.folder}')
        self.conf.config(
            group='image_import_opts', image_import_plugins=['newos_appliance']
        )
        self.layers = []
        self.stores = []

    def image(self, container_format='ova', **attributes):
        attributes = {'disk_format': 'vmdk', 'name': 'shop'} | attributes
        image = images.make(status='queued', **attributes)
        image.container_format = container_format
        return image

    @property
    def store(self):
        return self.stores[-1]

    @property
    def result(self):
        return self.database.image

    def run_import(
        self,
        content,
        image=None,
        error=None,
        queue=False,
        method='glance-direct',
    ):
        """Returns the image as it is after the import."""
        self.database = repo = images.Repo(image or self.image())
        for layer in self.layers:
            repo = layer(repo)
        if method == 'glance-direct':
            self.path.write_bytes(content)
            self.result.size = len(content)

        flow.run(
            repo,
            content,
            method,
            self.stores,
            error=error,
            queues=queue,
        )
        return self.result

    def meanwhile(self, what):
        """Have something done while the disk is taken out of its OVA."""
        self.useFixture(
            fixtures.MockPatchObject(ova.time, 'sleep', lambda _s: what())
        )

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
        self.assertEqual('active', image.status)
        self.assertEqual([], os.listdir(self.folder))

    def test_download(self):
        image = self.run_import(self.ova(), method='web-download')
        self.assertEqual('qcow2', image.disk_format)
        self.assertEqual(make.qcow2(), self.store.stored)

    def test_what_the_user_does_meanwhile_stays(self):
        def change():
            self.database.change(newos_vcpus='8', purpose='tests')
            self.result.name = 'renamed'
            self.result.min_ram = 64

        self.meanwhile(change)
        image = self.run_import(self.ova())
        self.assertEqual('qcow2', image.disk_format)
        self.assertEqual(('renamed', 64), (image.name, image.min_ram))
        self.assertEqual('8', image.extra_properties['newos_vcpus'])
        self.assertEqual('tests', image.extra_properties['purpose'])

    def test_no_second_file(self):
        seen = []
        self.meanwhile(lambda: seen.append(os.listdir(self.folder)))
        self.run_import(self.ova())
        self.assertEqual([[IMAGE]], seen)

    def test_more_than_the_quota_allows(self):
        self.conf.config(image_property_quota=1)
        self.layers = [images.with_quota]
        image = self.run_import(self.ova())
        self.assertEqual('active', image.status)
        self.assertEqual('qcow2', image.disk_format)
        self.assertEqual(6, image.min_disk)
        self.assertNotIn('newos_source', image.extra_properties)

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
        self.layers = [lambda repo: images.with_protections(repo, 'newos_')]
        found = self.run_import(
            self.ova(),
            self.image(extra_properties={'newos_refused': 'no disk'}),
        )
        self.assertEqual('active', found.status)
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
        self.assertEqual('fast', self.property('os_glance_failed_import'))
        self.assertNotIn('newos_source', image.extra_properties)
        self.assertNotIn(LOCK, image.extra_properties)
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
        conf.register_opts(cfg.CONF)
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

    def test_later_failure_leaves_what_the_user_has_changed(self):
        def execute(store, file_path):
            self.result.min_ram = 64
            self.database.change(newos_vcpus='8')
            raise ZeroDivisionError()

        with (
            mock.patch.object(flow.Store, 'execute', execute),
            self.assertRaises(ZeroDivisionError),
        ):
            self.run_import(self.ova())
        self.check_queued(self.result, min_ram=64, min_disk=0)
        self.assertEqual('8', self.property('newos_vcpus'))

    def test_failure_of_what_is_active(self):
        with (
            mock.patch.object(
                api_image_import._DeleteFromFS,
                'execute',
                side_effect=ZeroDivisionError(),
            ),
            self.assertRaises(ZeroDivisionError),
        ):
            self.run_import(self.ova())
        self.assertEqual('active', self.result.status)
        self.assertEqual('qcow2', self.result.disk_format)
        self.assertEqual('2', self.property('newos_vcpus'))

    @ddt.data(
        # protected, quota
        ('newos_', 9),
        ('other', 0),
    )
    @ddt.unpack
    def test_reason_cannot_be_set(self, protected, maximum):
        self.conf.config(image_property_quota=maximum)
        self.layers = [
            images.with_quota,
            lambda repo: images.with_protections(repo, protected),
        ]
        for method in ('glance-direct', 'web-download'):
            with self.assertRaisesRegex(
                glance_exception.UploadException, 'cannot be read'
            ):
                self.run_import(b'no tar', method=method)
            self.check_queued(self.result, container_format='ova')
            self.assertNotIn('newos_refused', self.result.extra_properties)

    @ddt.data(
        ('backing_file', None),
        ('it is raw', {'container_format': 'bare', 'disk_format': 'qcow2'}),
    )
    @ddt.unpack
    def test_download_that_is_refused(self, text, attributes):
        content = make.raw()
        if not attributes:
            content = self.ova(make.qcow2(backing=0x200))
        # Glance shows no text of several failures.
        with self.assertRaisesRegex(glance_exception.UploadException, text):
            self.run_import(
                content,
                self.image(**attributes or {}),
                method='web-download',
            )
        self.check_queued(self.result, size=None, min_disk=0)
        self.assertRegex(self.property('newos_refused'), text)

    @ddt.data('ova', 'bare')
    def test_download_that_fails_later(self, container):
        content = self.ova() if container == 'ova' else make.qcow2()
        with self.assertRaises(ZeroDivisionError):
            self.run_import(
                content,
                self.image(container, disk_format='qcow2'),
                error=ZeroDivisionError(),
                method='web-download',
            )
        self.check_queued(
            self.result, container_format=container, size=None, min_disk=0
        )

    @ddt.data('glance-direct', 'web-download')
    def test_image_is_deleted_meanwhile(self, method):
        def delete():
            self.path.unlink()
            self.database.image = None

        self.meanwhile(delete)
        with self.assertRaises(Exception):  # noqa: B017  Glance's own undoing
            self.run_import(self.ova(), method=method)
        self.assertEqual([], os.listdir(self.folder))

    def test_image_is_deleted_where_the_file_is_not(self):
        self.meanwhile(lambda: setattr(self.database, 'image', None))
        with self.assertRaises(Exception):  # noqa: B017  Glance's own undoing
            self.run_import(self.ova(), method='web-download')
        self.assertEqual([], os.listdir(self.folder))

    def test_what_only_the_operator_is_to_know(self):
        error = OSError(5, 'Input/output error', '/secret/path')

        def fail():
            raise error

        self.meanwhile(fail)
        with self.assertRaises(OSError):
            self.run_import(self.ova())
        self.check_queued(self.result, container_format='ova')
        self.assertNotIn('newos_refused', self.result.extra_properties)

    def test_another_task_has_the_image(self):
        self.meanwhile(
            lambda: self.database.change(os_glance_import_task='other')
        )
        # Neither does the undoing touch it.
        with self.assertRaises(Exception):  # noqa: B017  Glance's own undoing
            self.run_import(self.ova())
        self.assertEqual('ova', self.result.container_format)
        self.assertEqual('importing', self.result.status)
        self.assertTrue(self.path.exists())


@ddt.ddt
class DiskTest(Base):
    def bare(self, disk_format, **attributes):
        return self.image('bare', disk_format=disk_format, **attributes)

    @ddt.data(
        ('raw', make.raw(), 1),
        ('qcow2', make.qcow2(), 6),
        ('vmdk', make.vmdk(), 2),
        # Glance takes what is said to be raw, and so does Nova: an ISO that
        # boots from a disk, what is encrypted, and what is no disk by content.
        ('raw', make.iso(), 1),
        ('raw', make.raw(2**16)[:512] + make.iso()[512:], 1),
        ('raw', b'LUKS\xba\xbe\0\1' + b'\0' * 4096, 1),
        ('raw', make.qcow2(), 1),
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
        before = self.image(container, disk_format=disk_format)
        content = make.qcow2(backing=0x200)
        image = self.run_import(content, before)
        self.assertEqual(content, self.store.stored)
        self.assertEqual('active', image.status)
        self.assertEqual(0, image.min_disk)
        self.assertNotIn('newos_source', image.extra_properties)
