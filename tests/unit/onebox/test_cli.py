# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
import pathlib
import shlex

import fixtures

from devstack.onebox import cli
from devstack.onebox import errors
from devstack.onebox import settings
from devstack.onebox import state
from tests.unit import base


class EnvTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def run_box(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertEqual(0, cli.main(arguments))
        return output.getvalue()

    def test_env_gives_a_shell_all_it_needs(self):
        (self.top / 'settings.json').write_text(
            settings.dump(settings.merge(None))
        )
        self.useFixture(fixtures.EnvironmentVariable('PATH', '/a b:/bin'))

        text = self.run_box('env', '--state', str(self.top))

        words = shlex.split(text)
        given = dict(word.split('=', 1) for word in words if '=' in word)
        self.assertEqual(['export'] * len(given), words[::2])
        self.assertEqual(f'{self.top}/venv/bin:/a b:/bin', given['PATH'])
        self.assertEqual('onebox', given['OS_CLOUD'])
        self.assertEqual(
            f'{self.top}/clouds.yaml', given['OS_CLIENT_CONFIG_FILE']
        )
        self.assertTrue(
            given['LIBVIRT_DEFAULT_URI'].endswith(
                f'socket={self.top}/run/libvirt/libvirt-sock'
            )
        )
        # 'down' ends what carries this; a shell must not.
        self.assertNotIn('ONEBOX_PROCESS', given)

    def test_env_of_no_box_fails(self):
        with contextlib.redirect_stderr(io.StringIO()) as complaint:
            self.assertRaises(
                SystemExit, cli.main, ['env', '--state', str(self.top)]
            )
        self.assertIn("make one with 'box up'", complaint.getvalue())

    def test_state_of_the_shell_is_the_default(self):
        self.useFixture(
            fixtures.EnvironmentVariable('ONEBOX_STATE', '/var/lib/other')
        )
        self.assertEqual(
            '/var/lib/other', cli.parser().parse_args(['down']).state
        )
        self.useFixture(fixtures.EnvironmentVariable('ONEBOX_STATE', None))
        self.assertEqual(
            state.DEFAULT, cli.parser().parse_args(['down']).state
        )

    def test_the_end_of_a_log(self):
        log = self.top / 'x.log'
        log.write_text('\n'.join(map(str, range(100))))
        self.assertEqual(f'the end of {log}:\n98\n99', errors.tail(log, 2))
        self.assertEqual(
            f'the end of {self.top}/y.log:\n', errors.tail(self.top / 'y.log')
        )
