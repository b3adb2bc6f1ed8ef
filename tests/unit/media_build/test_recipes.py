# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
import struct
from unittest import mock

import fixtures

from devstack.onebox.media import base as debian_base
from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import host
from devstack.onebox.media import kernel
from tests.unit import base


class MasterBootRecordTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.record = grub.master_boot_record(b'\xeb' * 512, sectors=4096)

    def test_boot_code_ends_before_the_disk_signature(self):
        self.assertEqual(512, len(self.record))
        self.assertEqual(b'\xeb' * 440 + b'\0' * 6, self.record[:446])
        self.assertEqual(b'\x55\xaa', self.record[510:])

    def test_holds_one_active_efi_partition(self):
        entry = self.record[446:462]
        self.assertEqual((0x80, 0xEF), (entry[0], entry[4]))
        self.assertEqual(
            (grub.FIRST_SECTOR, 4096), struct.unpack('<II', entry[8:])
        )
        self.assertEqual(b'\0' * 48, self.record[462:510])


class BiosImageTest(base.TestCase):
    def setUp(self):
        super().setUp()
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        (directory / 'boot.img').write_bytes(b'\xeb' * 512)
        self.useFixture(fixtures.MockPatchObject(grub, '_BIOS', directory))
        self.target = directory / 'bios.img'

    def _write(self, size):
        core = b'c' * size
        with mock.patch.object(grub, '_core_image', return_value=core):
            grub.write_bios_image(self.target, 'boot')

    def test_core_image_follows_in_sector_one(self):
        self._write(700)
        self.assertEqual(b'c' * 700, self.target.read_bytes()[512:])

    def test_core_image_that_fills_the_gap(self):
        self._write(2047 * 512)
        self.assertEqual(2048 * 512, self.target.stat().st_size)

    def test_core_image_that_would_reach_the_partition(self):
        self.assertRaisesRegex(
            host.MediaError, '1048065 bytes', self._write, 2047 * 512 + 1
        )
        self.assertFalse(self.target.exists())


class LoadOrderTest(base.TestCase):
    def test_dependencies_first_and_each_once(self):
        said = (
            b'insmod /r/lib/modules/6/kernel/virtio.ko \n'
            b'insmod /r/lib/modules/6/kernel/virtio_blk.ko \n'
            b'builtin ext4\n'
            b'insmod /r/lib/modules/6/kernel/virtio.ko \n'
            b'insmod /r/lib/modules/6/kernel/virtio_scsi.ko \n'
        )
        with mock.patch.object(host, 'run', return_value=said):
            files = kernel._in_load_order(Path('/r'), '6', ['virtio_blk'])
        self.assertEqual(
            ['virtio.ko', 'virtio_blk.ko', 'virtio_scsi.ko'],
            [path.name for path in files],
        )


class SourcesTest(base.TestCase):
    def _sources(self, *answers):
        self.run = mock.Mock(side_effect=answers)
        with mock.patch.object(host, 'run', self.run):
            return host.debian_sources('bookworm')

    def test_those_of_the_suite(self):
        sources = self._sources(
            b'http://mirror/debian/ bookworm main\n'
            b'http://mirror/debian/ bookworm main\n'
            b'http://mirror/debian-security/ bookworm-security main\n'
            b'http://mirror/debian/ bookworm-backports main\n'
            b'http://mirror/debian/ trixie main\n'
        )
        self.assertEqual(
            [
                'deb http://mirror/debian-security/ bookworm-security main',
                'deb http://mirror/debian/ bookworm main',
            ],
            sources.splitlines(),
        )

    def test_none_on_a_machine_that_is_no_debian(self):
        self.assertEqual('', self._sources(b''))


class PackageVersionsTest(base.TestCase):
    def _versions(self, *answers):
        self.run = mock.Mock(side_effect=answers)
        with mock.patch.object(host, 'run', self.run):
            return host.package_versions(['kernel'])

    def test_from_the_lists_there_are(self):
        self.assertEqual(b'kernel 1', self._versions(b'kernel 1'))

    def test_lists_are_fetched_when_there_are_none(self):
        self.assertEqual(b'kernel 1', self._versions(b'', b'', b'kernel 1'))
        self.assertIn('update', self.run.call_args_list[1].args)


class SuiteTest(base.TestCase):
    def _suite(self, **release):
        with mock.patch(
            'platform.freedesktop_os_release', return_value=release
        ):
            return host.debian_suite()

    def test_is_the_machines_own(self):
        self.assertEqual(
            'trixie', self._suite(ID='debian', VERSION_CODENAME='trixie')
        )

    def test_is_a_known_one_elsewhere(self):
        self.assertEqual(
            'bookworm', self._suite(ID='ubuntu', VERSION_CODENAME='noble')
        )
        self.assertEqual('bookworm', self._suite(ID='debian'))


class BaseKeyTest(base.TestCase):
    def _key(self, versions):
        store = mock.Mock(spec=cache.Cache)
        with mock.patch.multiple(
            host,
            install_missing=mock.DEFAULT,
            debian_suite=mock.Mock(return_value='bookworm'),
            package_versions=mock.Mock(return_value=versions),
        ):
            debian_base.obtain(store, print)
        return store.product.call_args.args[1]

    def test_changes_with_the_versions_of_the_packages(self):
        self.assertEqual(self._key(b'kernel 1'), self._key(b'kernel 1'))
        self.assertNotEqual(self._key(b'kernel 1'), self._key(b'kernel 2'))
