# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
from pathlib import Path

import ddt
import fixtures

from devstack.onebox import demo_options
from tests.unit import base


@ddt.ddt
class OptionsTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.iso = self._file('a.iso', b'\0' * 32769 + b'CD001')

    def _file(self, name, content):
        path = self.directory / name
        path.write_bytes(content)
        return path

    def _refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertRaises(SystemExit, demo_options.parse, arguments)
        return said.getvalue()

    def test_without_options(self):
        options = demo_options.parse([])
        self.assertIsNone(options.iso)
        self.assertEqual({'name': 'm1.small'}, demo_options.flavor(options))
        self.assertEqual(60, options.timeout)

    def test_own_media(self):
        options = demo_options.parse(
            ['--iso', str(self.iso), '--driver-iso', str(self.iso)]
        )
        self.assertEqual(self.iso, options.iso)
        self.assertEqual(self.iso, options.driver_iso)
        self.assertEqual({'name': 'm1.medium'}, demo_options.flavor(options))

    def test_own_flavor(self):
        options = demo_options.parse(['--flavor-disk', '20'])
        self.assertEqual(
            {'name': 'newos-demo', 'ram': 1536, 'disk': 20},
            demo_options.flavor(options),
        )
        options = demo_options.parse(['--ram', '128'])
        self.assertEqual(
            {'name': 'newos-demo', 'ram': 128, 'disk': 10},
            demo_options.flavor(options),
        )

    @ddt.data('--iso', '--driver-iso')
    def test_file_that_is_not_there(self, option):
        self.assertIn('no such file', self._refused(option, '/nonexistent'))

    @ddt.data('--iso', '--driver-iso')
    def test_directory(self, option):
        self.assertIn(
            'no such file', self._refused(option, str(self.directory))
        )

    @ddt.data(b'', b'QFI\xfb', b'\0' * 32769 + b'NSR02', b'\0' * 32768)
    def test_file_that_is_no_iso(self, content):
        path = self._file('no.iso', content)
        self.assertIn(
            'is not an ISO 9660 image', self._refused('--iso', str(path))
        )

    @ddt.data(
        ('--flavor-disk', '0', 'from 1'),
        ('--flavor-disk', '1.5', 'whole'),
        ('--flavor-disk', '10001', 'to 10000'),
        ('--ram', '63', 'from 64'),
        ('--ram', '99999999999', 'MiB'),
        ('--ram', '-1', 'from 64'),
        ('--ram', '٢٥٦', 'whole'),
        ('--timeout', '0', 'from 1'),
        ('--timeout', '1441', 'minutes'),
        ('--timeout', '', 'whole'),
        ('--console-pattern', '(', 'regular expression'),
    )
    @ddt.unpack
    def test_value_that_cannot_be_used(self, option, value, words):
        self.assertIn(words, self._refused(f'{option}={value}'))
