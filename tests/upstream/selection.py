# SPDX-License-Identifier: Apache-2.0
"""Which of Nova's tests are run, and which may fail with our driver."""

import functools
import importlib
import importlib.metadata
import inspect
import os
import pathlib
import tomllib
import unittest

DEVIATIONS = pathlib.Path(__file__).with_name('deviations.toml')

# For the worker processes, see tests/upstream/substitute.py.
SUITE_VARIABLE = 'NEWOS_UPSTREAM_SUITE'

SUITES = ('unit', 'functional')

# A functional test that uses this fixture starts the libvirt driver itself;
# the others run against Nova's fake driver.
LIBVIRT_FIXTURE = 'LibvirtFixture'


class UnknownTests(Exception):
    """deviations.toml names a test that does not exist."""

    def __init__(self, release, ids):
        super().__init__(
            'Nova %d has no such test: %s. Remove the release from the entry '
            'in %s.' % (release, ', '.join(sorted(ids)), DEVIATIONS)
        )


def nova_release():
    """The major version of the installed Nova, such as 34."""
    return int(importlib.metadata.version('nova').split('.')[0])


def wanted_suite():
    """The suite named by the environment variable SUITE_VARIABLE.

    :returns: one of SUITES
    :raises SystemExit: if the variable is unset or names no suite
    """
    suite = os.environ.get(SUITE_VARIABLE)
    if suite not in SUITES:
        raise SystemExit(
            '%s is %r: set it to one of %s, or run '
            '"python -m tests.upstream"'
            % (SUITE_VARIABLE, suite, ', '.join(SUITES))
        )
    return suite


def package(suite):
    """Name of the package that a suite's tests are in."""
    return 'nova.tests.%s' % suite


def deviations(suite, release, path=DEVIATIONS):
    """Tests that fail with our driver for a reason.

    :param suite: one of SUITES
    :param release: major version of Nova
    :param path: a file in the format that deviations.toml describes
    :returns: dict of test id to the reason, on one line
    :raises ValueError: if an entry lacks its reason
    """
    entries = tomllib.loads(path.read_text()).get('test', [])
    for entry in entries:
        if not entry.get('reason', '').strip():
            raise ValueError('%s: %s has no reason' % (path, entry.get('ids')))
    return {
        name: ' '.join(entry['reason'].split())
        for entry in entries
        if release in entry['releases']
        for name in entry['ids']
        if name.startswith(package(suite) + '.')
    }


def module_names(suite):
    """Names of the modules with the tests of a suite.

    :param suite: one of SUITES
    :returns: list of module names; those of the functional suite may hold
        tests of other drivers too, see is_selected
    """
    top = pathlib.Path(importlib.import_module(package(suite)).__file__).parent
    found = []
    for path in sorted(top.rglob('test_*.py')):
        inside = path.relative_to(top)
        if suite == 'unit':
            wanted = inside.is_relative_to('virt/libvirt') or (
                inside == pathlib.Path('virt/test_virt_drivers.py')
            )
        else:
            # Importing all of them takes long, and most are of no use here.
            wanted = 'libvirt' in path.read_text()
        if wanted:
            found.append(
                '.'.join((package(suite), *inside.with_suffix('').parts))
            )
    return found


@functools.cache
def is_selected(case_class):
    """Whether the tests of a class reach the libvirt driver.

    :param case_class: a class out of one of module_names
    """
    if not case_class.__module__.startswith(package('functional') + '.'):
        return True
    return any(
        LIBVIRT_FIXTURE in inspect.getsource(base)
        for base in case_class.__mro__
        if base.__module__.startswith(package('functional') + '.')
    )


def cases(suite):
    """The test cases in a suite, however deep it is nested."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def select(suite, known, release):
    """The tests of a suite that reach the libvirt driver.

    :param suite: a unittest.TestSuite, the tests of module_names
    :param known: test ids each of which must be among them
    :param release: major version of Nova, for the error
    :returns: a flat unittest.TestSuite
    :raises UnknownTests: if one is not
    """
    found = [case for case in cases(suite) if is_selected(type(case))]
    missing = set(known) - {case.id() for case in found}
    if missing:
        raise UnknownTests(release, missing)
    return unittest.TestSuite(found)
