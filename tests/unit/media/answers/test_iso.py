# SPDX-License-Identifier: Apache-2.0

import os
import re
import time
from unittest import mock

import ddt
import fixtures

from nova_newos.media.answers import iso
from tests.unit import base
from tests.unit.media.answers import cd_files
from tests.unit.media.answers import readback


class IsoTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir())

    def write(self, content=cd_files.FILES, label='OEMDRV', name='cd'):
        path = self.directory.join(name)
        iso.write(label, content, path)
        return path

    def bytes_of(self, *args, **kwargs):
        with open(self.write(*args, **kwargs), 'rb') as file:
            return file.read()


@ddt.ddt
class ContentTest(IsoTestCase):
    @ddt.data('rr_path', 'joliet_path')
    def test_real_names(self, view):
        self.assertEqual(
            cd_files.CONTENT, readback.contents(self.write(), view)
        )

    def test_names_of_iso_9660(self):
        """All files are there, whatever they are called."""
        found = readback.contents(self.write(), 'iso_path')
        self.assertEqual(
            sorted(cd_files.CONTENT.values()), sorted(found.values())
        )
        for path in found:
            self.assertTrue(re.fullmatch(r'[A-Z0-9_./]+;1', path), path)
            for part in path.removesuffix(';1').split('/'):
                self.assertLessEqual(len(part), 31)

    def test_most_files_of_the_same_short_name(self):
        many = [
            iso.File(f'd/{"n" * 40}{number}', b'%d' % number)
            for number in range(64)
        ]
        found = readback.contents(self.write(many), 'iso_path')
        self.assertEqual({f.data for f in many}, set(found.values()))

    @ddt.data('OEMDRV', 'CIDATA', 'ANSWERS', 'ignition', 'combustion')
    def test_label(self, label):
        self.assertEqual(
            (label, label), readback.labels(self.write(label=label))
        )

    def test_modes(self):
        modes = readback.modes(self.write())
        self.assertEqual(0o100555, modes.pop('a.b/c.d'))
        self.assertEqual({0o100444}, set(modes.values()))

    def test_modes_of_directories(self):
        path = self.write()
        for name in ('a.b', '$OEM$/$1'):
            self.assertEqual(0o040555, readback.mode(path, name))

    def test_whole_sectors(self):
        self.assertEqual(0, os.path.getsize(self.write()) % 2048)


class SameBytesTest(IsoTestCase):
    def at(self, seconds, zone):
        """Write at another time, in another time zone."""
        self.useFixture(fixtures.EnvironmentVariable('TZ', zone))
        time.tzset()
        self.addCleanup(time.tzset)
        with mock.patch('time.time', return_value=seconds):
            return self.bytes_of(name=str(seconds))

    def test_at_any_time_and_place(self):
        first = self.at(1_000_000_000.0, 'UTC')
        self.assertEqual(first, self.at(2_000_000_000.5, 'UTC'))
        self.assertEqual(first, self.at(1_000_000_000.0, 'Asia/Tokyo'))
        self.assertEqual(first, self.bytes_of())

    def test_in_any_order(self):
        self.assertEqual(self.bytes_of(), self.bytes_of(cd_files.FILES[::-1]))

    def test_label_and_files_matter(self):
        first = self.bytes_of()
        self.assertNotEqual(first, self.bytes_of(label='CIDATA'))
        self.assertNotEqual(first, self.bytes_of(cd_files.FILES[1:]))
