# SPDX-License-Identifier: Apache-2.0
"""The parts of a test run, and the commands each is made of."""

import dataclasses
import pathlib
import shlex
import sys

TOP = pathlib.Path(__file__).parents[2]

# OpenStack release to its Nova; oldest first. The tox environments are called
# after Nova.
RELEASES = {
    '2025.1': 31,
    '2025.2': 32,
    '2026.1': 33,
    '2026.2': 34,
}
NEWEST = '2026.2'

# Seconds: several times what each takes on two cores.
LIMIT = 1200
FUNCTIONAL_LIMIT = 2400
ACCEPTANCE_LIMIT = 4200
TABLE_LIMIT = 4 * 3600

# Those of Nova's functional tests that move servers, touch their disks or
# decide on their devices. The others, four of five, are about NUMA, PCI, vTPM
# and the like, and are for the table.
UPSTREAM_FUNCTIONAL = (
    r'functional\.compute\.',
    r'functional\.regressions\.',
    r'libvirt\.test_device_bus_migration\.',
    r'libvirt\.test_evacuate\.',
    r'libvirt\.test_live_migration\.',
    r'libvirt\.test_machine_type\.',
    r'libvirt\.test_migration_addr\.',
    r'libvirt\.test_rescue_deleted_base\.',
    r'libvirt\.test_shared_resource_provider\.',
    r'libvirt\.test_stateless_firmware\.',
    r'libvirt\.test_uefi\.',
)

# Apart from the ports of a box that the user has up, the demo's for one.
PORT_BASE = 27000
# From there to those of the second box, and where all end: the kernel gives
# out what comes after.
PORTS = 1000
LAST_PORT_BASE = 32000 - PORTS


@dataclasses.dataclass(frozen=True)
class Step:
    """A command that runs tests, and those around it.

    :ivar name: names its log and its results
    :ivar part: the part it belongs to, a key of PARTS
    :ivar command: list of arguments; writes the file ``results``
    :ivar results: where the command leaves its results, in pytest's format;
        None for a command that is one check by its exit status
    :ivar limit: seconds that it may take
    :ivar before: (title, command) to run first; when one fails the tests
        are not run
    :ivar after: (title, command) to run at the end, whatever happened
    """

    name: str
    part: str
    command: list
    results: pathlib.Path | None
    limit: int = LIMIT
    before: tuple = ()
    after: tuple = ()


def _tox(options, environment, *arguments):
    return [
        str(options.directory / 'tools' / 'bin' / 'tox'),
        'run',
        '--workdir',
        str(options.directory / 'tox'),
        '--colored',
        'no',
        # See tests/runner/checkout.py.
        '--override',
        'pkgenv.pass_env+=GIT_CONFIG_*',
        '-e',
        environment,
        '--',
        *arguments,
    ]


def _tox_step(options, part, release, environment, *arguments, **step):
    name = step.pop('name', '%s-%s' % (part, release))
    results = _results(options, name)
    return Step(
        name,
        part,
        _tox(options, environment, *arguments, '--junitxml=%s' % results),
        results,
        **step,
    )


def _results(options, name, ending='xml'):
    return options.directory / 'results' / ('%s.%s' % (name, ending))


def _style(options):
    for environment in ('pep8', 'docs', 'releasenotes'):
        yield Step(
            'style-%s' % environment, 'style', _tox(options, environment), None
        )


def _unit(options):
    for release in options.releases:
        environment = 'nova%d' % RELEASES[release]
        yield _tox_step(options, 'unit', release, environment, 'tests/unit')


def _contract(options):
    for release in options.releases:
        environment = 'nova%d' % RELEASES[release]
        yield _tox_step(
            options, 'contract', release, environment, 'tests/contract'
        )


def _functional(options):
    yield _tox_step(
        options, 'functional', NEWEST, 'functional', limit=FUNCTIONAL_LIMIT
    )


def _upstream(options):
    for release in options.releases:
        environment = 'upstream%d' % RELEASES[release]
        yield _tox_step(options, 'upstream', release, environment)
    newest = max(options.releases)
    yield _tox_step(
        options,
        'upstream',
        newest,
        'upstream%d' % RELEASES[newest],
        '--suite=functional',
        *UPSTREAM_FUNCTIONAL,
        name='upstream-functional-' + newest,
    )


def _upstream_table(options):
    for release in options.releases:
        for suite in ('unit', 'functional'):
            name = 'upstream-table-%s-%s' % (suite, release)
            yield _tox_step(
                options,
                'upstream-table',
                release,
                'upstream%d' % RELEASES[release],
                '--driver=both',
                '--suite=%s' % suite,
                '--record=%s' % _results(options, name, 'json'),
                name=name,
                limit=TABLE_LIMIT,
            )


def upstream_records(options):
    """Comparisons with Nova's driver, for tests.upstream.table.

    :param options: as the command line gives them, complete
    :returns: list of the files that there are, of earlier runs too
    """
    return sorted(_results(options, 'x').parent.glob('upstream-table-*.json'))


def _acceptance(options):
    yield _box_step(
        options, 'acceptance', 'not flat', 'box', options.port_base
    )


def _flat(options):
    yield _box_step(
        options, 'flat', 'flat', 'box-flat', options.port_base + PORTS
    )


def _box_step(options, part, marks, box_name, port_base):
    """Acceptance tests with these marks, on a box of their own."""
    results = _results(options, part)
    state = options.directory / box_name
    box = [str(TOP / 'devstack' / 'onebox' / 'box')]
    at = ['--state', str(state)]
    # The box's environment is for a shell to evaluate. The tests have an
    # environment of their own beside the box's, as its users do.
    script = 'set -e; variables=$(%s); eval "$variables"; exec %s' % (
        shlex.join([*box, 'env', *at]),
        shlex.join(
            _tox(
                options,
                'acceptance',
                'tests/acceptance',
                '-m',
                marks,
                '--junitxml=%s' % results,
            )
        ),
    )
    tests = ['bash', '-c', script]
    up = [*box, 'up', *at, '--port-base', str(port_base)]
    wipe = ('wiping the box', [*box, 'wipe', *at])
    # What a killed run has left, perhaps of another version of this project.
    # A box that never came to be is but a lock, which wipe refuses.
    leftover = (wipe,) if any(state.glob('*/')) else ()
    return Step(
        '%s-%s' % (part, NEWEST),
        part,
        tests,
        results,
        limit=ACCEPTANCE_LIMIT,
        before=(*leftover, ('bringing up the box', up)),
        after=() if options.keep else (wipe,),
    )


def _support_matrix(options):
    # After the parts that it is made of; it says what they do not show.
    yield Step(
        'support-matrix',
        'support-matrix',
        [
            sys.executable,
            '-m',
            'tests.matrix',
            '--check',
            str(_results(options, 'functional-' + NEWEST)),
            str(_results(options, 'acceptance')),
            str(_results(options, 'flat')),
        ],
        None,
    )


PARTS = {
    'style': _style,
    'unit': _unit,
    'contract': _contract,
    'functional': _functional,
    'upstream': _upstream,
    'flat': _flat,
    'acceptance': _acceptance,
    'support-matrix': _support_matrix,
    'upstream-table': _upstream_table,
}

# Run beside the acceptance tests: these wait for one guest at a time, and a
# processor is free.
BESIDE_ACCEPTANCE = ('unit', 'contract', 'functional', 'upstream', 'flat')

# Start a cloud, and need root for it.
ON_A_BOX = ('acceptance', 'flat')

# Run only when named: takes hours.
ON_DEMAND = ('upstream-table',)


def steps(options):
    """What to run, in order.

    :param options: as the command line gives them, complete
    :returns: list of Step
    """
    return [
        step
        for part in PARTS
        if part in options.parts
        for step in PARTS[part](options)
    ]
