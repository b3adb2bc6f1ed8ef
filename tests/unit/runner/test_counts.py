# SPDX-License-Identifier: Apache-2.0
"""A test run never passes for want of tests."""

import pathlib

import fixtures

from tests.runner import counts
from tests.unit import base

JUNIT = (
    '<testsuites><testsuite tests="7" errors="1" failures="2" skipped="1"/>'
    '<testsuite tests="2" errors="0" failures="0" skipped="0"/></testsuites>'
)


class CountsTestCase(base.TestCase):
    def read(self, text):
        path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'results.xml'
        )
        if text is not None:
            path.write_text(text)
        return counts.read_junit(path)

    def test_sums(self):
        self.assertEqual(counts.Counts(5, 3, 1), self.read(JUNIT))

    def test_no_results(self):
        for text in (None, '', '<testsuites>'):
            with self.subTest(text=text):
                found = self.read(text)
                self.assertIn('no results', found.problem)
                self.assertEqual(1, counts.judge(found, 0).failed)

    def test_nothing_run(self):
        found = counts.judge(self.read('<testsuite tests="0"/>'), 0)
        self.assertEqual(1, found.failed)
        self.assertIn('nothing was run', found.problem)

    def test_all_skipped(self):
        found = self.read('<testsuite tests="2" skipped="2"/>')
        self.assertEqual(1, counts.judge(found, 0).failed)

    def test_exit_status(self):
        found = counts.judge(counts.Counts(passed=3), 5)
        self.assertEqual((3, 1), (found.passed, found.failed))
        self.assertIn('exit status 5', found.problem)

    def test_failures_are_kept(self):
        found = counts.Counts(passed=3, failed=2)
        self.assertEqual(found, counts.judge(found, 1))

    def test_success(self):
        found = counts.Counts(passed=3, skipped=1)
        self.assertEqual(found, counts.judge(found, 0))
