# SPDX-License-Identifier: Apache-2.0
"""Run the tests; without a part, all but the table on all releases."""

import argparse
import dataclasses
import functools
import os
import pathlib
import signal
import sys

from tests.runner import beside
from tests.runner import checkout
from tests.runner import counts
from tests.runner import parts
from tests.runner import step
from tests.upstream import comparison
from tests.upstream import table as upstream_table


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a step: its name, its counts.Counts, its seconds."""

    name: str
    counts: counts.Counts
    seconds: float


def arguments(argv):
    parser = argparse.ArgumentParser(prog='tests/run', description=__doc__)
    parser.add_argument(
        '--release',
        action='append',
        dest='releases',
        choices=list(parts.RELEASES),
        help='run unit, contract and upstream tests on this release; may be '
        'repeated (default: all if no part or the table is named, else %s)'
        % parts.NEWEST,
    )
    parser.add_argument(
        '--keep',
        action='store_true',
        help='leave the boxes of the acceptance tests up',
    )
    parser.add_argument(
        '--port-base',
        type=int,
        default=parts.PORT_BASE,
        metavar='PORT',
        help='first TCP port of the first box (default: %(default)s)',
    )
    parser.add_argument(
        'parts',
        nargs='*',
        metavar='PART',
        help='one of: %s' % ', '.join(parts.PARTS),
    )
    options = parser.parse_args(argv)
    unknown = set(options.parts) - set(parts.PARTS)
    if unknown:
        parser.error(
            'no such part: %s; there are: %s'
            % (', '.join(sorted(unknown)), ', '.join(parts.PARTS))
        )
    if not 1024 <= options.port_base <= parts.LAST_PORT_BASE:
        parser.error(
            '--port-base %d: choose 1024 to %d'
            % (options.port_base, parts.LAST_PORT_BASE)
        )
    all_releases = not options.parts or set(parts.ON_DEMAND) & set(
        options.parts
    )
    options.releases = options.releases or (
        list(parts.RELEASES) if all_releases else [parts.NEWEST]
    )
    options.parts = options.parts or [
        part for part in parts.PARTS if part not in parts.ON_DEMAND
    ]
    options.directory = pathlib.Path(os.environ['NEWOS_TEST_DIR'])
    if set(parts.ON_A_BOX) & set(options.parts) and os.geteuid() != 0:
        parser.error(
            'the acceptance tests start a cloud: run them as root, '
            'or name other parts'
        )
    return options


def run_step(wanted, directory):
    """Run the commands of a step.

    :param wanted: a parts.Step
    :param directory: where its log goes
    :returns: an Outcome
    """
    log = directory / 'logs' / (wanted.name + '.log')
    for stale in filter(None, (log, wanted.results)):
        stale.unlink(missing_ok=True)

    environment = {**os.environ, **checkout.git_environment(parts.TOP)}

    def run(title, command):
        return step.run(
            '%s: %s' % (wanted.name, title),
            command,
            log,
            parts.TOP,
            environment,
            wanted.limit,
        )

    seconds, found = 0, counts.Counts(problem='interrupted')
    try:
        for title, command in wanted.before:
            status, took = run(title, command)
            seconds += took
            if status:
                found = counts.Counts(
                    problem='%s: exit status %d' % (title, status)
                )
                break
        else:
            status, took = run('testing', wanted.command)
            seconds += took
            found = (
                counts.read_junit(wanted.results)
                if wanted.results
                else counts.Counts(passed=int(not status))
            )
        found = counts.judge(found, status)
        if found.failed:
            show_failure(log)
    finally:
        for title, command in wanted.after:
            status, took = run(title, command)
            seconds += took
            found = counts.judge(found, status)
    print(
        '    %s: %d passed, %d failed, %d skipped in %d s %s'
        % (
            wanted.name,
            found.passed,
            found.failed,
            found.skipped,
            seconds,
            found.problem,
        ),
        flush=True,
    )
    return Outcome(wanted.name, found, seconds)


def run_all(steps, directory):
    """Run steps one after the other, but see parts.BESIDE_ACCEPTANCE.

    :param steps: list of parts.Step
    :returns: list of Outcome, in the order of their end
    """
    run = functools.partial(run_step, directory=directory)
    if not any(wanted.part == 'acceptance' for wanted in steps):
        return [run(wanted) for wanted in steps]
    aside = [w for w in steps if w.part in parts.BESIDE_ACCEPTANCE]
    outcomes = []
    for wanted in steps:
        if wanted in aside:
            continue
        if wanted.part == 'acceptance' and aside:
            outcomes += run_with(run, wanted, aside, directory)
        else:
            outcomes.append(run(wanted))
    return outcomes


def run_with(run, wanted, aside, directory):
    """Run a step and others beside it; returns all their outcomes."""
    log = directory / 'logs' / 'beside.log'
    names = ', '.join(each.name for each in aside)
    print('==> beside the next: %s (log: %s)' % (names, log), flush=True)
    with beside.Beside(run, aside, log) as others:
        outcome = run(wanted)
        found = others.results()
    print(log.read_text(), end='', flush=True)
    missing = {each.name for each in aside} - {each.name for each in found}
    return [
        outcome,
        *found,
        *(
            Outcome(name, counts.judge(counts.Counts(), 1), 0)
            for name in sorted(missing)
        ),
    ]


def show_failure(log):
    print('\n'.join(step.tail(log, step.TAIL_LINES)))
    print('    the whole log: %s' % log, flush=True)


def table(outcomes):
    """The sums, as text; its last line is the verdict."""
    row = '%-22s %7s %7s %8s %8s'
    lines = ['', row % ('part', 'passed', 'failed', 'skipped', 'seconds')]
    lines += [
        row
        % (
            o.name,
            o.counts.passed,
            o.counts.failed,
            o.counts.skipped,
            round(o.seconds),
        )
        for o in outcomes
    ]
    lines += [
        '',
        '%d passed, %d failed'
        % (
            sum(o.counts.passed for o in outcomes),
            sum(o.counts.failed for o in outcomes),
        ),
    ]
    return '\n'.join(lines)


def compared(options):
    """The table of Nova's driver and ours, as text."""
    records = parts.upstream_records(options)
    return '\n' + upstream_table.text(list(map(comparison.load, records)))


def _interrupt(number, frame):
    raise KeyboardInterrupt


def main(argv=None):
    options = arguments(argv)
    # So that a run that is called off takes down what it has started.
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ('logs', 'results'):
        (options.directory / name).mkdir(parents=True, exist_ok=True)
    try:
        outcomes = run_all(parts.steps(options), options.directory)
    except KeyboardInterrupt:
        print('\ninterrupted')
        return 130
    finally:
        checkout.give_back(parts.TOP)
    if 'upstream-table' in options.parts:
        print(compared(options))
    print(table(outcomes))
    return int(any(outcome.counts.failed for outcome in outcomes))


if __name__ == '__main__':
    sys.exit(main())
