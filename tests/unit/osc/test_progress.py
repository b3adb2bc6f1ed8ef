# SPDX-License-Identifier: Apache-2.0

import dataclasses
import datetime
import io
import sys
from unittest import mock

import fixtures

from nova_newos.build import engine
from nova_newos.osc import progress
from tests.unit import base
from tests.unit.build import cloud as fake_cloud

NOW = datetime.datetime(2026, 1, 1)


class ProgressTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.said = io.StringIO()
        self.said.isatty = lambda: self.is_terminal
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))
        self.cloud = fake_cloud.Cloud()
        self.cloud.add_image(
            name='debian', properties={'golden_build_seconds': 'install=500'}
        )
        self.status = engine.Status(
            'id',
            engine.Phase.INSTALL,
            'the installer is at work',
            name='debian',
            server=fake_cloud.Thing(),
            console=('Loading \x1b[2J',),
            begun=NOW,
            since=NOW,
            until=NOW,
        )
        self.seconds = 1000
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.progress.time.monotonic',
                lambda: self.seconds,
            )
        )

    is_terminal = False

    def wait(self, shown, seconds, step=3):
        """Look at the same for so many seconds."""
        for passed in range(0, seconds, step):
            until = NOW + datetime.timedelta(seconds=passed)
            shown.show(dataclasses.replace(self.status, until=until))
            self.seconds += step

    def test_lines(self):
        with progress.of(self.cloud) as shown:
            self.wait(shown, 130)
        lines = self.said.getvalue().splitlines()
        self.assertEqual(3, len(lines))
        self.assertEqual(
            '[     0 s] install: the installer is at work', lines[0]
        )
        self.assertIn('about 440 s left', lines[1])
        self.assertIn('for 1 min', lines[1])
        self.assertNotIn('\x1b', self.said.getvalue())

    def test_upload(self):
        file = fake_cloud.Thing(name='x.iso', size=4 * 2**20)
        with progress.of(self.cloud) as shown:
            for done in range(0, 4):
                shown.uploading(file, done * 2**20)
                self.seconds += 40
        self.assertEqual(
            [
                'upload: x.iso, 0 of 4 MiB, 0 %',
                'upload: x.iso, 2 of 4 MiB, 50 %',
            ],
            self.said.getvalue().splitlines(),
        )


class TerminalTest(ProgressTest):
    """With rich, where it is; that is no dependency of the tests."""

    is_terminal = True

    def setUp(self):
        super().setUp()
        self.line = mock.Mock()
        console = mock.Mock()
        console.Console.return_value.status.return_value = self.line
        console.Console.return_value.print = self.print
        console.Console.return_value.width = 75
        text = mock.Mock(Text=lambda text, **_style: text)
        self.rich = mock.Mock(console=console, text=text)
        self.replace_modules(
            {'rich': self.rich, 'rich.console': console, 'rich.text': text}
        )

    def replace_modules(self, modules):
        patched = mock.patch.dict(sys.modules, modules)
        patched.start()
        self.addCleanup(patched.stop)

    def print(self, line, markup, highlight, soft_wrap):
        # What is in brackets is no markup of ours.
        self.assertFalse(markup or highlight)
        self.said.write(f'{line}\n')

    def shown(self):
        return [call.args[0] for call in self.line.update.call_args_list]

    def test_lines(self):
        with progress.of(self.cloud) as shown:
            self.wait(shown, 130)
        self.assertEqual(1, len(self.said.getvalue().splitlines()))
        self.assertIn('by the last build of that name; Loa', self.shown()[0])
        self.assertEqual(72, len(self.shown()[0]))
        self.assertIn('install, 30 s; about 470 s left', self.shown()[10])
        self.line.start.assert_called_once_with()
        self.line.stop.assert_called_once_with()

    def test_upload(self):
        file = fake_cloud.Thing(name='x.iso', size=4 * 2**20)
        with progress.of(self.cloud) as shown:
            for done in range(2**20, 4 * 2**20, 2**20):
                shown.uploading(file, done)
                self.seconds += 0.15
        # Not at each block that is read.
        self.assertEqual(
            [
                'upload: x.iso, 1 of 4 MiB, 25 %',
                'upload: x.iso, 3 of 4 MiB, 75 %',
            ],
            self.shown(),
        )

    def test_without_rich(self):
        self.replace_modules({'rich': None, 'rich.console': None})
        self.assertIs(progress.Lines, type(progress.of(self.cloud)))
