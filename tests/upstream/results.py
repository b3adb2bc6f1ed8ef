# SPDX-License-Identifier: Apache-2.0
"""What stestr recorded of a run."""

import dataclasses
from xml.etree import ElementTree

from stestr.repository import util
import testtools

# Everything else that testtools knows (fail, uxsuccess, inprogress of a
# worker that died) is a failure.
PASSED = frozenset(('success', 'xfail'))
SKIPPED = frozenset(('skip',))


@dataclasses.dataclass(frozen=True)
class Results:
    """Outcome of a run: three disjoint sets of test ids, and more.

    :ivar passed: ids of tests that passed
    :ivar skipped: ids of tests that Nova itself skips here
    :ivar failed: ids of tests that failed or never ended
    :ivar excused: ids of tests that fail with Nova's own driver too
    :ivar status: exit status of stestr
    """

    passed: frozenset
    skipped: frozenset
    failed: frozenset
    excused: frozenset = frozenset()
    status: int = 0

    def excuse(self, ids):
        """The same results with some of the failed tests not counted."""
        return dataclasses.replace(
            self, failed=self.failed - ids, excused=self.failed & ids
        )

    def exit_status(self):
        """0 if something was run and nothing failed on our account."""
        if self.failed or not self.passed:
            return 1
        # A worker that could not import its tests fails without a test.
        return 0 if self.excused else self.status

    def report(self):
        """Text for the end of a run; the last line is the sum."""
        lines = ['']
        lines += [
            'fails with the driver of Nova too, not counted: %s' % name
            for name in sorted(self.excused)
        ]
        lines += ['FAILED %s' % name for name in sorted(self.failed)]
        lines.append(
            '%d passed, %d failed, %d skipped'
            % (len(self.passed), len(self.failed), len(self.skipped))
        )
        return '\n'.join(lines)

    def write_junit(self, path):
        """Write the results in the format of pytest's --junitxml."""
        suite = ElementTree.Element(
            'testsuite',
            name='upstream',
            errors='0',
            tests=str(len(self.passed | self.failed | self.skipped)),
            failures=str(len(self.failed)),
            skipped=str(len(self.skipped)),
        )
        for kind, names in (
            (None, self.passed),
            ('failure', self.failed),
            ('skipped', self.skipped),
        ):
            for name in sorted(names):
                classname, _, test = name.rpartition('.')
                case = ElementTree.SubElement(
                    suite, 'testcase', classname=classname, name=test
                )
                if kind:
                    ElementTree.SubElement(case, kind)
        root = ElementTree.Element('testsuites')
        root.append(suite)
        ElementTree.ElementTree(root).write(path, encoding='utf-8')


def read(repository, status):
    """Read the only run in a repository of stestr's.

    :param repository: its directory
    :param status: what stestr exited with
    :returns: a Results; all sets are empty if no run was recorded
    """
    by_id = {}
    try:
        run = util.get_repo_open(repo_url=str(repository)).get_latest_run()
    except KeyError:
        return Results(frozenset(), frozenset(), frozenset(), status=status)
    result = testtools.StreamToDict(
        lambda test: by_id.update({test['id']: test['status']})
    )
    result.startTestRun()
    try:
        run.get_test().run(result)
    finally:
        result.stopTestRun()
    passed = frozenset(i for i, s in by_id.items() if s in PASSED)
    skipped = frozenset(i for i, s in by_id.items() if s in SKIPPED)
    return Results(
        passed, skipped, frozenset(by_id) - passed - skipped, status=status
    )
