# SPDX-License-Identifier: Apache-2.0
"""Run Nova's own tests against a driver: ``python -m tests.upstream``."""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import sys
import tempfile

from tests.upstream import comparison
from tests.upstream import report
from tests.upstream import selection
from tests.upstream import substitute
from tests.upstream import workers

PROOF = r'SubstitutionTestCase'

# How often tests that may tell the drivers apart are run again, with both.
ATTEMPTS = 2

# A functional test waits more than it computes.
WORKERS_PER_CPU = {'unit': 1, 'functional': 2}


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog='python -m tests.upstream', description=__doc__
    )
    parser.add_argument(
        '--suite',
        choices=selection.SUITES,
        default='unit',
        help='which of the tests of Nova (default: %(default)s)',
    )
    parser.add_argument(
        '--driver',
        choices=[*sorted(substitute.DRIVERS), 'both'],
        default=comparison.OURS,
        help='the driver under test, or "both" to compare '
        '(default: %(default)s, and what fails with it with the other too)',
    )
    parser.add_argument(
        '--concurrency',
        type=int,
        help='test processes (default: one a CPU, two for functional tests)',
    )
    parser.add_argument(
        '--junitxml',
        type=pathlib.Path,
        help='also write the results to this file',
    )
    parser.add_argument(
        '--record',
        type=pathlib.Path,
        help='also write them to this file for "python -m '
        'tests.upstream.table"',
    )
    parser.add_argument(
        'patterns',
        nargs='*',
        metavar='PATTERN',
        help='regular expressions; only tests whose id matches one are run',
    )
    options = parser.parse_args(argv)
    options.concurrency = options.concurrency or (
        os.cpu_count() * WORKERS_PER_CPU[options.suite]
    )
    return options


def compare(options, scratch):
    """Run what the command line asks for, and again what is in doubt.

    :param options: the command line
    :param scratch: an empty directory
    :returns: a comparison.Comparison
    """
    release = selection.nova_release()
    found = comparison.Comparison(
        suite=options.suite,
        release=release,
        version=importlib.metadata.version('nova'),
        started=datetime.datetime.now().isoformat(' ', 'minutes'),
        deviations=selection.deviations(options.suite, release),
    )
    runner = workers.Workers(options.suite, scratch)
    filters = [*options.patterns, PROOF] if options.patterns else []
    drivers = (
        [comparison.STOCK, comparison.OURS]
        if options.driver == 'both'
        else [options.driver]
    )
    for driver in drivers:
        run, problem = runner.run(driver, filters, options.concurrency)
        found.runs[driver] = [run]
        found.problems.extend(filter(None, [problem]))
    if options.driver != comparison.STOCK:
        settle(found, runner)
    return found


def settle(found, runner):
    """Run again, with both drivers, what may tell them apart.

    :param found: a comparison.Comparison, runs are added to it
    :param runner: a workers.Workers
    """
    names = found.unsettled()
    if not names:
        return
    for _attempt in range(ATTEMPTS):
        for driver in (comparison.STOCK, comparison.OURS):
            found.runs.setdefault(driver, []).append(
                runner.run_again(driver, names)
            )


def main(argv=None):
    options = arguments(argv)
    for path in filter(None, (options.junitxml, options.record)):
        path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix='upstream-') as scratch:
        found = compare(options, pathlib.Path(scratch))
    if options.junitxml:
        report.write_junit(found, options.junitxml)
    if options.record:
        found.dump(options.record)
    print(report.text(found))
    return int(not found.is_good())


if __name__ == '__main__':
    sys.exit(main())
