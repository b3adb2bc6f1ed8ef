# SPDX-License-Identifier: Apache-2.0
"""Run Nova's own tests against a driver: ``python -m tests.upstream``."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.upstream import results
from tests.upstream import selection
from tests.upstream import substitute

TOP = pathlib.Path(__file__).parents[2]
SUITE = TOP / 'tests' / 'upstream' / 'suite'
PROOF = r'SubstitutionTestCase'


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog='python -m tests.upstream', description=__doc__
    )
    parser.add_argument(
        '--driver',
        choices=sorted(substitute.DRIVERS),
        default='newos',
        help='the driver under test (default: %(default)s)',
    )
    parser.add_argument(
        '--concurrency',
        type=int,
        default=os.cpu_count(),
        help='test processes (default: %(default)s)',
    )
    parser.add_argument(
        '--junitxml',
        type=pathlib.Path,
        help='also write the results to this file',
    )
    parser.add_argument(
        'patterns',
        nargs='*',
        metavar='PATTERN',
        help='regular expressions; only tests whose id matches one are run',
    )
    return parser.parse_args(argv)


def run(driver, repository, options, concurrency):
    """Run tests in stestr's worker processes.

    :param driver: a key of substitute.DRIVERS
    :param repository: directory to make for stestr's records
    :param options: more of stestr's options and filters
    :param concurrency: number of processes
    :returns: a results.Results
    """
    environ = dict(
        os.environ,
        **{
            substitute.DRIVER_VARIABLE: driver,
            # Workers import the suite as a module of this checkout.
            'PYTHONPATH': os.pathsep.join(
                [str(TOP), os.environ.get('PYTHONPATH', '')]
            ),
        },
    )
    repository.mkdir()
    status = subprocess.run(
        [
            sys.executable,
            '-m',
            'stestr',
            '--test-path',
            SUITE,
            '--top-dir',
            TOP,
            '--repo-url',
            repository,
            'run',
            '--concurrency',
            str(concurrency),
            '--abbreviate',
            *options,
        ],
        cwd=TOP,
        env=environ,
        check=False,
    ).returncode
    return results.read(repository, status)


def baseline(failed, scratch, concurrency):
    """Which of some failed tests fail with Nova's own driver as well.

    :param failed: test ids
    :param scratch: an existing directory
    :param concurrency: number of processes
    :returns: set of test ids
    """
    print(
        '\nThe failed tests once more, with the driver of Nova itself:',
        flush=True,
    )
    ids = scratch / 'failed'
    ids.write_text(''.join('%s\n' % name for name in sorted(failed)))
    stock = run('stock', scratch / 'stock', ['--load-list', ids], concurrency)
    return stock.failed & failed


def main(argv=None):
    options = arguments(argv)
    filters = [*options.patterns, PROOF] if options.patterns else []
    for name, reason in selection.deselected(selection.nova_release()).items():
        print('not run: %s: %s' % (name, reason))
    with tempfile.TemporaryDirectory(prefix='upstream-') as scratch:
        scratch = pathlib.Path(scratch)
        outcome = run(
            options.driver,
            scratch / options.driver,
            filters,
            options.concurrency,
        )
        if outcome.failed and options.driver != 'stock':
            excused = baseline(outcome.failed, scratch, options.concurrency)
            outcome = outcome.excuse(excused)
    if options.junitxml:
        outcome.write_junit(options.junitxml)
    print(outcome.report())
    return outcome.exit_status()


if __name__ == '__main__':
    sys.exit(main())
