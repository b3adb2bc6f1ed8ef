# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos import exception
from nova_newos.media.answers import names
from tests.unit import base


@ddt.ddt
class NormalTest(base.TestCase):
    @ddt.data(
        ('ks.cfg', 'ks.cfg'),
        ('./ks.cfg', 'ks.cfg'),
        ('a/./b', 'a/b'),
        ('a/b/', 'a/b'),
        ('.', ''),
        ('./', ''),
        ('', ''),
        ('.hidden', '.hidden'),
        ('..a', '..a'),
        ('$OEM$/$1/My File (1).ps1', '$OEM$/$1/My File (1).ps1'),
        ('n' * 64, 'n' * 64),
        ('/'.join('1234567'), '/'.join('1234567')),
    )
    @ddt.unpack
    def test_good(self, path, expected):
        self.assertEqual(expected, names.normal(path))

    @ddt.data(
        'a//b',
        'n' * 65,
        '/'.join('12345678'),
        'a\\b',
        'C:a',
        'a\nb',
        'a\n',
        'a\0',
        'a\x7f',
        'a*',
        'a?',
        'a"',
        'a<b',
        'a|b',
        'a;1',
        'end.',
        'end ',
        'end./b',
        ' ',
        'grün',
        '\udcff',
        '１',
        'x' * 60000,
    )
    def test_bad(self, path):
        with self.assertRaises(exception.AnswerArchiveRefused) as caught:
            names.normal(path)
        message = str(caught.exception)
        self.assertLessEqual(len(message), 190)
        self.assertTrue(message.isascii() and message.isprintable())

    @ddt.data(
        '/etc/passwd',
        '//a',
        '/',
        './/../a/',
        '..',
        '../a',
        'a/../../b',
        'a/..',
    )
    def test_outside(self, path):
        with self.assertRaisesRegex(exception.AnswerArchiveRefused, 'outside'):
            names.normal(path)


@ddt.ddt
class DistinctTest(base.TestCase):
    @ddt.data(
        [],
        ['a', 'b', 'c/a', 'c/b', 'd/c/a'],
        ['a.b', 'a/b'],
        ['A/x', 'A/y', 'b/A/x'],
    )
    def test_good(self, paths):
        names.check_distinct(paths)

    @ddt.data(
        ['a', 'a'],
        ['ks.cfg', 'KS.CFG'],
        ['d/a', 'd/A'],
        ['d/a', 'D/b'],
        ['x/d/a', 'x/D/b'],
        ['a', 'a/b'],
        ['a/b', 'a'],
        ['a/b/c', 'A/B'],
    )
    def test_bad(self, paths):
        with self.assertRaises(exception.AnswerArchiveRefused):
            names.check_distinct(paths)
