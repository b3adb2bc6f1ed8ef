# SPDX-License-Identifier: Apache-2.0
"""Run Nova's own tests against a driver: ``python -m tests.upstream``."""

import argparse
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

from tests.upstream import outcomes

HERE = pathlib.Path(__file__).parent
TOP = HERE.parents[1]
COMMANDS = pathlib.Path(sys.executable).parent
VERSION = importlib.metadata.version('nova')

# What is run without a pattern. Of the functional tests, "functional" has
# those that move servers, touch their disks or decide on their devices; the
# others, nine of ten, are about NUMA, PCI, vTPM, old defects and the like.
SUITES = {
    'unit': (),
    'functional': (
        r'functional\.compute\.',
        r'libvirt\.test_(device_bus_migration|evacuate|live_migration)\.',
        r'libvirt\.test_(machine_type|rescue_deleted_base|uefi)\.',
    ),
    'functional-all': (),
}
PROOF = 'SubstitutionTestCase'

# As Nova's own tox.ini has them, except that the seconds a test may take are
# for a busy machine.
ENVIRONMENT = {
    'LC_ALL': 'C.UTF-8',
    'NOVA_RAISE_ON_GREENLET_LEAK': 'True',
    'OS_STDERR_CAPTURE': '1',
    'OS_STDOUT_CAPTURE': '1',
    'OS_TEST_TIMEOUT': '300',
    # So that each test is seen when it ends.
    'PYTHONUNBUFFERED': '1',
}
# How often a test that may tell the drivers apart is run again, with both.
ATTEMPTS = 2


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog='python -m tests.upstream', description=__doc__
    )
    parser.add_argument('--suite', choices=SUITES, default='unit')
    parser.add_argument(
        '--driver',
        choices=('ours', 'stock', 'both'),
        default='ours',
        help='the driver under test, or "both" to compare (default: '
        '%(default)s, and what fails with it with the other too)',
    )
    parser.add_argument('--junitxml', type=pathlib.Path)
    parser.add_argument(
        'patterns',
        nargs='*',
        metavar='PATTERN',
        help='regular expressions; only tests whose id matches one are run',
    )
    return parser.parse_args(argv)


def deviations(suite):
    """Tests that fail with our driver: dict of id to the reason."""
    entries = tomllib.loads((HERE / 'deviations.toml').read_text())['test']
    return {
        name: ' '.join(entry['reason'].split())
        for entry in entries
        if int(VERSION.partition('.')[0]) in entry['releases']
        for name in entry['ids']
        if name.startswith('nova.tests.%s.' % suite)
    }


def run(suite, driver, *options):
    """Run tests with a driver; returns their outcomes.

    :param suite: 'unit' or 'functional'
    :param driver: 'ours' or 'stock'
    :param options: more of stestr's, and patterns
    """
    print('\nNova %s, %s tests, driver: %s' % (VERSION, suite, driver))
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix='upstream-') as scratch:
        subprocess.run(
            [
                COMMANDS / 'stestr',
                *('--test-path', HERE / 'suite', '--top-dir', TOP, 'run'),
                *options,
            ],
            cwd=scratch,
            env={
                **os.environ,
                **ENVIRONMENT,
                'PYTHONPATH': str(TOP),
                'UPSTREAM_DRIVER': driver,
                'UPSTREAM_SUITE': suite,
            },
            # The outcomes say as much; there are none if nothing was run.
            check=False,
        )
        return outcomes.read(COMMANDS, scratch)


def run_again(suite, driver, names):
    """Run some tests once more, one at a time; returns their outcomes."""
    with tempfile.NamedTemporaryFile('w', suffix='.list') as listed:
        listed.write(''.join('%s\n' % name for name in sorted(names)))
        listed.flush()
        options = ('--load-list', listed.name, '--concurrency', '1')
        return run(suite, driver, *options)


def settle(suite, names):
    """Those of some tests that ours never passes and Nova's driver always.

    :param suite: 'unit' or 'functional'
    :param names: ids of tests that may tell the drivers apart
    """
    for _attempt in range(ATTEMPTS):
        if names:
            stock = run_again(suite, 'stock', names)
            # What it did not come to excuses nothing.
            passed = (outcomes.PASSED, outcomes.MISSING)
            names = {
                n for n in names if stock.get(n, outcomes.MISSING) in passed
            }
        if names:
            ours = run_again(suite, 'ours', names)
            names = {n for n in names if ours.get(n) != outcomes.PASSED}
    return names


def judge(suite, found, stock, patterns):
    """What counts against our driver: dict of test id to the reason.

    :param suite: 'unit' or 'functional'
    :param found: outcomes with ours
    :param stock: outcomes with Nova's driver, of a whole run; may be empty
    :param patterns: what the tests were selected by
    """
    known = deviations(suite)
    against = {
        name: 'passes or is gone: remove it from deviations.toml'
        for name in known
        if (not patterns or any(re.search(p, name) for p in patterns))
        and found.get(name) != outcomes.FAILED
    }
    doubtful = outcomes.worse(stock, found) - known.keys()
    if not stock:
        doubtful = {n for n in doubtful if found[n] == outcomes.FAILED}
    # Not Nova's: the proof, or a worker that died.
    no_tests = {n for n in doubtful if not n.startswith('nova.')}
    settled = settle(suite, doubtful - no_tests)
    for name in sorted(doubtful - no_tests - settled):
        print("unsteady, or fails with Nova's driver too: %s" % name)
    for name in sorted(known.keys() - against.keys() & found.keys()):
        print('fails for a reason: %s: %s' % (name, known[name]))
    return against | dict.fromkeys(no_tests | settled, 'fails with ours only')


def main(argv=None):
    options = arguments(argv)
    patterns = options.patterns or SUITES[options.suite]
    suite = options.suite.partition('-')[0]
    filters = [*patterns, PROOF] if patterns else []
    if suite == 'functional':
        # They wait more than they compute.
        filters += ['--concurrency', str(2 * os.cpu_count())]
    stock, found, against = {}, {}, {}
    if options.driver != 'ours':
        found = stock = run(suite, 'stock', *filters)
    if options.driver != 'stock':
        found = run(suite, 'ours', *filters)
        against = judge(suite, found, stock, patterns)
    if options.junitxml:
        outcomes.write_junit(options.junitxml, suite, found, against)
    for name, reason in sorted(against.items()):
        print('FAILED %s: %s' % (name, reason))
    print(
        'Nova %s, %s: %s passed with stock, %s with ours, %d against ours'
        % (
            VERSION,
            options.suite,
            outcomes.count(stock) if stock else '-',
            outcomes.count(found) if found is not stock else '-',
            len(against),
        )
    )
    return int(bool(against) or not outcomes.count(found))


if __name__ == '__main__':
    sys.exit(main())
