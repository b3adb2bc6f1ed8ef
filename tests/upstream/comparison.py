# SPDX-License-Identifier: Apache-2.0
"""Our driver beside Nova's: what tells them apart, and what may.

Needs neither Nova nor stestr: the table is made where there are none.
"""

import dataclasses
import json

OURS = 'newos'
STOCK = 'stock'

PASSED = 'passed'
FAILED = 'failed'
SKIPPED = 'skipped'
# Passed in one run and failed in another.
FLAKY = 'flaky'
# In no run, though others of the suite were.
MISSING = 'missing'

GOOD = frozenset((PASSED, FLAKY))

# What is counted; the proof of the substitution and stestr's own records of
# workers that died are not Nova's tests.
COUNTED = 'nova.'


def _fold(statuses):
    """One status for those that a test had in several runs."""
    seen = set(statuses)
    if not seen:
        return MISSING
    if {PASSED, FAILED} <= seen:
        return FLAKY
    for status in (FAILED, PASSED):
        if status in seen:
            return status
    return SKIPPED


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A suite of one release of Nova, run with one driver or with both.

    :ivar suite: one of selection.SUITES
    :ivar release: major version of Nova
    :ivar version: version of Nova
    :ivar started: when, as text
    :ivar deviations: dict of the id of a test that may fail with our driver
        to the reason
    :ivar runs: dict of driver (OURS, STOCK) to a list of runs, each a dict of
        test id to PASSED, FAILED or SKIPPED; the first run is of the whole
        suite, later ones of some of its tests
    :ivar problems: what went wrong apart from tests, as texts
    """

    suite: str
    release: int
    version: str
    started: str = ''
    deviations: dict = dataclasses.field(default_factory=dict)
    runs: dict = dataclasses.field(default_factory=dict)
    problems: list = dataclasses.field(default_factory=list)

    def ids(self):
        """Ids of all tests of any run."""
        return {
            name for runs in self.runs.values() for run in runs for name in run
        }

    def status(self, driver, name):
        """What came of a test with a driver in all runs together."""
        return _fold(
            run[name] for run in self.runs.get(driver, ()) if name in run
        )

    def with_status(self, driver, *statuses):
        """Ids of Nova's tests to which one of some statuses was given."""
        return {
            name
            for name in self.ids()
            if name.startswith(COUNTED)
            and self.status(driver, name) in statuses
        }

    def passed(self, driver):
        """Ids of Nova's tests that passed at least once."""
        return self.with_status(driver, *GOOD)

    def unsettled(self):
        """Ids of tests to run again, with both drivers.

        With both drivers run: those that differ. With ours only: those that
        failed. A deviation is neither, as long as it fails.
        """
        if len(self.runs) > 1:
            names = {
                name
                for name in self.ids()
                if self.status(OURS, name) != self.status(STOCK, name)
            }
        else:
            names = {
                name
                for driver in self.runs
                for name in self.ids()
                if self.status(driver, name) == FAILED
            }
        return {
            name
            for name in names
            if name not in self.deviations or self.status(OURS, name) != FAILED
        }

    def stale(self):
        """Ids of deviations whose test passes with our driver."""
        return {
            name
            for name in self.deviations
            if self.status(OURS, name) == PASSED
        }

    def excused(self):
        """Ids of tests that fail with our driver, for a written reason."""
        return {
            name
            for name in self.deviations
            if self.status(OURS, name) not in (PASSED, MISSING)
        }

    def unproven(self):
        """Ids of what failed and is no test of Nova's: nothing excuses it."""
        return {
            name
            for name in self.ids()
            if not name.startswith(COUNTED)
            and any(
                self.status(driver, name) == FAILED for driver in self.runs
            )
        }

    def against_ours(self):
        """Ids of tests that Nova's driver passes each time and ours never.

        Also those that Nova's driver was not given, if ours failed them, and
        what is unproven.
        """
        if OURS not in self.runs:
            return set()
        return self.unproven() | {
            name
            for name in self.ids() - set(self.deviations)
            if self._is_against_ours(
                self.status(OURS, name), self.status(STOCK, name)
            )
        }

    @staticmethod
    def _is_against_ours(ours, stock):
        if stock == PASSED:
            return ours not in GOOD
        return stock == MISSING and ours == FAILED

    def is_good(self):
        """Whether ours passes what Nova's does, but for written reasons."""
        driver = OURS if OURS in self.runs else STOCK
        return bool(self.passed(driver)) and not (
            self.problems or self.against_ours() or self.stale()
        )

    def dump(self, path):
        """Write it to a file, for load."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1))


def load(path):
    """Read what Comparison.dump wrote."""
    return Comparison(**json.loads(path.read_text()))
