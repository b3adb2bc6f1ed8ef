# SPDX-License-Identifier: Apache-2.0
"""How many tests passed and failed."""

import dataclasses
from xml.etree import ElementTree


@dataclasses.dataclass(frozen=True)
class Counts:
    """Numbers of tests.

    :ivar problem: why the numbers are not those of a whole run, if so
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ''


def read_junit(path):
    """Add up the suites in a file that ``pytest --junitxml`` wrote.

    :param path: the file, which need not exist
    :returns: a Counts
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        return Counts(problem='no results: %s' % error)
    suites = list(root.iter('testsuite'))

    def total(*names):
        return sum(
            int(suite.get(name, 0)) for suite in suites for name in names
        )

    failed = total('failures', 'errors')
    skipped = total('skipped')
    # A test whose teardown fails too is counted twice among the failures.
    passed = max(0, total('tests') - failed - skipped)
    return Counts(passed, failed, skipped)


def judge(counts, status):
    """Count as failed what left no failed test behind.

    :param counts: a Counts
    :param status: exit status of the command that ran the tests
    :returns: a Counts with at least one failure unless the status is 0 and
        some test passed
    """
    if counts.failed:
        return counts
    problem = counts.problem
    if not problem and not counts.passed:
        problem = 'no test passed: nothing was run'
    if not problem and status:
        problem = 'exit status %d' % status
    return dataclasses.replace(
        counts, failed=int(bool(problem)), problem=problem
    )
