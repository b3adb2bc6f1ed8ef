# SPDX-License-Identifier: Apache-2.0

import bz2
import gzip
import lzma
import random
import tarfile
import tracemalloc
from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.media.answers import archive
from nova_newos.media.answers import iso
from tests.unit import base
from tests.unit.media.answers import samples

MODES = ('w', 'w:gz', 'w:bz2', 'w:xz')
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)

#: Does not get smaller, so that damage is where it is done.
NOISE = random.Random(6).randbytes(20000)


def with_size(size, kind):
    """A tar whose only header states the size of what does not follow."""
    member = samples.special('ks.cfg', kind, size=size)
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


class ArchiveTestCase(base.TestCase):
    def assert_refused(self, data, text=''):
        self.assertTrue(archive.is_tar(data))
        with self.assertRaises(exception.AnswerArchiveRefused) as caught:
            archive.tar_files(data)
        self.assertIn(text, str(caught.exception))
        self.assertLessEqual(len(str(caught.exception)), 190)


@ddt.ddt
class TarTest(ArchiveTestCase):
    @ddt.data(*MODES)
    def test_files(self, mode):
        data = samples.tar(
            ('./ks.cfg', b'one'),
            samples.special('./dir', tarfile.DIRTYPE),
            ('dir/two', NOISE),
            ('empty', b''),
            mode=mode,
        )
        self.assertTrue(archive.is_tar(data))
        self.assertEqual(
            [
                iso.File('ks.cfg', b'one'),
                iso.File('dir/two', NOISE),
                iso.File('empty', b''),
            ],
            archive.tar_files(data),
        )

    @ddt.data(*FORMATS)
    def test_formats(self, tar_format):
        name = 'directory/' * 5 + 'n' * 60
        data = samples.tar((name, b'x'), tar_format=tar_format)
        self.assertTrue(archive.is_tar(data))
        [file] = archive.tar_files(data)
        self.assertEqual(name, file.path)

    def test_executable(self):
        script = samples.special('script', tarfile.REGTYPE, mode=0o755)
        data = samples.tar(script, ('text', b''))
        self.assertEqual(
            [True, False], [f.executable for f in archive.tar_files(data)]
        )

    @ddt.data(
        b'',
        bytes(10240),
        b'text\n' * 2000,
        NOISE,
        gzip.compress(b'#cloud-config\n'),
        gzip.compress(bytes(10240)),
        bz2.compress(NOISE),
        lzma.compress(NOISE),
        lzma.compress(samples.tar(('a', b'')), lzma.FORMAT_ALONE),
    )
    def test_no_tar(self, data):
        self.assertFalse(archive.is_tar(data))

    @ddt.data('/etc/passwd', '../ks.cfg', 'a/../../b', 'a\nb', 'n' * 65)
    def test_bad_name(self, name):
        self.assert_refused(samples.tar((name, b'')), ' names ')

    def test_bad_name_of_a_directory(self):
        self.assert_refused(
            samples.tar(samples.special('../up', tarfile.DIRTYPE)), 'outside'
        )

    def test_no_name(self):
        self.assert_refused(samples.tar(('.', b'')), 'without a name')

    def test_twice(self):
        self.assert_refused(
            samples.tar(('ks.cfg', b'1'), ('Ks.Cfg', b'2')), 'twice'
        )

    @ddt.data(
        samples.special('ks.cfg', tarfile.SYMTYPE, linkname='/etc/shadow'),
        samples.special('ks.cfg', tarfile.LNKTYPE, linkname='/etc/shadow'),
        samples.special('ks.cfg', tarfile.CHRTYPE, devmajor=1, devminor=5),
        samples.special('ks.cfg', tarfile.BLKTYPE, devmajor=8),
        samples.special('ks.cfg', tarfile.FIFOTYPE),
        samples.special('ks.cfg', b'Z'),
    )
    def test_special(self, member):
        self.assert_refused(samples.tar(member), 'no plain file')

    def test_sparse(self):
        """A hole of 1 GiB takes no room in the archive."""
        member = samples.special(
            'ks.cfg',
            tarfile.REGTYPE,
            pax_headers={
                'GNU.sparse.major': '0',
                'GNU.sparse.minor': '1',
                'GNU.sparse.map': '1073741824,0',
                'GNU.sparse.size': '1073741824',
            },
        )
        self.assert_refused(samples.tar(member), 'no plain file')

    def test_most_files(self):
        most = [(f'f{n}', b'') for n in range(archive.MAX_FILES)]
        self.assertEqual(64, len(archive.tar_files(samples.tar(*most))))
        self.assert_refused(samples.tar(*most, ('more', b'')), '64')

    def test_directories_count(self):
        many = [
            samples.special(f'd{n}', tarfile.DIRTYPE)
            for n in range(archive.MAX_FILES + 1)
        ]
        self.assert_refused(samples.tar(*many), '64')

    @ddt.data(*MODES)
    def test_most_bytes(self, mode):
        """Headers and the end are among them."""
        limit = 4 * 2**20
        # tarfile fills up to a record of 10240 bytes.
        fits = samples.tar(('a', bytes(limit - 20480)), mode=mode)
        self.assertTrue(archive.tar_files(fits))
        self.assert_refused(
            samples.tar(('a', bytes(limit)), mode=mode), str(limit)
        )

    @ddt.data('w:gz', 'w:bz2', 'w:xz')
    def test_bomb(self, mode):
        data = samples.tar(('ks.cfg', bytes(100 * 2**20)), mode=mode)
        self.assertLess(len(data), 2**18)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assert_refused(data, 'unpacks to more than')
        self.assertLess(tracemalloc.get_traced_memory()[1], 32 * 2**20)

    @ddt.data(2**20, 2**33, 2**62)
    def test_stated_size_is_not_believed(self, size):
        for kind in (tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME):
            self.assert_refused(with_size(size, kind), 'damaged')

    @ddt.data(-1, -512, -1024, -(2**40))
    def test_negative_size(self, size):
        """CVE-2025-8194: such a header leads back to itself."""
        for kind in (tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, b'Z'):
            self.assert_refused(with_size(size, kind))

    def test_xz_that_wants_memory(self):
        """By its header alone, whatever it unpacks to."""
        filters = [{'id': lzma.FILTER_LZMA2, 'dict_size': 2**27}]
        plain = samples.tar(('ks.cfg', b''))
        data = lzma.compress(plain, lzma.FORMAT_XZ, filters=filters)
        self.assertFalse(archive.is_tar(data))
        usual = lzma.compress(plain, lzma.FORMAT_XZ, preset=9)
        self.assertTrue(archive.tar_files(usual))

    @ddt.data('w', 'w:gz', 'w:xz')
    def test_cut_off(self, mode):
        data = samples.tar(('ks.cfg', b''), ('noise', NOISE), mode=mode)
        self.assert_refused(data[: len(data) // 2], 'damaged')

    @ddt.data('w:gz', 'w:xz')
    def test_end_is_missing(self, mode):
        """All files are there, but not the digest of them."""
        data = samples.tar(('ks.cfg', b''), ('noise', NOISE), mode=mode)
        self.assert_refused(data[:-6], 'damaged')

    @ddt.data('w:gz', 'w:xz')
    def test_damaged_further_on(self, mode):
        data = bytearray(samples.tar(('ks.cfg', b''), ('n', NOISE), mode=mode))
        data[-30:-10] = bytes(20)
        self.assert_refused(bytes(data), 'damaged')

    def test_damaged_header(self):
        """tarfile would take the first file for all there is."""
        data = bytearray(samples.tar(('ks.cfg', b''), ('other', b'')))
        data[512] ^= 1
        self.assert_refused(bytes(data), 'damaged')

    def test_two_streams_of_xz(self):
        first = samples.tar(('ks.cfg', b''), mode='w:xz')
        self.assert_refused(first + lzma.compress(b'more'), 'damaged')

    def test_headers_of_headers(self):
        """Each of 2000 says that there is another name to come."""
        header = samples.special('x', tarfile.XHDTYPE).tobuf()
        self.assert_refused(header * 2000, 'damaged')


@ddt.ddt
class MultipartTest(base.TestCase):
    def test_named_parts(self):
        data = samples.multipart(('a', b'1'), (None, b'2'), ('b/c', b'3\n4'))
        self.assertEqual(
            [('a', b'1'), ('b/c', b'3\n4')], archive.multipart_files(data)
        )

    def test_content_type_alone(self):
        data = samples.multipart(('a', b'1')).replace(
            b'MIME-Version: 1.0', b'X: 1'
        )
        self.assertEqual([('a', b'1')], archive.multipart_files(data))

    def test_base64(self):
        data = samples.multipart(('a', b'AAEC')).replace(
            b'charset="us-ascii"', b'x=y\nContent-Transfer-Encoding: base64'
        )
        self.assertEqual([('a', b'\0\1\2')], archive.multipart_files(data))

    def test_multipart_in_multipart(self):
        inner = samples.multipart(('a', b'1'), boundary='--in')
        data = samples.multipart((None, b'2')).replace(
            b'Content-Type: text/plain; charset="us-ascii"\n'
            b'MIME-Version: 1.0\n\n2',
            inner,
        )
        self.assertEqual([('a', b'1')], archive.multipart_files(data))

    @ddt.data(
        b'',
        b'#cloud-config\n',
        b'Content-Type: text/plain\n\ntext',
        b'MIME-Version: 1.0\n\ntext',
        NOISE,
    )
    def test_no_multipart(self, data):
        self.assertIsNone(archive.multipart_files(data))

    def test_unreadable(self):
        """What goes wrong in there is cloud-init's to complain about."""
        data = samples.multipart(('a', b'1'))
        with mock.patch('email.message_from_bytes', side_effect=IndexError):
            self.assertIsNone(archive.multipart_files(data))

    def test_deeply_nested(self):
        data = b'Content-Type: multipart/mixed; boundary=b0\n\n' + b''.join(
            b'--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n'
            % (n, n + 1)
            for n in range(900)
        )
        self.assertFalse(archive.multipart_files(data))

    def test_checked(self):
        self.assertEqual(
            [iso.File('a', b'1'), iso.File('b/c', b'2')],
            archive.checked([('./a', b'1'), ('b/c', b'2')]),
        )

    @ddt.data(
        [('../a', b'')],
        [('/a', b'')],
        [('.', b'')],
        [('a', b''), ('A', b'')],
        [(f'f{n}', b'') for n in range(archive.MAX_FILES + 1)],
    )
    def test_refused(self, named):
        with self.assertRaises(exception.AnswerArchiveRefused) as caught:
            archive.checked(named)
        self.assertLessEqual(len(str(caught.exception)), 190)
