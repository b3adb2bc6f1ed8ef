# SPDX-License-Identifier: Apache-2.0
"""Which of Nova's tests are run."""

import importlib.metadata
import pathlib
import tomllib
import unittest

DESELECTED = pathlib.Path(__file__).with_name('deselected.toml')

# What reaches the driver, or a module that the driver puts something into.
MODULES = (
    'nova.tests.unit.virt.libvirt.test_driver',
    'nova.tests.unit.virt.libvirt.test_blockinfo',
    'nova.tests.unit.virt.libvirt.test_imagebackend',
    'nova.tests.unit.virt.libvirt.test_imagecache',
    'nova.tests.unit.virt.libvirt.test_guest',
    'nova.tests.unit.virt.libvirt.test_host',
    'nova.tests.unit.virt.libvirt.test_utils',
    'nova.tests.unit.virt.test_virt_drivers',
)


class StaleDeselection(Exception):
    """deselected.toml names a test that does not exist."""

    def __init__(self, release, ids):
        super().__init__(
            'Nova %d has no such test: %s. Remove the release from the entry '
            'in %s.' % (release, ', '.join(sorted(ids)), DESELECTED)
        )


def nova_release():
    """The major version of the installed Nova, such as 34."""
    return int(importlib.metadata.version('nova').split('.')[0])


def deselected(release, path=DESELECTED):
    """Tests not to be run against a release of Nova.

    :param release: major version of Nova
    :param path: a file in the format that deselected.toml describes
    :returns: dict of test id to the reason
    :raises ValueError: if an entry lacks its reason
    """
    entries = tomllib.loads(path.read_text()).get('test', [])
    for entry in entries:
        if not entry.get('reason', '').strip():
            raise ValueError('%s: %s has no reason' % (path, entry.get('id')))
    return {
        entry['id']: entry['reason']
        for entry in entries
        if release in entry['releases']
    }


def cases(suite):
    """The test cases in a suite, however deep it is nested."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def without(suite, ids, release):
    """A suite less the tests named.

    :param suite: a unittest.TestSuite
    :param ids: test ids, each of which must be in the suite
    :param release: major version of Nova, for the error
    :returns: a flat unittest.TestSuite
    :raises StaleDeselection: if an id is not in the suite
    """
    found = list(cases(suite))
    missing = set(ids) - {case.id() for case in found}
    if missing:
        raise StaleDeselection(release, missing)
    return unittest.TestSuite(case for case in found if case.id() not in ids)
