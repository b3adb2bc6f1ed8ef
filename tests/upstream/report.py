# SPDX-License-Identifier: Apache-2.0
"""What is said of a comparison at the end of a run."""

from xml.etree import ElementTree

from tests.upstream import comparison


def text(found):
    """What to look at, and the sum as last line.

    :param found: a comparison.Comparison
    """
    ours, stock = comparison.OURS, comparison.STOCK
    lines = ['']
    for title, names in (
        ('fails for a written reason', found.excused()),
        (
            'fails with the driver of Nova too, not counted',
            found.with_status(ours, comparison.FAILED)
            & found.with_status(stock, comparison.FAILED),
        ),
        (
            'passes now and then with the driver of Nova, not counted',
            found.with_status(stock, comparison.FLAKY),
        ),
        (
            'passed in a second run',
            found.with_status(ours, comparison.FLAKY),
        ),
        ('PASSES though a reason says why not', found.stale()),
        ('FAILED', found.against_ours()),
    ):
        lines += ['%s: %s' % (title, name) for name in sorted(names)]
    lines += ['PROBLEM %s' % problem for problem in found.problems]
    lines += [
        '%s: %d passed, %d failed, %d skipped'
        % (
            driver,
            len(found.passed(driver)),
            len(found.with_status(driver, comparison.FAILED)),
            len(found.with_status(driver, comparison.SKIPPED)),
        )
        for driver in found.runs
    ]
    return '\n'.join(lines)


def write_junit(found, path):
    """Write it in the format of pytest's --junitxml.

    What does not count, for whatever reason, goes in as skipped.

    :param found: a comparison.Comparison
    :param path: the file
    """
    passed = found.passed(comparison.OURS) - found.stale()
    failed = found.against_ours() | found.stale() | set(found.problems)
    skipped = {
        name
        for name in found.ids() - passed - failed
        if name.startswith(comparison.COUNTED)
    }
    suite = ElementTree.Element(
        'testsuite',
        name='upstream-' + found.suite,
        errors='0',
        tests=str(len(passed | failed | skipped)),
        failures=str(len(failed)),
        skipped=str(len(skipped)),
    )
    for kind, names in (
        (None, passed),
        ('failure', failed),
        ('skipped', skipped),
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
