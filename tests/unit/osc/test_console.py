# SPDX-License-Identifier: Apache-2.0

import io
import itertools
import pathlib
from unittest import mock

import fixtures
from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

from nova_newos.build.console import record
from nova_newos.osc import console
from tests.unit.build import base
from tests.unit.build.console import host

PNG = b'\x89PNG'


class ConsoleTest(base.BuildTestCase):
    def setUp(self):
        super().setUp()
        self.build_id = self.create()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.screen = mock.MagicMock()
        self.screen.__enter__.return_value = self.screen
        self.screen.look.return_value = host.plain('navy')
        self.connect = mock.Mock(return_value=self.screen)
        self.sleep = mock.Mock()
        self.said = io.StringIO()
        for name, value in (
            ('nova_newos.build.console.display.connect', self.connect),
            ('time.sleep', self.sleep),
            ('sys.stderr', self.said),
        ):
            self.useFixture(fixtures.MonkeyPatch(name, value))

    def run_command(self, kind, *arguments):
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = kind(app, None)
        parsed = command.get_parser('openstack').parse_args(
            [self.build_id, *map(str, arguments)]
        )
        return command.run(parsed)

    def test_screenshot(self):
        path = self.path / 'a.png'
        self.run_command(console.ScreenshotBuild, path)
        self.assertEqual(PNG, path.read_bytes()[:4])
        server = self.cloud.server('install')
        self.connect.assert_called_once_with(self.cloud, server)
        self.screen.__exit__.assert_called_once()

    def test_screenshot_to_a_pipe(self):
        out = io.TextIOWrapper(io.BytesIO())
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', out))
        self.run_command(console.ScreenshotBuild, '-')
        self.assertEqual(PNG, out.buffer.getvalue()[:4])

    def test_type(self):
        self.run_command(console.TypeBuild, 'y<enter>')
        self.assertEqual(
            [
                mock.call(121, True),
                mock.call(121, False),
                mock.call(0xFF0D, True),
                mock.call(0xFF0D, False),
            ],
            self.screen.key.call_args_list,
        )
        self.screen.flush.assert_called_once_with()

    def test_type_nonsense(self):
        """Nothing of it is typed."""
        with self.assertRaisesRegex(exceptions.CommandError, 'is no key'):
            self.run_command(console.TypeBuild, 'y<entre>')
        self.connect.assert_not_called()

    def test_no_server(self):
        self.cloud.servers.clear()
        for kind, argument in (
            (console.ScreenshotBuild, self.path / 'a.png'),
            (console.TypeBuild, 'y'),
        ):
            with self.assertRaisesRegex(
                exceptions.CommandError, 'no server now'
            ):
                self.run_command(kind, argument)
        self.assertFalse((self.path / 'a.png').exists())

    def test_record_until_it_is_over(self):
        looks = mock.Mock(
            side_effect=[
                True,
                sdk_exceptions.HttpException('gone', http_status=503),
                False,
            ]
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.build.console.record.Recorder.look', looks
            )
        )
        self.run_command(console.RecordBuild, self.path)
        self.assertEqual(3, looks.call_count)
        self.assertIn('trying again', self.said.getvalue())
        self.assertIn(f'{self.path}/index.html', self.said.getvalue())

    def test_record_until_interrupted(self):
        self.sleep.side_effect = itertools.chain([None], [KeyboardInterrupt])
        self.run_command(console.RecordBuild, self.path)
        self.assertIn('"picture"', (self.path / 'index.html').read_text())
        self.assertIn('can be played', self.said.getvalue())

    def test_record_refused(self):
        """By the cloud: another try would be no better."""
        error = sdk_exceptions.ForbiddenException('no', http_status=403)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.build.console.record.Recorder.look',
                mock.Mock(side_effect=error),
            )
        )
        with self.assertRaises(sdk_exceptions.ForbiddenException):
            self.run_command(console.RecordBuild, self.path)

    def test_another_record(self):
        record.Recorder(self.cloud, self.build_id, self.path).__exit__()
        with self.assertRaisesRegex(
            exceptions.CommandError, 'choose another directory'
        ):
            self.run_command(console.RecordBuild, self.path)
