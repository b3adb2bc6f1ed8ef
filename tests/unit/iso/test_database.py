# SPDX-License-Identifier: Apache-2.0

import io
import os
import pathlib
import tarfile
import threading
import time
from unittest import mock

import ddt
import fixtures

from nova_newos import iso
from nova_newos.iso import database
from tests.unit import base

WINDOWS = '^(J_)?C?CCOMA_X64FREE?_'

# A system's file of the database: id, then what is in it.
FILES = {
    'example.org/base-1.xml': """
        <os id="base/1">
          <short-id>base1</short-id>
          <short-id>baseone</short-id>
          <name>Base 1</name>
          <name xml:lang="de">Basis 1</name>
          <version>1</version>
          <family>linux</family>
          <distro>Base</distro>
          <release-date>2020-01-01</release-date>
          <media arch="x86_64">
            <iso><volume-id>^Base 1 amd64</volume-id></iso>
          </media>
          <media arch="aarch64" installer-script="false">
            <iso><volume-id>^Base 1 arm64</volume-id></iso>
          </media>
          <media arch="all" live="true" installer="false">
            <iso><volume-id>^Base 1 Live</volume-id></iso>
          </media>
          <media arch="x86_64">
            <iso><volume-id>^Dual</volume-id></iso>
          </media>
          <media arch="i686">
            <iso><volume-id>^Dual</volume-id></iso>
          </media>
          <media arch="x86_64">
            <iso>
              <application-id>THE BASE</application-id>
              <system-id>LINUX</system-id>
              <volume-size>4096</volume-size>
            </iso>
          </media>
          <media arch="x86_64">
            <iso><volume-id>^Any</volume-id></iso>
          </media>
          <media arch="all">
            <iso><volume-id>^Any</volume-id></iso>
          </media>
          <media arch="x86_64"><url>http://example.org</url></media>
          <resources arch="all">
            <minimum><ram>1</ram><storage>1073741825</storage></minimum>
            <recommended><ram>1073741824</ram></recommended>
          </resources>
          <resources arch="aarch64">
            <minimum><ram>2147483648</ram></minimum>
          </resources>
          <installer><script id="a"/></installer>
        </os>""",
    'example.org/clone-2.xml': """
        <os id="clone/2">
          <short-id>clone2</short-id>
          <name>Clone 2</name>
          <clones id="base/1"/>
          <derives-from id="nobody"/>
          <media arch="x86_64">
            <iso><volume-id>Clone-2\\.\\d+</volume-id></iso>
          </media>
          <resources arch="all" inherit="true">
            <minimum><ram>3221225472</ram></minimum>
          </resources>
        </os>""",
    'example.org/circle.xml': """
        <os id="circle">
          <short-id>circle</short-id>
          <name>Circle</name>
          <upgrades id="circle"/>
          <media arch="x86_64">
            <iso><volume-id>CIRCLE</volume-id></iso>
          </media>
          <resources arch="all" inherit="true"/>
        </os>""",
    'example.com/win.xml': f"""
        <os id="win/10"><short-id>win10</short-id><name>Ten</name>
          <family>winnt</family><distro>win</distro>
          <release-date>2018</release-date>
          <media arch="x86_64"><iso>
            <volume-id>{WINDOWS}</volume-id>
            <publisher-id>MICROSOFT</publisher-id>
          </iso></media></os>
        <os id="win/11"><short-id>win11</short-id><name>Eleven</name>
          <family>winnt</family><distro>win</distro>
          <release-date>2021</release-date>
          <media arch="x86_64"><iso>
            <volume-id>{WINDOWS}</volume-id>
            <publisher-id>MICROSOFT</publisher-id>
          </iso></media></os>""",
    'example.com/el.xml': """
        <os id="el/8"><short-id>el8</short-id><name>EL</name>
          <media arch="all"><iso><volume-id>EL-8.*</volume-id></iso></media>
        </os>
        <os id="rhel/8"><short-id>rhel8</short-id><name>RHEL</name>
          <media arch="all"><iso><volume-id>RHEL-8.*</volume-id></iso></media>
        </os>""",
    'example.com/bad.xml': """
        <os id="bad"><short-id>bad</short-id><name>Bad</name>
          <media arch="all"><iso><volume-id>(</volume-id></iso></media>
          <media arch="all"><iso>
            <volume-id>(a+)+$</volume-id>
          </iso></media>
        </os>""",
    'example.org/base-1.d/drivers.xml': """
        <os id="base/1"><driver arch="x86_64"/></os>""",
}


def write(path, files=FILES):
    for name, content in files.items():
        file = path / 'os' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'<libosinfo version="0.0.1">{content}</libosinfo>')


def medium(volume_id='', **words):
    return iso.Iso(**{'volume_id': volume_id, 'volume_size': 2048} | words)


def ids(systems):
    return [system.short_id for system in systems]


class DatabaseTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.log = self.useFixture(fixtures.FakeLogger())
        database._compile.cache_clear()
        write(self.path)
        self.database = iso.Database(self.path)

    def identify(self, *args, **words):
        return self.database.identify(medium(*args, **words))


@ddt.ddt
class IdentifyTest(DatabaseTestCase):
    def test_a_system(self):
        self.assertEqual(
            (
                iso.System(
                    short_id='base1',
                    name='Base 1',
                    family='linux',
                    distro='base',
                    version='1',
                    architecture='x86_64',
                    live=False,
                    installer=True,
                    min_ram=1,
                    recommended_ram=1024,
                    min_disk=2,
                    recommended_disk=0,
                    unattended=True,
                ),
            ),
            self.identify('Base 1 amd64 n'),
        )

    def test_of_an_architecture(self):
        (system,) = self.identify('Base 1 arm64')
        self.assertEqual((2048, 0), (system.min_ram, system.min_disk))
        self.assertFalse(system.unattended)

    def test_live(self):
        (system,) = self.identify('Base 1 Live')
        self.assertTrue(system.live)
        self.assertFalse(system.installer)
        self.assertFalse(system.unattended)
        self.assertEqual('', system.architecture)

    def test_inherits(self):
        (system,) = self.identify('x Clone-2.10')
        self.assertEqual(('linux', 'base'), (system.family, system.distro))
        self.assertEqual(
            (3072, 1024), (system.min_ram, system.recommended_ram)
        )
        self.assertEqual(2, system.min_disk)
        self.assertEqual('', system.version)
        self.assertFalse(system.unattended)

    def test_circle_ends(self):
        (system,) = self.identify('CIRCLE')
        self.assertEqual(('', 0), (system.family, system.min_ram))

    def test_ambiguous(self):
        """The newer one first."""
        found = self.identify(
            'CCCOMA_X64FRE_EN-US_DV9', publisher_id='MICROSOFT CORPORATION'
        )
        self.assertEqual(['win11', 'win10'], ids(found))

    def test_publisher_does_not_match(self):
        self.assertEqual((), self.identify('CCCOMA_X64FRE_EN-US_DV9'))

    def test_no_volume_id(self):
        words = {'application_id': 'THE BASE', 'system_id': 'LINUX'}
        self.assertEqual(
            ['base1'], ids(self.identify(volume_size=4096, **words))
        )
        self.assertEqual((), self.identify(volume_size=4097, **words))

    def test_part_of_another_match(self):
        self.assertEqual(['rhel8'], ids(self.identify('RHEL-8-2 x')))
        self.assertEqual(['el8'], ids(self.identify('EL-8-2 x')))

    def test_match_of_other_texts(self):
        """It is no part of a match of the volume id, nor the whole of it."""
        found = self.identify(
            'x CIRCLE x',
            application_id='THE BASE',
            system_id='LINUX',
            volume_size=4096,
        )
        self.assertEqual(['base1', 'circle'], ids(found))

    @ddt.data(
        (set(), ['x86_64', 'i686']),
        ({'x86_64'}, ['x86_64']),
        ({'x86_64', 'i686'}, ['x86_64', 'i686']),
        ({'aarch64'}, ['x86_64', 'i686']),
    )
    @ddt.unpack
    def test_loaders_decide(self, loaders, expected):
        found = self.identify('Dual', loaders=frozenset(loaders))
        self.assertEqual(expected, [each.architecture for each in found])

    def test_no_loaders_decide_nothing(self):
        found = self.identify('Any')
        self.assertEqual(['x86_64', ''], [each.architecture for each in found])

    @ddt.data('', 'Debian', 'base 1 amd64')
    def test_unknown(self, volume_id):
        self.assertEqual((), self.identify(volume_id))

    def test_no_iso9660(self):
        self.assertEqual((), self.identify('CIRCLE', volume_size=0))

    def test_expressions_that_are_not_used(self):
        self.assertEqual((), self.identify('a' * 31 + 'b'))
        self.assertIn("'(' of the libosinfo", self.log.output)
        self.assertIn('could take for ever', self.log.output)


@ddt.ddt
class PathTest(DatabaseTestCase):
    def archive(self, mode='w:xz'):
        path = self.path / 'osinfo-db-20260101.tar.xz'
        with tarfile.open(path, mode) as archive:
            archive.add(self.path / 'os', 'osinfo-db-20260101/os')
            other = tarfile.TarInfo('osinfo-db-20260101/device/a.xml')
            archive.addfile(other, io.BytesIO())
        return path

    def test_archive(self):
        found = iso.Database(self.archive()).identify(medium('Base 1 amd64'))
        self.assertEqual(self.identify('Base 1 amd64'), found)

    def test_read_once(self):
        self.identify('CIRCLE')
        read = database._load.cache_info().misses
        for _ in range(3):
            iso.Database(str(self.path)).identify(medium('CIRCLE'))
        self.assertEqual(read, database._load.cache_info().misses)

    def test_read_again_when_it_has_changed(self):
        self.assertEqual((), self.identify('NEW'))
        new = FILES['example.org/circle.xml'].replace('CIRCLE', 'NEW')
        write(self.path, {'example.org/new.xml': new})
        self.assertEqual(['circle'], ids(self.identify('NEW')))
        (self.path / 'os/example.org/new.xml').unlink()
        self.assertEqual((), self.identify('NEW'))

    def test_read_again_when_a_file_was_written_in_place(self):
        """As large as before, and with the time that it had."""
        self.assertEqual(['circle'], ids(self.identify('CIRCLE')))
        file = self.path / 'os/example.org/circle.xml'
        before = file.stat()
        file.write_text(file.read_text().replace('CIRCLE', 'SQUARE'))
        times = (before.st_atime_ns, before.st_mtime_ns)
        os.utime(file, ns=times)
        while file.stat().st_ctime_ns == before.st_ctime_ns:
            # The clock of file systems is coarse.
            os.utime(file, ns=times)
        self.assertEqual((), self.identify('CIRCLE'))
        self.assertEqual(['circle'], ids(self.identify('SQUARE')))

    def test_threads_read_once(self):
        read_directory = database._read_directory

        def read_slowly(path):
            time.sleep(0.2)
            return read_directory(path)

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.iso.database._read_directory', read_slowly
            )
        )
        read = database._load.cache_info().misses
        found = []
        threads = [
            threading.Thread(
                target=lambda: found.append(self.identify('CIRCLE'))
            )
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(5, len(found))
        self.assertEqual(read + 1, database._load.cache_info().misses)

    def test_looks_at_nothing_before(self):
        iso.Database('/nowhere')

    def refused(self, path):
        with self.assertRaises(iso.NoDatabase) as caught:
            iso.Database(path).identify(medium())
        error = str(caught.exception)
        self.assertIn(str(path)[:60], error)
        self.assertLessEqual(len(error), 190)
        return error

    def test_nothing_there(self):
        self.refused(self.path / 'none')

    def test_directory_of_something_else(self):
        self.refused(self.path / 'os')

    def test_empty(self):
        path = self.path / 'other'
        (path / 'os').mkdir(parents=True)
        self.assertIn('knows no ISO', self.refused(path))

    @ddt.data(b'', b'no archive', b'\xfd7zXZ\0' + bytes(100))
    def test_no_archive(self, content):
        path = self.path / 'osinfo-db.tar.xz'
        path.write_bytes(content)
        self.refused(path)

    def test_cut_archive(self):
        path = self.archive()
        path.write_bytes(path.read_bytes()[:-200])
        self.refused(path)

    @ddt.data(
        '<os',
        '<!DOCTYPE a [<!ENTITY b "c">]><os>&b;</os>',
    )
    def test_broken_file_is_left_out(self, content):
        (self.path / 'os/broken.xml').write_text(content)
        self.assertEqual(['circle'], ids(self.identify('CIRCLE')))
        self.assertIn('broken.xml', self.log.output)
        found = iso.Database(self.archive()).identify(medium('CIRCLE'))
        self.assertEqual(['circle'], ids(found))

    def test_what_cannot_be_used_is_read_once(self):
        path = self.path / 'osinfo-db.tar.xz'
        path.write_bytes(b'no archive')
        first = self.refused(path)
        read = database._load.cache_info().misses
        self.assertEqual(first, self.refused(path))
        self.assertEqual(read, database._load.cache_info().misses)
        os.replace(self.archive(), path)
        found = iso.Database(path).identify(medium('CIRCLE'))
        self.assertEqual(['circle'], ids(found))

    def test_what_could_not_be_read_is_tried_again(self):
        with mock.patch.object(
            pathlib.Path, 'read_bytes', side_effect=OSError(24, 'open files')
        ):
            self.assertIn('open files', self.refused(self.path))
        self.assertEqual(['circle'], ids(self.identify('CIRCLE')))

    @ddt.data('_MAX_FILES', '_MAX_FILE_SIZE')
    def test_too_large(self, name):
        self.useFixture(
            fixtures.MonkeyPatch(f'nova_newos.iso.database.{name}', 2)
        )
        self.assertIn('too large', self.refused(self.path))
        self.assertIn('too large', self.refused(self.archive()))
