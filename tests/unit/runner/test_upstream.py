# SPDX-License-Identifier: Apache-2.0
"""What counts against our driver when Nova's own tests are run."""

import pathlib
from xml.etree import ElementTree

import ddt
import fixtures

from tests.unit import base
from tests.upstream import __main__ as upstream
from tests.upstream import comparison
from tests.upstream import report
from tests.upstream import selection
from tests.upstream import table

OURS, STOCK = comparison.OURS, comparison.STOCK
PASSED, FAILED = comparison.PASSED, comparison.FAILED
SKIPPED = comparison.SKIPPED

TEST = 'nova.tests.unit.test_one'
OTHER = 'nova.tests.unit.test_other'
PROOF = 'tests.upstream.proof.test_class'


def compared(stock, ours, **fields):
    """A comparison.

    :param stock: list of runs with Nova's driver, None for no run at all
    :param ours: list of runs with ours
    """
    runs = {STOCK: stock, OURS: ours}
    return comparison.Comparison(
        suite='unit',
        release=34,
        version='34.0.0',
        runs={name: done for name, done in runs.items() if done is not None},
        **fields,
    )


def one(stock, ours, **fields):
    """A comparison of one test's statuses, beside a test that passes."""
    return compared(
        [{TEST: status, OTHER: PASSED} for status in stock],
        [{TEST: status, OTHER: PASSED} for status in ours],
        **fields,
    )


@ddt.ddt
class ComparisonTestCase(base.TestCase):
    @ddt.data(
        ([PASSED], [FAILED]),
        ([PASSED], [SKIPPED]),
        ([PASSED, PASSED], [FAILED, FAILED]),
        ([], [FAILED]),
    )
    @ddt.unpack
    def test_against_ours(self, stock, ours):
        found = one(stock, ours)
        self.assertEqual({TEST}, found.against_ours())
        self.assertFalse(found.is_good())

    @ddt.data(
        ([PASSED], [PASSED]),
        ([FAILED], [FAILED]),
        ([SKIPPED], [SKIPPED]),
        ([FAILED], [PASSED]),
        ([SKIPPED], [FAILED]),
        ([PASSED, FAILED], [FAILED, FAILED]),
        ([PASSED, PASSED], [FAILED, PASSED]),
        ([], [PASSED]),
        ([], [SKIPPED]),
    )
    @ddt.unpack
    def test_not_against_ours(self, stock, ours):
        found = one(stock, ours)
        self.assertEqual(set(), found.against_ours())
        self.assertTrue(found.is_good())

    def test_test_that_ours_never_came_to(self):
        found = compared([{TEST: PASSED, OTHER: PASSED}], [{OTHER: PASSED}])
        self.assertEqual({TEST}, found.against_ours())

    def test_reason(self):
        found = one([PASSED], [FAILED], deviations={TEST: 'why'})
        self.assertEqual(set(), found.against_ours())
        self.assertEqual({TEST}, found.excused())
        self.assertTrue(found.is_good())

    def test_stale_reason(self):
        found = one([PASSED], [PASSED], deviations={TEST: 'why'})
        self.assertEqual({TEST}, found.stale())
        self.assertFalse(found.is_good())

    def test_reason_for_what_was_not_run(self):
        found = compared(
            None, [{OTHER: PASSED}], deviations={TEST: 'another suite'}
        )
        self.assertTrue(found.is_good())
        self.assertEqual(set(), found.excused())

    def test_dead_worker(self):
        found = compared(None, [{OTHER: PASSED, 'process-returncode': FAILED}])
        self.assertEqual({'process-returncode'}, found.against_ours())

    def test_problem(self):
        self.assertFalse(one([PASSED], [PASSED], problems=['no']).is_good())

    def test_nothing_passed(self):
        self.assertFalse(compared([{}], [{}]).is_good())
        self.assertFalse(compared(None, [{PROOF: PASSED}]).is_good())

    def test_proof_is_no_test_of_novas(self):
        found = compared(
            [{TEST: PASSED, PROOF: PASSED}], [{TEST: PASSED, PROOF: FAILED}]
        )
        self.assertEqual({TEST}, found.passed(STOCK))
        self.assertEqual({PROOF}, found.against_ours())

    @ddt.data(PASSED, FAILED)
    def test_proof_that_fails_with_novas(self, ours):
        found = compared(
            [{TEST: PASSED, PROOF: FAILED}], [{TEST: PASSED, PROOF: ours}]
        )
        self.assertEqual({PROOF}, found.against_ours())

    def test_unsettled(self):
        self.assertEqual({TEST}, one([PASSED], [FAILED]).unsettled())
        self.assertEqual({TEST}, one([FAILED], [PASSED]).unsettled())
        self.assertEqual(set(), one([FAILED], [FAILED]).unsettled())
        self.assertEqual(
            set(),
            one([PASSED], [FAILED], deviations={TEST: 'why'}).unsettled(),
        )
        alone = compared(None, [{TEST: FAILED, OTHER: PASSED}])
        self.assertEqual({TEST}, alone.unsettled())

    def test_file(self):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'f')
        found = one([PASSED], [FAILED], deviations={OTHER: 'why'})
        found.dump(path)
        self.assertEqual(found, comparison.load(path))


class Runner:
    """Gives tests the statuses that it was made with, run after run."""

    def __init__(self, **statuses):
        self.statuses = statuses

    def run_again(self, driver, names):
        return {name: self.statuses[driver].pop(0) for name in names}


class SettleTestCase(base.TestCase):
    def settled(self, found, **statuses):
        upstream.settle(found, Runner(**statuses))
        return found

    def test_steady(self):
        found = self.settled(
            compared(None, [{TEST: FAILED, OTHER: PASSED}]),
            newos=[FAILED, FAILED],
            stock=[PASSED, PASSED],
        )
        self.assertEqual({TEST}, found.against_ours())

    def test_unsteady_with_novas(self):
        found = self.settled(
            one([PASSED], [FAILED]),
            newos=[FAILED, FAILED],
            stock=[FAILED, PASSED],
        )
        self.assertEqual(set(), found.against_ours())
        self.assertIn('now and then', report.text(found))

    def test_unsteady_with_ours(self):
        found = self.settled(
            one([PASSED], [FAILED]),
            newos=[PASSED, FAILED],
            stock=[PASSED, PASSED],
        )
        self.assertEqual(set(), found.against_ours())
        self.assertIn('second run: ' + TEST, report.text(found))

    def test_nothing_to_settle(self):
        found = self.settled(one([PASSED], [PASSED]))
        self.assertEqual(1, len(found.runs[OURS]))


class ReportTestCase(base.TestCase):
    def test_junit(self):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'x')
        names = ['nova.t.%s' % letter for letter in 'abcd']
        a, b, c, d = names
        found = compared(
            [{a: PASSED, b: PASSED, c: PASSED, d: FAILED}],
            [{a: PASSED, b: FAILED, c: FAILED, d: FAILED}],
            deviations={c: 'why'},
        )
        report.write_junit(found, path)
        suite = ElementTree.parse(path).getroot().find('testsuite')
        self.assertEqual(
            ('4', '1', '2'),
            tuple(suite.get(n) for n in ('tests', 'failures', 'skipped')),
        )
        failed = [
            case.get('name')
            for case in suite
            if case.find('failure') is not None
        ]
        self.assertEqual(['b'], failed)


class TableTestCase(base.TestCase):
    def test_figures(self):
        found = one([PASSED], [FAILED], deviations={TEST: 'why not'})
        row = dict(zip(table.COLUMNS, table.rows([found])[0], strict=True))
        self.assertEqual(
            ('2', '1', '-1', '1', '0'),
            tuple(
                row[name]
                for name in (
                    'stock passed',
                    'ours passed',
                    'difference',
                    'with reason',
                    'against ours',
                )
            ),
        )

    def test_remarks(self):
        text = table.text([one([PASSED], [FAILED])])
        self.assertIn("Nova's driver passes:\n  34: " + TEST, text)

    def test_status(self):
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for status, ours in enumerate((PASSED, FAILED)):
            path = directory / ours
            one([PASSED], [ours]).dump(path)
            self.assertEqual(status, table.main([str(path)]))


class DeviationsTestCase(base.TestCase):
    ENTRY = '[[test]]\nids = ["%s"]\nreleases = [33]\nreason = "%s"\n'

    def path(self, text):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'd')
        path.write_text(text)
        return path

    def test_release_and_suite(self):
        path = self.path(self.ENTRY % (TEST, 'why  not'))
        for suite, release, expected in (
            ('unit', 33, {TEST: 'why not'}),
            ('unit', 34, {}),
            ('functional', 33, {}),
        ):
            with self.subTest(suite=suite, release=release):
                self.assertEqual(
                    expected, selection.deviations(suite, release, path)
                )

    def test_no_reason(self):
        path = self.path(self.ENTRY % (TEST, ' '))
        with self.assertRaisesRegex(ValueError, TEST):
            selection.deviations('unit', 33, path)

    def test_the_file(self):
        for suite in selection.SUITES:
            self.assertTrue(selection.deviations(suite, 34))

    def test_unknown_test(self):
        with self.assertRaisesRegex(selection.UnknownTests, TEST):
            selection.select([], [TEST], 34)
