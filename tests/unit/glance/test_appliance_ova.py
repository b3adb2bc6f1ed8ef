# SPDX-License-Identifier: Apache-2.0

import os
import tarfile
from unittest import mock

import ddt
import fixtures

from glance_ext.appliance import exception
from glance_ext.appliance import ova
from glance_ext.appliance import ovf
from tests.unit import base
from tests.unit.glance import appliances as make

DISK = b'the disk' * 1000
DESCRIPTOR = ('a.ovf', make.descriptor())
PLAIN = (DESCRIPTOR, ('disk.vmdk', DISK))


class Base(base.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'a.ova')

    def extract(self, content):
        with open(self.path, 'wb') as file:
            file.write(content)
        return ova.extract(self.path)

    def extracted(self):
        with open(self.path, 'rb') as file:
            return file.read()


@ddt.ddt
class ExtractTest(Base):
    @ddt.data(tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    def test_disk(self, tar_format):
        manifest = ('a.mf', b'SHA256(a.ovf)= 00\n')
        found = self.extract(make.ova(*PLAIN, manifest, tar_format=tar_format))
        self.assertEqual('Web shop', found.name)
        self.assertEqual(DISK, self.extracted())
        # No second file, for which there may be no room.
        self.assertEqual(['a.ova'], os.listdir(self.folder))

    @ddt.data(1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 5, 0)
    def test_size(self, size):
        disk = os.urandom(size)
        self.extract(make.ova(DESCRIPTOR, ('disk.vmdk', disk)))
        self.assertEqual(disk, self.extracted())

    def test_disk_before_the_descriptor(self):
        self.extract(make.ova(*reversed(PLAIN)))
        self.assertEqual(DISK, self.extracted())

    @ddt.data('my disk.vmdk', 'my%20disk.vmdk')
    def test_spaces_in_the_name(self, name):
        href = 'my%20disk.vmdk'
        self.extract(
            make.ova(
                ('a.ovf', make.descriptor(files=make.file(href=href))),
                (name, DISK),
            )
        )
        self.assertEqual(DISK, self.extracted())

    def test_long_name(self):
        name = 'é' * 100 + '.vmdk'
        self.extract(
            make.ova(
                ('a.ovf', make.descriptor(files=make.file(href=name))),
                (name, DISK),
                tar_format=tarfile.PAX_FORMAT,
            )
        )
        self.assertEqual(DISK, self.extracted())

    def test_right_size(self):
        said = make.file(more=f'ovf:size="{len(DISK)}"')
        self.extract(
            make.ova(
                ('a.ovf', make.descriptor(files=said)), ('disk.vmdk', DISK)
            )
        )
        self.assertEqual(DISK, self.extracted())


def sparse():
    """A member that claims 1 TiB of holes (GNU, version 0.0)."""
    info = tarfile.TarInfo('disk.vmdk')
    info.size = 512
    info.pax_headers = {
        'GNU.sparse.major': '0',
        'GNU.sparse.minor': '1',
        'GNU.sparse.size': str(2**40),
        'GNU.sparse.numblocks': '1',
        'GNU.sparse.map': f'{2**40 - 512},512',
    }
    return info


def old_sparse(extended=0):
    """The same by GNU's own header, which may go on in further blocks."""
    block = bytearray(tarfile.TarInfo('disk.vmdk').tobuf())
    block[156:157] = tarfile.GNUTYPE_SPARSE
    block[386:410] = b'%011o\0%011o\0' % (0, 0)
    block[482] = extended
    block[483:495] = b'%011o\0' % (2**33 - 1)
    return resummed(block)


def resummed(block):
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o\0 ' % sum(block[:512])
    return bytes(block)


def long_name(size):
    """A header that says that a name of so many bytes follows."""
    info = tarfile.TarInfo('././@LongLink')
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def extended(size):
    info = tarfile.TarInfo('x')
    info.type = tarfile.XHDTYPE
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def negative():
    """A member whose size leads back to itself."""
    block = bytearray(tarfile.TarInfo('disk.vmdk').tobuf())
    block[124:136] = b'\xff' * 10 + b'\xfe\x00'
    return resummed(block)


END = b'\0' * 1024


def long_names(count):
    """Headers, each of which is the long name of the next."""
    return (long_name(4) + b'abc\0'.ljust(512, b'\0')) * count


@ddt.ddt
class HostileArchiveTest(Base):
    @ddt.data(
        ('cannot be read', b''),
        ('cannot be read', b'no tar at all' * 100),
        ('cannot be read', b'\x1f\x8b' + b'\0' * 600),
        ('0 descriptors', END),
        ('0 descriptors', make.ova(('disk.vmdk', DISK))),
        ('2 descriptors', make.ova(*PLAIN, ('b.OVF', b''))),
        ('is not in it', make.ova(DESCRIPTOR)),
        ('is not in it', make.ova(DESCRIPTOR, ('DISK.vmdk', DISK))),
        ('twice', make.ova(*PLAIN, ('disk.vmdk', b'another'))),
        ('in a folder', make.ova(*PLAIN, ('../x', b''))),
        ('in a folder', make.ova(*PLAIN, ('..', b''))),
        ('in a folder', make.ova(*PLAIN, ('/etc/x', b''))),
        ('in a folder', make.ova(*PLAIN, ('a/b', b''))),
        ('in a folder', make.ova(*PLAIN, ('a\\b', b''))),
        ('in a folder', make.ova(*PLAIN, ('a\nb', b''))),
        *(
            ('is a link', make.ova(DESCRIPTOR, (make.member(*member), b'')))
            for member in (
                ('disk.vmdk', tarfile.SYMTYPE, '/etc/passwd'),
                ('disk.vmdk', tarfile.LNKTYPE, '/etc/passwd'),
                ('disk.vmdk', tarfile.LNKTYPE, 'a.ovf'),
                ('disk.vmdk', tarfile.CHRTYPE),
                ('disk.vmdk', tarfile.BLKTYPE),
                ('disk.vmdk', tarfile.FIFOTYPE),
                ('disk.vmdk', tarfile.DIRTYPE),
                ('disk.vmdk', tarfile.CONTTYPE),
                ('disk.vmdk', b'Z'),
            )
        ),
        (
            'sparse',
            make.ova(
                DESCRIPTOR,
                (sparse(), b'\0' * 512),
                tar_format=tarfile.PAX_FORMAT,
            ),
        ),
        ('is a link', make.ova(DESCRIPTOR)[: -10240 + 2048] + old_sparse()),
        ('headers are too large', long_name(2**33) + END),
        ('headers are too large', extended(2**33) + END),
        # A regular expression of tarfile's takes a quadratic time for them.
        ('headers are too large', extended(8192) + b'1' * 8192 + END),
        ('headers are too large', long_names(900) + END),
        (
            'headers are too large',
            old_sparse(extended=1) + (b'\0' * 504 + b'\1' * 8) * 3000,
        ),
        ('more than 1 MiB', make.ova(('a.ovf', b' ' * (2**20 + 1)))),
        ('end of data', make.ova(*PLAIN)[:4096]),
    )
    @ddt.unpack
    def test_refused(self, text, content):
        with self.assertRaisesRegex(exception.ArchiveRefused, text):
            self.extract(content)

    def test_negative_size(self):
        with self.assertRaises(exception.ArchiveRefused):
            self.extract(negative() * 4000)

    def test_recursion_of_tarfile(self):
        with (
            mock.patch.object(ova, 'MAX_HEADERS', 2**20),
            self.assertRaisesRegex(exception.ArchiveRefused, 'cannot be read'),
        ):
            self.extract(long_names(900) + END)

    def test_many_members(self):
        with self.assertRaisesRegex(exception.ArchiveRefused, 'too large'):
            self.extract(make.ova(*((f'{n}', b'') for n in range(3000))))

    @ddt.data(
        '/etc/passwd',
        'file:///etc/passwd',
        'http://example.com/disk.vmdk',
        '../disk.vmdk',
        '..%2Fdisk.vmdk',
        'a/disk.vmdk',
        '',
    )
    def test_disk_elsewhere(self, href):
        content = make.ova(
            ('a.ovf', make.descriptor(files=make.file(href=href))),
            ('disk.vmdk', DISK),
        )
        with self.assertRaisesRegex(exception.DescriptorRefused, 'outside'):
            self.extract(content)

    @ddt.data(1, len(DISK) - 1, len(DISK) + 1, 10**14)
    def test_size_that_lies(self, size):
        said = make.file(more=f'ovf:size="{size}"')
        content = make.ova(
            ('a.ovf', make.descriptor(files=said)), ('disk.vmdk', DISK)
        )
        with self.assertRaisesRegex(exception.ArchiveRefused, str(size)):
            self.extract(content)

    def test_every_truncation(self):
        whole = make.ova(*PLAIN)
        for size in range(0, 512 * 2 + len(DISK), 509):
            with self.subTest(size=size):
                with self.assertRaises(exception.ApplianceRefused):
                    self.extract(whole[:size])

    def test_any_damage_is_refused_or_harmless(self):
        whole = make.ova(*PLAIN)
        for place in range(0, 2048, 7):
            with self.subTest(place=place):
                damaged = bytearray(whole)
                damaged[place] ^= 0xA5
                try:
                    found = self.extract(bytes(damaged))
                except exception.ApplianceRefused:
                    continue
                self.assertIsInstance(found, ovf.Appliance)
