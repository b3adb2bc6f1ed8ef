# SPDX-License-Identifier: Apache-2.0
"""What two runs of the same tests gave, side by side."""

import collections
import csv
import dataclasses
import re
from xml.etree import ElementTree

PASSED = 'passed'
FAILED = 'failed'
SKIPPED = 'skipped'
#: In one run only: something before it failed there.
MISSING = '-'

# Everything else that subunit knows is a failure.
_OUTCOMES = {'success': PASSED, 'xfail': PASSED, 'skip': SKIPPED}
# "setUpClass (module.Class)" and tearDownClass stand among the tests.
_FIXTURE = re.compile(r'\w+ \((.+)\)')


def read(text):
    """Outcomes by test id.

    :param text: what subunit2csv printed
    """
    return {
        row['test']: _OUTCOMES.get(row['status'], FAILED)
        for row in csv.DictReader(text.splitlines())
    }


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two runs.

    :ivar stock: outcomes by test id with Nova's driver
    :ivar ours: the same with ours
    """

    stock: dict
    ours: dict

    def tests(self):
        """All test ids, in order."""
        return sorted(self.stock | self.ours)

    def pair(self, test):
        """Outcomes of a test: (stock, ours)."""
        return self.stock.get(test, MISSING), self.ours.get(test, MISSING)

    def worse(self):
        """Ids of what did better with stock than with ours."""
        return [test for test in self.tests() if _worse(*self.pair(test))]

    def sums(self):
        """How often each pair of outcomes occurs: {(stock, ours): count}"""
        return collections.Counter(map(self.pair, self.tests()))

    def again(self, names):
        """Ids of the tests to run again for some of them.

        :param names: test ids; of a class's fixture, all tests of the class
            have to run
        """
        fixtures = filter(None, map(_FIXTURE.fullmatch, names))
        classes = tuple(f'{fixture[1]}.' for fixture in fixtures)
        return [
            test
            for test in self.tests()
            if not _FIXTURE.fullmatch(test)
            and (test in names or test.startswith(classes))
        ]


def _worse(stock, ours):
    return (stock == PASSED and ours != PASSED) or (
        ours == FAILED and stock != FAILED
    )


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A comparison, and what came of its doubtful tests in a second one.

    :ivar first: Comparison of all tests
    :ivar second: Comparison of those that did worse with ours, run once more;
        None when there were none
    """

    first: Comparison
    second: Comparison | None = None

    def differences(self):
        """Ids of what did worse with ours both times."""
        again = set(self.second.worse()) if self.second else set()
        return [test for test in self.first.worse() if test in again]

    def failed(self):
        """Whether ours is worse, or nothing could be compared."""
        passed = self.first.sums()[PASSED, PASSED]
        return not passed or bool(self.differences())

    def report(self):
        """Text: test by test, what ran again, and the sum."""
        lines = [_line('stock', 'ours', 'test'), *_rows(self.first)]
        if self.second:
            lines += [
                '',
                'Run once more with both, because of doing worse with ours:',
                *_rows(self.second),
            ]
        lines += ['', _line('stock', 'ours', 'tests')]
        lines += [
            _line(*pair, count)
            for pair, count in self.first.sums().most_common()
        ]
        lines += [f'DIFFERENCE, twice: {test}' for test in self.differences()]
        lines.append(f'{len(self.differences())} differences')
        return '\n'.join(lines)

    def junit(self):
        """Bytes in the format of pytest's --junitxml."""
        differences = set(self.differences())
        suite = ElementTree.Element('testsuite', name='tempest')
        for test in self.first.tests():
            stock, ours = self.first.pair(test)
            classname, _, name = test.rpartition('.')
            case = ElementTree.SubElement(
                suite, 'testcase', classname=classname, name=name
            )
            if test in differences:
                ElementTree.SubElement(case, 'failure')
            elif PASSED not in (stock, ours):
                ElementTree.SubElement(
                    case, 'skipped', message=f'stock {stock}, ours {ours}'
                )
        for name, tag in (
            ('tests', 'testcase'),
            ('failures', 'testcase/failure'),
            ('skipped', 'testcase/skipped'),
        ):
            suite.set(name, str(len(suite.findall(tag))))
        suite.set('errors', '0')
        root = ElementTree.Element('testsuites')
        root.append(suite)
        return ElementTree.tostring(root, encoding='utf-8')


def _rows(comparison):
    return [_line(*comparison.pair(test), test) for test in comparison.tests()]


def _line(stock, ours, rest):
    return f'{stock:8} {ours:8} {rest}'
