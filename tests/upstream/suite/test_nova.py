# SPDX-License-Identifier: Apache-2.0
"""What stestr discovers: Nova's tests that reach the libvirt driver."""

import functools
import importlib
import inspect
import os
import pathlib
import unittest

from tests.upstream import substitute

# A functional test that uses this fixture starts the libvirt driver itself;
# the others run against Nova's fake driver.
LIBVIRT_FIXTURE = 'LibvirtFixture'


def module_names(package):
    """Names of the modules with the tests of a suite.

    :param package: nova.tests.unit or nova.tests.functional
    """
    top = pathlib.Path(importlib.import_module(package).__file__).parent
    if package.endswith('unit'):
        paths = [
            *top.glob('virt/libvirt/**/test_*.py'),
            top / 'virt' / 'test_virt_drivers.py',
        ]
    else:
        # Importing all of them takes long, and most are of no use here.
        paths = [
            path
            for path in top.rglob('test_*.py')
            if 'libvirt' in path.read_text()
        ]
    for path in sorted(paths):
        inside = path.relative_to(top).with_suffix('')
        yield '.'.join((package, *inside.parts))


@functools.cache
def reaches_libvirt(case_class):
    """Whether the tests of a class reach the libvirt driver."""
    functional = 'nova.tests.functional.'
    return not case_class.__module__.startswith(functional) or any(
        LIBVIRT_FIXTURE in inspect.getsource(base)
        for base in case_class.__mro__
        if base.__module__.startswith(functional)
    )


def cases(suite):
    """The test cases in a suite, however deep it is nested."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def load_tests(loader, tests, pattern):
    """unittest's protocol: what to run in place of this module's tests."""
    package = 'nova.tests.%s' % os.environ['UPSTREAM_SUITE']
    substitute.prepare(package, os.environ['UPSTREAM_DRIVER'])
    nova = loader.loadTestsFromNames(module_names(package))
    proof = loader.loadTestsFromName('tests.upstream.proof')
    if loader.errors:
        raise ImportError('\n'.join(loader.errors))
    tests.addTests(case for case in cases(nova) if reaches_libvirt(type(case)))
    tests.addTests(proof)
    return tests
