# SPDX-License-Identifier: Apache-2.0
"""The mark that says which operation a test has seen."""

import pytest

from tests.matrix import sightings


def pytest_configure(config):
    """Make the mark known."""
    config.addinivalue_line(
        'markers',
        "operation(name, images_type='qcow2', outcome='works'): a lifecycle "
        'operation that the test sees, for the support matrix; IMAGES_TYPE of '
        'its class is the default of images_type, so that a class can run '
        'the tests of another with other storage',
    )


def pytest_collection_modifyitems(items):
    """Carry the marks into the results."""
    for item in items:
        for mark in item.iter_markers('operation'):
            item.user_properties.append(
                (sightings.PROPERTY, _value(item, mark))
            )


def _value(item, mark):
    images_type = getattr(item.cls, 'IMAGES_TYPE', 'qcow2')
    try:
        return sightings.value(
            *mark.args, **{'images_type': images_type, **mark.kwargs}
        )
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(f'{item.nodeid}: {error}') from error
