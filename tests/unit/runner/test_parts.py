# SPDX-License-Identifier: Apache-2.0
"""What a command line of tests/run stands for."""

import contextlib
import io
import pathlib

import ddt
import fixtures

from tests.runner import __main__ as runner
from tests.runner import parts
from tests.unit import base


@ddt.ddt
class ArgumentsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.useFixture(
            fixtures.EnvironmentVariable('NEWOS_TEST_DIR', self.directory)
        )
        self.useFixture(fixtures.MockPatch('os.geteuid', return_value=0))

    def steps(self, *argv):
        return parts.steps(runner.arguments(argv))

    def test_everything_but_what_takes_hours(self):
        found = {step.part for step in self.steps()}
        self.assertEqual(set(parts.PARTS) - {'upstream-table'}, found)

    @ddt.data(
        ((), list(parts.RELEASES)),
        (('upstream',), [parts.NEWEST]),
        (('upstream-table',), list(parts.RELEASES)),
        (('upstream-table', '--release', '2025.1'), ['2025.1']),
    )
    @ddt.unpack
    def test_releases(self, argv, expected):
        self.assertEqual(expected, runner.arguments(argv).releases)

    def test_table(self):
        """Both suites of each release, with both drivers."""
        found = self.steps('upstream-table')
        self.assertEqual(2 * len(parts.RELEASES), len(found))
        for step in found:
            self.assertIn('--driver=both', step.command)

    def test_upstream(self):
        """Functional tests on the newest release that was asked for."""
        found = self.steps(
            'upstream', '--release', '2025.2', '--release', '2025.1'
        )
        self.assertEqual(
            [
                'upstream-2025.2',
                'upstream-2025.1',
                'upstream-functional-2025.2',
            ],
            [step.name for step in found],
        )

    def test_records(self):
        """The table shows what its steps record, of earlier runs too."""
        options = runner.arguments(['upstream-table', '--release', '2025.1'])
        (pathlib.Path(self.directory) / 'results').mkdir()
        recorded = {
            pathlib.Path(argument.partition('=')[2])
            for step in self.steps('upstream-table')
            for argument in step.command
            if argument.startswith('--record=')
        }
        for path in recorded:
            path.touch()
        self.assertEqual(recorded, set(parts.upstream_records(options)))

    def test_two_boxes(self):
        """They are up at the same time, and no test is on neither."""
        found = self.steps('acceptance', 'flat')
        for option in ('--state', '--port-base'):
            values = {
                command[command.index(option) + 1]
                for step in found
                for _title, command in step.before
            }
            self.assertEqual(2, len(values), option)
        scripts = [step.command[-1] for step in found]
        self.assertIn("-m 'not flat'", scripts[1])
        self.assertIn('-m flat', scripts[0])

    @ddt.data('acceptance', 'flat')
    def test_a_box_needs_root(self, part):
        self.useFixture(fixtures.MockPatch('os.geteuid', return_value=1000))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertRaises(SystemExit, self.steps, part)
        self.assertIn('run them as root', said.getvalue())

    @ddt.data('1023', '31001')
    def test_ports_of_the_second_box_count(self, port):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertRaises(SystemExit, self.steps, '--port-base', port)
        self.assertIn('choose 1024 to 31000', said.getvalue())

    def test_names_are_not_shared(self):
        """Else one step's log and results would replace another's."""
        names = [step.name for step in self.steps(*parts.PARTS)]
        self.assertEqual(sorted(set(names)), sorted(names))
