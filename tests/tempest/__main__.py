# SPDX-License-Identifier: Apache-2.0
"""Tempest with Nova's driver and with ours: python -m tests.tempest."""

import argparse
import pathlib
import subprocess
import sys

from devstack.onebox import client
from tests.tempest import setting
from tests.upstream import outcomes

HERE = pathlib.Path(__file__).parent
COMMANDS = pathlib.Path(sys.executable).parent
DRIVERS = {'stock': client.STOCK, 'ours': client.OURS}
# Two tests at a time: most of what they do is wait.
WORKERS = '2'


def use(driver, console='false'):
    """Have the box's nova-compute use a driver.

    With serial consoles, Nova starts a server that leaves rescue with the
    port it had before, which another server may have got in the meantime.
    """
    box = client.Box.from_environment()
    box.use(DRIVERS[driver], **{'serial_console.enabled': console})


def run(driver, directory, tests=()):
    """Run tests with a driver; returns their outcomes.

    :param directory: with tempest.conf
    :param tests: ids; the selection when there is none
    """
    use(driver)
    place = directory / (driver + '-again' * bool(tests))
    place.mkdir()
    choice = [
        *('--include-list', HERE / 'selected.txt'),
        *('--exclude-list', HERE / 'left-out.txt'),
    ]
    if tests:
        listed = place / 'tests.list'
        listed.write_text(''.join('%s\n' % test for test in sorted(tests)))
        choice = ['--load-list', listed]
    subprocess.run(
        [
            COMMANDS / 'tempest',
            'run',
            *('--config-file', directory / 'tempest.conf'),
            *('--concurrency', WORKERS, *choice),
        ],
        cwd=place,
        # Its exit status says no more than the outcomes do.
        check=False,
    )
    found = outcomes.read(COMMANDS, place)
    if not outcomes.count(found):
        sys.exit('tests.tempest: no test passed with %s' % driver)
    return found


def compare(directory):
    """Run the selection with both drivers, and doubtful tests again.

    :returns: outcomes with stock, with ours, and ids of what did worse with
        ours both times
    """
    stock, ours = run('stock', directory), run('ours', directory)
    doubtful = outcomes.worse(stock, ours)
    # When the fixture of a class fails, all tests of the class run again.
    classes = tuple(
        '%s.' % name.partition('(')[2].rstrip(')')
        for name in doubtful
        if '(' in name
    )
    tests = {
        name
        for name in stock | ours
        if '(' not in name
        and (name in doubtful or (classes and name.startswith(classes)))
    }
    if not tests:
        return stock, ours, doubtful
    again = run('ours', directory, tests)
    return stock, ours, outcomes.worse(run('stock', directory, tests), again)


def main():
    parser = argparse.ArgumentParser(prog='python -m tests.tempest')
    parser.add_argument('--junitxml', type=pathlib.Path)
    options = parser.parse_args()
    with setting.prepared('tempest') as directory:
        try:
            stock, ours, worse = compare(directory)
        finally:
            use('ours', console='')
    for name in sorted(stock | ours):
        pair = [f.get(name, outcomes.MISSING) for f in (stock, ours)]
        print('%-8s %-8s %s' % (*pair, name))
    for name in sorted(worse):
        print('DIFFERENCE, twice: %s' % name)
    print(
        '%d passed with stock, %d with ours, %d differences'
        % (outcomes.count(stock), outcomes.count(ours), len(worse))
    )
    if options.junitxml:
        failed = dict.fromkeys(worse, 'worse than with stock, twice')
        outcomes.write_junit(options.junitxml, 'tempest', ours, failed)
    return int(bool(worse))


if __name__ == '__main__':
    sys.exit(main())
