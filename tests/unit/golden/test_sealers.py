# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos.golden import base as golden_base
from nova_newos.golden import exception
from nova_newos.golden import sealers
from nova_newos.golden import sparsify
from nova_newos.golden import sysprep
from tests.unit import base as unit_base
from tests.unit import plugins
from tests.unit.golden import base

SAMPLES = 'tests.unit.golden.samples:'


@ddt.ddt
class LoadTest(base.TestCase):
    def load(self, *names):
        return sealers.Sealers(plugins.make_conf(sealers=list(names)))

    def test_in_the_order_of_the_option(self):
        self.provide(
            ('good', SAMPLES + 'Good'), ('broken', SAMPLES + 'Broken')
        )
        self.assertEqual(
            ['broken', 'good'],
            [sealer.name for sealer in self.load('broken', 'good').enabled],
        )

    def test_none_enabled(self):
        self.assertEqual([], self.load().enabled)

    def test_default_is_installed(self):
        """The entry points of this distribution lead to their classes."""
        self.patch(mock.patch('shutil.which', return_value=None))
        self.assertEqual(
            [sysprep.SysprepSealer, sparsify.SparsifySealer],
            [type(s) for s in sealers.Sealers(plugins.make_conf()).enabled],
        )

    @ddt.data(
        ('gone', 'Good', 'other', 'no installed package provides it'),
        ('good', 'Nothing', 'good', 'AttributeError'),
        ('incomplete', 'Incomplete', 'incomplete', 'TypeError'),
        (
            'no-sealer',
            'NoSealer',
            'no-sealer',
            'nova_newos.golden.base.Sealer',
        ),
        ('other', 'Good', 'other', "its 'name'"),
        ('Upper', 'Upper', 'Upper', 'malformed'),
        ('misconfigured', 'Misconfigured', 'misconfigured', 'lists shave'),
    )
    @ddt.unpack
    def test_unusable(self, name, class_name, provided, reason):
        self.provide((provided, SAMPLES + class_name))
        with self.assertRaises(exception.SealerLoadError) as caught:
            self.load(name)
        error = caught.exception
        self.assertIn(reason, error.reason)
        for part in (f"'{name}'", '[newos] sealers', sealers.NAMESPACE):
            self.assertIn(part, str(error))

    def test_listed_twice(self):
        self.provide(('good', SAMPLES + 'Good'))
        with self.assertRaisesRegex(exception.SealerLoadError, 'twice'):
            self.load('good', 'good')


class SealTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.provide(
            ('good', SAMPLES + 'Good'),
            ('talkative', SAMPLES + 'Talkative'),
            ('refusing', SAMPLES + 'Refusing'),
            ('broken', SAMPLES + 'Broken'),
            ('patient', SAMPLES + 'Patient'),
            ('late', SAMPLES + 'Late'),
            ('muddled', SAMPLES + 'Muddled'),
        )

    def seal(self, *names):
        found = sealers.Sealers(plugins.make_conf(sealers=list(names)))
        results = found.seal(base.DISK, 'appliance')
        return sealers.reports(
            results, {name: {'found': name} for name in names}
        )

    def test_reports_in_order(self):
        reports = self.seal('talkative', 'good')
        self.assertEqual(['talkative', 'good'], list(reports))
        self.assertEqual('good qcow2 appliance', reports['good'])

    def test_no_sealers_no_reports(self):
        self.assertEqual({}, self.seal())

    def test_report_is_made_harmless(self):
        report = self.seal('talkative')['talkative']
        self.assertRegex(report, r'\A\[31ma a [a ]+\Z')
        self.assertLessEqual(len(report), 100)

    def test_a_refusal_keeps_its_type_and_ends_it(self):
        with self.assertRaises(exception.SealNoRoom):
            self.seal('refusing', 'broken')

    def test_any_other_exception_gets_a_type(self):
        with self.assertRaises(exception.SealFailed) as caught:
            self.seal('good', 'broken')
        self.assertIn('broken', str(caught.exception))
        self.assertIn('ZeroDivisionError: divided', str(caught.exception))

    def test_last_boot(self):
        self.assertEqual(
            ['good qcow2 appliance', 'found patient'],
            list(self.seal('good', 'patient').values()),
        )

    def test_last_boot_of_another_kind(self):
        """The sealer is named, not the program that could not do it."""
        with self.assertRaisesRegex(exception.SealFailed, 'muddled'):
            self.seal('muddled')

    def test_any_other_exception_of_the_last_boot_gets_a_type(self):
        with self.assertRaises(exception.SealFailed) as caught:
            self.seal('late')
        self.assertIn("KeyError: 'gone'", str(caught.exception))


@ddt.ddt
class SanitizeTest(unit_base.TestCase):
    @ddt.data(
        ('plain text', 'plain text'),
        (' a\r\n\tb\0\x1b[0m ', 'a b [0m'),
        ('\udcff\N{SNOWMAN}x', 'x'),
        ('', ''),
        (None, 'None'),
        ('b' * 50, 'b' * 20),
        ('\n' * 1000 + 'lost', ''),
    )
    @ddt.unpack
    def test_sanitize(self, given, expected):
        self.assertEqual(expected, golden_base.sanitize(given, 20))
