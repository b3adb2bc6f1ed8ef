# SPDX-License-Identifier: Apache-2.0

import pathlib
import stat
from unittest import mock

import ddt
import fixtures

from devstack.onebox import errors
from devstack.onebox import state
from tests.unit import base


@ddt.ddt
class StateTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.state = state.State(self.top / 'box')

    @ddt.data(
        '/',
        '/var',
        '/var/lib/a box',
        '/var/lib/%(x)s',
        "/var/o'box",
        '/var/' + 'x' * 80,
    )
    def test_paths_that_cannot_serve(self, path):
        self.assertRaises(errors.BoxError, state.State, path)

    def test_a_directory_of_something_else_is_left_alone(self):
        (self.top / 'box').mkdir()
        (self.top / 'box' / 'thesis.tex').write_text('')
        with self.assertRaisesRegex(errors.BoxError, 'not a box'):
            self.state.check()

    def test_too_little_room(self):
        self.useFixture(
            fixtures.MonkeyPatch(
                'shutil.disk_usage', lambda path: mock.Mock(free=4 * 2**30)
            )
        )
        with self.assertRaisesRegex(errors.BoxError, '4.0 GiB free'):
            self.state.check()

    def test_only_one_command_at_a_time(self):
        with self.state.locked():
            other = state.State(self.state.root)
            with self.assertRaisesRegex(errors.BoxError, 'at work'):
                with other.locked():
                    self.fail('two commands at once')
        with self.state.locked():
            pass

    def test_passwords_are_random_kept_and_private(self):
        self.state.root.mkdir()
        first = self.state.load_passwords()
        self.assertEqual(first, self.state.load_passwords())
        self.assertEqual(len(first), len(set(first.values())))
        self.assertEqual(
            0o600, stat.S_IMODE(self.state.passwords.stat().st_mode)
        )

    def test_a_mark_is_for_its_inputs(self):
        self.assertFalse(self.state.marked('step', 'v1'))
        self.state.mark('step', 'v1')
        self.assertTrue(self.state.marked('step', 'v1'))
        self.assertFalse(self.state.marked('step', 'v2'))
        self.state.unmark('step')
        self.assertFalse(self.state.marked('step', 'v1'))

    def test_private_files_are_never_open(self):
        path = self.top / 'secret'
        path.write_text('old')
        path.chmod(0o644)
        state.write(path, 'new', mode=0o600)
        self.assertEqual('new', path.read_text())
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
