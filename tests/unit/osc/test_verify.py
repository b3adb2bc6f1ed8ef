# SPDX-License-Identifier: Apache-2.0

import argparse
import io
import json
import pathlib
from unittest import mock

import ddt
import fixtures
from osc_lib import exceptions

from nova_newos.golden import signature
from nova_newos.osc import verify
from tests.unit.golden import signed
from tests.unit.registry import test_verification

NAME = 'golden'


@ddt.ddt
class VerifyTest(test_verification.VerificationTestCase):
    def setUp(self):
        super().setUp()
        self.keys = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.public = signed.write(
            self.keys, 'host.pem', signed.public_pem(self.key)
        )
        self.cloud.images[signed.IMAGE] = self.image
        self.cloud.image = mock.Mock(wraps=self.cloud.image)
        self.cloud.image.find_image = mock.Mock(
            return_value=test_verification.Image(signed.IMAGE)
        )

    def run_command(self, kind, *arguments):
        """Exit status, and what is printed."""
        app = mock.Mock(stdout=io.StringIO())
        app.client_manager.golden = self.cloud
        command = kind(app, None, cmd_name='golden')
        parsed = command.get_parser('openstack').parse_args([*arguments])
        status = command.run(parsed)
        self.cloud.image.find_image.assert_called_once_with(
            NAME, ignore_missing=False
        )
        return status, app.stdout.getvalue()

    def verify(self, *arguments):
        """Exit status, and rows."""
        status, printed = self.run_command(
            verify.VerifyImage, '--format=json', NAME, *arguments
        )
        return status, json.loads(printed)

    def test_as_signed(self):
        for trusted in (f'--key={self.public}', f'--trust={self.keys}'):
            self.cloud.image.find_image.reset_mock()
            status, rows = self.verify(trusted)
            self.assertEqual((0, 6), (status, len(rows)))
            self.assertEqual({'ok'}, {row['state'] for row in rows})
            self.assertEqual(['fact', 'state', 'detail'], list(rows[0]))

    def test_one_of_several_keys(self):
        other = signed.write(
            self.keys, 'other.pem', signed.public_pem(signed.key())
        )
        status, _rows = self.verify(f'--key={other}', f'--key={self.public}')
        self.assertEqual(0, status)

    def test_downloaded(self):
        self.cloud.data = b'other'
        status, rows = self.verify(f'--key={self.public}', '--download')
        self.assertEqual(1, status)
        self.assertEqual(
            ['bytes'], [row['fact'] for row in rows if row['state'] == 'wrong']
        )

    def test_changed(self):
        self.image.properties['verdict_boot_loader'] = 'true'
        status, rows = self.verify(f'--key={self.public}')
        self.assertEqual(1, status)
        self.assertIn(
            {
                'fact': 'verdict_boot_loader',
                'state': 'wrong',
                'detail': "signed 'false', changed to 'true'",
            },
            rows,
        )

    @ddt.data('--format=table', '--format=value', '--format=csv')
    def test_nothing_reaches_the_terminal_raw(self, how):
        """Not from values, names, nor what is no signature at all."""
        hostile = '\x1b]0;owned\x07\r\n\u202e\x9b\x00'
        spoilt = {'golden_signature_key': hostile, 'golden_statement_1': ''}
        for more in (
            {'verdict_os': hostile, f'seal_{hostile}': 'x' * 9999},
            {'verdict_boot_loader': hostile},
            {'golden_signature_key': hostile},
            spoilt,
        ):
            self.cloud.image.find_image.reset_mock()
            self.image.properties = signed.properties(self.key) | more
            status, printed = self.run_command(
                verify.VerifyImage, how, NAME, f'--key={self.public}'
            )
            self.assertEqual(1, status)
            for line in printed.split('\n'):
                self.assertTrue(
                    all(' ' <= character <= '~' for character in line),
                    repr(line),
                )
                self.assertLess(len(line), 2000)

    def test_no_key(self):
        with self.assertRaisesRegex(exceptions.CommandError, 'no.pem'):
            self.verify('--key=no.pem')

    def test_nobody_is_trusted(self):
        with mock.patch('sys.stderr', io.StringIO()):
            for arguments in (
                [NAME],
                [NAME, '--key=a', '--trust=b'],
            ):
                command = verify.VerifyImage(mock.Mock(), None)
                with self.assertRaises((SystemExit, argparse.ArgumentError)):
                    command.get_parser('openstack').parse_args(arguments)

    def test_attest(self):
        status, printed = self.run_command(verify.AttestImage, NAME)
        self.assertEqual(0, status)
        self.assertEqual(
            signature.read(self.image.properties).dsse(), json.loads(printed)
        )

    def test_attest_what_is_not_signed(self):
        hostile = '\x1b[2J\n\u202e'
        for properties in (
            {'golden_signature': hostile},
            signed.properties(self.key, image_id=hostile),
        ):
            self.cloud.image.find_image.reset_mock()
            self.image.properties = properties
            with self.assertRaises(exceptions.CommandError) as caught:
                self.run_command(verify.AttestImage, NAME)
            self.assertTrue(str(caught.exception).isprintable())
