# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import pathlib

import fixtures

from nova_newos.iso import __main__ as command
from tests.unit import base
from tests.unit.iso import samples
from tests.unit.iso import test_database


class MainTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        test_database.write(self.path)

    def run_command(self, content):
        file = self.path / 'a.iso'
        file.write_bytes(content)
        output = io.StringIO()
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            command.main([str(file), '--database', str(self.path)])
        return output.getvalue()

    def test_windows(self):
        found = self.run_command(samples.WINDOWS).splitlines()
        self.assertIn("os_distro='windows'", found)
        self.assertIn("newos_os='win11|win10'", found)
        self.assertIn("newos_boot='bios,uefi'", found)

    def test_no_iso(self):
        with self.assertRaises(SystemExit) as caught:
            self.run_command(b'')
        self.assertEqual(1, caught.exception.code)
