# SPDX-License-Identifier: Apache-2.0
"""Nothing that ours does worse is lost, and nothing else is called so."""

from xml.etree import ElementTree

import ddt

from tests.tempest import results
from tests.unit import base

P, F, S = results.PASSED, results.FAILED, results.SKIPPED
A, B, C = 'mod.One.test_a', 'mod.One.test_b', 'mod.Another.test_c'
SET_UP, TEAR_DOWN = 'setUpClass (mod.One)', 'tearDownClass (mod.One)'


class ReadTest(base.TestCase):
    def test_outcomes(self):
        self.assertEqual(
            {
                'a[id-1,negative]': P,
                'b': P,
                'c': S,
                'd': F,
                'e': F,
                'f': F,
                'setUpClass (mod.One)': S,
            },
            results.read(
                'test,status,start_time,stop_time\n'
                '"a[id-1,negative]",success,1,2\n'
                'b,xfail,1,2\n'
                'c,skip,1,2\n'
                'd,failure,1,2\n'
                'e,error,1,2\n'
                'f,inprogress,1,\n'
                'setUpClass (mod.One),skip,,\n'
            ),
        )

    def test_nothing(self):
        self.assertEqual({}, results.read(''))


@ddt.ddt
class WorseTest(base.TestCase):
    @ddt.data(
        ({A: P}, {A: P}, []),
        ({A: S}, {A: S}, []),
        ({A: F}, {A: F}, []),
        ({A: F}, {A: P}, []),
        ({A: F}, {A: S}, []),
        ({A: S}, {A: P}, []),
        ({A: P}, {A: F}, [A]),
        ({A: P}, {A: S}, [A]),
        ({A: S}, {A: F}, [A]),
        # The class could not be set up.
        ({A: P, B: P}, {SET_UP: F}, [A, B, SET_UP]),
        ({A: S, B: F}, {SET_UP: F}, [SET_UP]),
        # What a test made could not be deleted.
        ({A: P}, {A: P, TEAR_DOWN: F}, [TEAR_DOWN]),
        ({A: P, TEAR_DOWN: F}, {A: P, TEAR_DOWN: F}, []),
    )
    @ddt.unpack
    def test_worse(self, stock, ours, expected):
        self.assertEqual(expected, results.Comparison(stock, ours).worse())


class AgainTest(base.TestCase):
    def again(self, *names):
        stock = {A: P, B: P, C: P, 'mod.Oneself.test_d': P}
        return results.Comparison(stock, {SET_UP: F}).again(names)

    def test_a_test(self):
        self.assertEqual([C], self.again(C))

    def test_all_tests_of_a_class(self):
        self.assertEqual([A, B], self.again(SET_UP, A))
        self.assertEqual([C, A, B], self.again(TEAR_DOWN, C))

    def test_none(self):
        self.assertEqual([], self.again())


class VerdictTest(base.TestCase):
    def verdict(self, stock, ours, again=None):
        return results.Verdict(
            results.Comparison(stock, ours),
            results.Comparison(*again) if again else None,
        )

    def test_the_same(self):
        verdict = self.verdict({A: P, B: S, C: F}, {A: P, B: S, C: F})
        self.assertFalse(verdict.failed())
        self.assertEqual([], verdict.differences())
        self.assertIn('0 differences', verdict.report())

    def test_nothing_in_common(self):
        self.assertTrue(self.verdict({A: S}, {A: S}).failed())

    def test_worse_twice(self):
        verdict = self.verdict(
            {A: P, B: P, C: P},
            {A: F, B: F, C: P},
            ({A: P, B: P}, {A: P, B: F}),
        )
        self.assertTrue(verdict.failed())
        self.assertEqual([B], verdict.differences())
        report = verdict.report()
        self.assertIn(f'DIFFERENCE, twice: {B}', report)
        self.assertNotIn(f'DIFFERENCE, twice: {A}', report)
        self.assertIn('Run once more', report)

    def test_stock_fails_the_second_time(self):
        verdict = self.verdict({A: P, C: P}, {A: F, C: P}, ({A: F}, {A: F}))
        self.assertFalse(verdict.failed())

    def test_it_was_the_class_first_and_a_test_then(self):
        verdict = self.verdict(
            {A: P, B: P, C: P},
            {SET_UP: F, C: P},
            ({A: P, B: P}, {A: F, B: P}),
        )
        self.assertEqual([A], verdict.differences())

    def test_report_has_every_test(self):
        report = self.verdict({A: P, B: S}, {A: P, C: F}).report()
        lines = [line.split() for line in report.splitlines()]
        for expected in (
            ['passed', 'passed', A],
            ['skipped', '-', B],
            ['-', 'failed', C],
        ):
            self.assertIn(expected, lines)

    def test_junit(self):
        verdict = self.verdict(
            {A: P, B: S, C: P}, {A: P, B: S, C: F}, ({C: P}, {C: F})
        )
        suite = ElementTree.fromstring(verdict.junit()).find('testsuite')
        self.assertEqual(
            ('3', '1', '1', '0'),
            tuple(
                suite.get(name)
                for name in ('tests', 'failures', 'skipped', 'errors')
            ),
        )
        failed = suite.find('testcase[failure]')
        self.assertEqual(C, f'{failed.get("classname")}.{failed.get("name")}')
