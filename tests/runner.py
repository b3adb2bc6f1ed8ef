# SPDX-License-Identifier: Apache-2.0
"""Run tests with tox; without a part, all but what takes hours.

Everything runs beside the acceptance tests and leaves the processors to them:
they wait for one guest at a time.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

import junitparser

TOP = pathlib.Path(__file__).parents[1]
DIRECTORY = pathlib.Path(os.environ['NEWOS_TEST_DIR'])
#: OpenStack release to its Nova, which the tox environments are called after.
RELEASES = {'2025.1': 31, '2025.2': 32, '2026.1': 33, '2026.2': 34}
BOX = 'tests/acceptance --box={state} --box-port={port}'
ACCEPTANCE = f"{BOX} -m 'not flat and not slow and not uefi and not upgrade'"
OTHER_BOX = 'tests/acceptance --box={state}-other --box-port={other_port}'
COVERED = '{results}/coverage.unit-2026.2 {results}/coverage.functional'
BOTH = '--driver=both'
#: Part to its steps: name, tox environment and what comes after ``--``. With
#: {release} in its name a step is for each release.
PLAN = {
    'acceptance': [('acceptance', 'acceptance', ACCEPTANCE)],
    'style': [(f'style-{e}', e, '') for e in ('pep8', 'docs', 'releasenotes')],
    'unit': [('unit-{release}', 'nova{nova}', 'tests/unit -n 2')],
    'contract': [('contract-{release}', 'nova{nova}', 'tests/contract')],
    'functional': [('functional', 'functional', "-m 'not slow'")],
    'coverage': [('coverage', 'cover', COVERED)],
    'upstream': [
        ('upstream-{release}', 'upstream{nova}', ''),
        ('upstream-functional', 'upstream{last}', '--suite=functional'),
    ],
    'flat': [('flat', 'acceptance', f'{OTHER_BOX} -m flat')],
    'support-matrix': [('support-matrix', 'matrix', '--check {results}')],
    'slow': [('slow', 'acceptance', f'{OTHER_BOX} -m slow')],
    'slow-functional': [('slow-functional', 'functional', '-m slow')],
    # The newest release that defines UEFI with the libvirt of Debian 12.
    'uefi': [
        ('uefi', 'acceptance', f'{OTHER_BOX} -m uefi --box-release=2025.2')
    ],
    'upgrade': [('upgrade', 'acceptance', f'{OTHER_BOX} -m upgrade')],
    'upstream-table': [
        (f'table-{s}-{{release}}', 'upstream{nova}', f'{BOTH} --suite={s}')
        for s in ('unit', 'functional-all')
    ],
    'devstack': [('devstack', 'devstack', '--state={state}-devstack')],
}
BOXES = {'acceptance', 'flat', 'slow', 'uefi', 'upgrade'}
PYTEST = {'unit', 'contract', 'functional', 'slow-functional', *BOXES}
#: Only run when they are named.
ON_DEMAND = {
    *('devstack', 'slow', 'slow-functional', 'uefi', 'upgrade'),
    'upstream-table',
}
#: By default with the newest release alone: others take long, tell little.
NEWEST = {'upstream'}
#: One check by the exit status of its command; the others write results.
CHECKS = {'style', 'coverage', 'support-matrix'}
#: Seconds. A test has a limit of its own, which leaves results: this one is
#: for what hangs between tests.
LIMITS = {'upstream-table': 4 * 3600, 'devstack': 2 * 3600}
LIMIT = 5100
#: Seconds to end in when interrupted: a box has to be wiped.
GRACE = 300
#: Seconds between two words about what runs.
PERIOD = 60


class Step:
    """A tox command: its log, its progress, what came of it."""

    def __init__(self, part, name, environment, arguments):
        self.part, self.name = part, name
        self.log = DIRECTORY / 'logs' / f'{name}.log'
        self.results = DIRECTORY / 'results' / f'{name}.xml'
        self.covered = DIRECTORY / 'results' / f'coverage.{name}'
        self.command = [DIRECTORY / 'tools/bin/tox', 'run', '--colored', 'no']
        self.command += ['--workdir', DIRECTORY / 'tox', '-e', environment]
        self.command += ['--', *arguments]
        if part not in CHECKS:
            self.command.append(f'--junitxml={self.results}')
        self.process = None
        self.started = self.seconds = self.passed = self.skipped = 0
        self.failed = 1

    def start(self, aside):
        """Start it; ``aside`` is whether another step comes first."""
        for stale in (self.results, self.covered):
            stale.unlink(missing_ok=True)
        print(f'==> {self.name}', flush=True)
        self.started = time.monotonic()
        with self.log.open('wb') as log:
            self.process = subprocess.Popen(
                ['nice', '-n', '19' if aside else '0', *self.command],
                cwd=TOP,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'COVERAGE_FILE': str(self.covered)},
                start_new_session=True,
            )
        if aside:
            # The kernel may share the processors among sessions first.
            with contextlib.suppress(OSError):
                group = pathlib.Path(f'/proc/{self.process.pid}/autogroup')
                group.write_text('19')

    def age(self):
        return time.monotonic() - self.started

    def tail(self, count):
        """The last lines of the log, which may have guests' consoles in it."""
        lines = self.log.read_text(errors='replace').splitlines()[-count:]
        return [re.sub('[^ -~]', '?', line) for line in lines]

    def stop(self):
        """Interrupt it as a terminal would, and kill it if need be."""
        for number, grace in ((signal.SIGINT, GRACE), (signal.SIGKILL, 9)):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, number)
                self.process.wait(grace)

    def finish(self):
        """Count its tests and show what failed."""
        self.seconds = self.age()
        good = self.process.returncode == 0
        if self.part in CHECKS:
            self.passed, self.failed = int(good), int(not good)
        else:
            self.count()
            # What left no failed test behind, or ran none, has failed too.
            if not self.failed and not (good and self.passed):
                self.failed = 1
        if self.failed:
            print(*self.tail(60), f'    the log: {self.log}', sep='\n')
        # Nova's driver and ours, compared.
        said = [line for line in self.tail(9) if line.startswith('Nova ')]
        print(f'    {self.name}: {self.passed} passed, {self.failed} failed,')
        print(f'        {self.seconds:.0f} s', *said, flush=True)

    def count(self):
        try:
            suites = junitparser.JUnitXml.fromfile(str(self.results))
        except (OSError, SyntaxError) as error:
            print(f'    {self.name}: no results: {error}')
            return
        cases = [case for suite in suites for case in suite]
        self.failed = sum(case.is_failure or case.is_error for case in cases)
        self.skipped = sum(case.is_skipped for case in cases)
        self.passed = len(cases) - self.failed - self.skipped


def plan(options):
    """What to run: list of Step."""
    words = {
        'last': RELEASES[options.releases[-1]],
        'port': options.port_base,
        'other_port': options.port_base + 1000,
        'results': DIRECTORY / 'results',
        'state': DIRECTORY / 'box',
    }
    return [
        Step(
            part,
            name.format(release=release),
            environment.format(nova=RELEASES[release], **words),
            [word.format(**words) for word in shlex.split(arguments)]
            + ['--box-keep'] * (options.keep and part in BOXES)
            + options.pytest * (part in PYTEST),
        )
        for part in options.parts
        for name, environment, arguments in PLAN[part]
        for release in releases(part, name, options)
    ]


def releases(part, name, options):
    """The releases that a step is for: list of str."""
    if '{' not in name:
        return options.releases[:1]
    newest = part in NEWEST and options.by_default
    return options.releases[-1:] if newest else options.releases


def run(*lanes):
    """Run lists of steps beside each other; the first list comes first."""
    waiting, running = [list(lane) for lane in lanes], [None] * len(lanes)
    said = time.monotonic()
    try:
        while any(waiting) or any(running):
            for number, step in enumerate(running):
                if step and step.process.poll() is not None:
                    running[number] = None
                    step.finish()
                elif step and step.age() > LIMITS.get(step.part, LIMIT):
                    step.stop()
                elif not step and waiting[number]:
                    running[number] = waiting[number].pop(0)
                    running[number].start(aside=number > 0)
            if time.monotonic() - said > PERIOD:
                said = time.monotonic()
                for step in filter(None, running):
                    last = [line for line in step.tail(9) if line.strip()][-1:]
                    print(f'    {step.age():.0f} s {step.name}:', *last)
                sys.stdout.flush()
            time.sleep(0.2)
    finally:
        for step in filter(None, running):
            step.stop()
            step.finish()
            step.failed = step.failed or 1


def give_back():
    """Give what root built in a clone to its owner, who could not else."""
    if os.geteuid() == 0 and TOP.stat().st_uid:
        listed = 'git ls-files -z --others --ignored --exclude-standard'
        change = 'xargs -0r chown -hR --from=0 --reference=.'
        command = f'{listed} --directory | {change}'
        subprocess.run(command, shell=True, cwd=TOP, check=True)


def part(name):
    if name not in PLAN:
        raise argparse.ArgumentTypeError(
            f'{name!r}: no such part; there are {", ".join(PLAN)}'
        )
    return name


def arguments():
    parser = argparse.ArgumentParser(prog='tests/run', description=__doc__)
    add = parser.add_argument
    oldest, *_, newest = RELEASES
    add(
        '--release',
        action='append',
        choices=[*RELEASES],
        dest='releases',
        help=f'may be repeated (default: {newest}; {oldest} too without PART)',
    )
    add(
        '--all',
        action='store_const',
        const=[*RELEASES],
        dest='releases',
        help='all releases',
    )
    add('--keep', action='store_true', help='leave the boxes up')
    add(
        '--port-base',
        type=int,
        default=27000,
        metavar='PORT',
        help='first TCP port of the boxes (default: %(default)s)',
    )
    # Not by choices, which argparse holds an empty list against.
    add('parts', nargs='*', type=part, metavar='PART', help=', '.join(PLAN))
    add('--pytest', nargs='...', default=[], help='what follows is for pytest')
    options = parser.parse_args()
    options.by_default = not options.releases
    if options.by_default:
        options.releases = [newest] if options.parts else [oldest, newest]
    options.releases.sort()
    options.parts = options.parts or [p for p in PLAN if p not in ON_DEMAND]
    if BOXES & {*options.parts} and os.geteuid() != 0:
        parser.error(
            f'{", ".join(sorted(BOXES))} start a cloud: run them as root'
        )
    return options


def main():
    options = arguments()
    # A run that is called off takes down what it has started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    for name in ('logs', 'results'):
        (DIRECTORY / name).mkdir(parents=True, exist_ok=True)
    steps = plan(options)
    first = [step for step in steps if step.part == 'acceptance']
    last = [step for step in steps if step.part == 'support-matrix']
    beside = [step for step in steps if step not in first + last]
    try:
        run(*filter(None, (first, beside)))
        run(last)
    except KeyboardInterrupt:
        print('\ninterrupted')
    finally:
        give_back()
    row = '%-32s %7s %7s %8s %8s'
    print('\n' + row % ('part', 'passed', 'failed', 'skipped', 'seconds'))
    for s in steps:
        print(row % (s.name, s.passed, s.failed, s.skipped, int(s.seconds)))
    failed = sum(step.failed for step in steps)
    print(f'\n{sum(step.passed for step in steps)} passed, {failed} failed')
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
