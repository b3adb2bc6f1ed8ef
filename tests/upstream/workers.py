# SPDX-License-Identifier: Apache-2.0
"""Run Nova's tests in stestr's worker processes."""

import dataclasses
import os
import pathlib
import subprocess
import sys

from tests.upstream import comparison
from tests.upstream import results
from tests.upstream import selection
from tests.upstream import substitute

TOP = pathlib.Path(__file__).parents[2]
SUITE = TOP / 'tests' / 'upstream' / 'suite'

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


@dataclasses.dataclass(frozen=True)
class Workers:
    """Runs tests of one suite, each time with the driver asked for.

    :ivar suite: one of selection.SUITES
    :ivar scratch: an existing directory for stestr's records
    """

    suite: str
    scratch: pathlib.Path

    def run(self, driver, options, concurrency):
        """Run tests.

        :param driver: a key of substitute.DRIVERS
        :param options: more of stestr's options and filters
        :param concurrency: number of processes
        :returns: (dict of test id to status, a problem or '')
        """
        repository = self.scratch / str(len(list(self.scratch.iterdir())))
        repository.mkdir()
        print(
            '\nNova %d, %s tests, driver: %s'
            % (selection.nova_release(), self.suite, driver),
            flush=True,
        )
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
                *options,
            ],
            cwd=TOP,
            env=self._environment(driver),
            check=False,
        ).returncode
        found = results.read(repository)
        if status and comparison.FAILED not in found.values():
            # A worker that could not import its tests fails without a test.
            return found, 'stestr with driver %s: exit status %d' % (
                driver,
                status,
            )
        return found, ''

    def run_again(self, driver, names):
        """Run some tests once more, one at a time.

        :param driver: a key of substitute.DRIVERS
        :param names: test ids
        :returns: dict of test id to status
        """
        listed = self.scratch / 'again'
        listed.write_text(''.join('%s\n' % name for name in sorted(names)))
        found, _problem = self.run(driver, ['--load-list', listed], 1)
        # Which tests a worker ran before it died does not matter here.
        return {
            name: status for name, status in found.items() if name in names
        }

    def _environment(self, driver):
        path = [str(TOP), os.environ.get('PYTHONPATH', '')]
        return {
            **os.environ,
            **ENVIRONMENT,
            substitute.DRIVER_VARIABLE: driver,
            selection.SUITE_VARIABLE: self.suite,
            # Workers import the suite as a module of this checkout.
            'PYTHONPATH': os.pathsep.join(filter(None, path)),
        }
