# SPDX-License-Identifier: Apache-2.0
"""Which steps run when, and what becomes of the outcomes."""

import pathlib
from unittest import mock

import fixtures

from tests.runner import __main__ as runner
from tests.runner import beside
from tests.runner import counts
from tests.runner import parts
from tests.unit import base

PASSED = counts.Counts(passed=1)


def step(name):
    return parts.Step(name, name, ['true'], None)


class RunAllTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.directory / 'logs').mkdir()
        self.ran = []
        self.useFixture(
            fixtures.MockPatchObject(runner, 'run_step', self.run_step)
        )
        self.beside = self.useFixture(
            fixtures.MockPatchObject(beside, 'Beside', side_effect=self.start)
        ).mock
        self.lost = False

    def run_step(self, wanted, directory):
        self.assertEqual(self.directory, directory)
        self.ran.append(wanted.name)
        return runner.Outcome(wanted.name, PASSED, 1)

    def start(self, run, steps, log):
        self.ran.append('beside')
        log.write_text('')
        made = mock.MagicMock()
        made.__enter__.return_value = made
        made.results.side_effect = lambda: (
            [] if self.lost else [run(wanted) for wanted in steps]
        )
        return made

    def outcomes(self, *names):
        return runner.run_all([step(name) for name in names], self.directory)

    def test_beside_the_acceptance_tests(self):
        found = self.outcomes('style', 'upstream', 'acceptance', 'matrix')
        self.assertEqual(
            ['style', 'beside', 'acceptance', 'upstream', 'matrix'], self.ran
        )
        self.assertEqual(4, len(found))

    def test_alone(self):
        self.outcomes('unit', 'upstream')
        self.assertEqual(['unit', 'upstream'], self.ran)

    def test_nothing_beside(self):
        self.outcomes('acceptance')
        self.assertEqual(['acceptance'], self.ran)

    def test_results_that_did_not_come(self):
        """What is not known to have passed has failed."""
        self.lost = True
        found = self.outcomes('upstream', 'acceptance')
        failed = [o.name for o in found if o.counts.failed]
        self.assertEqual(['upstream'], failed)
