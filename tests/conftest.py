# SPDX-License-Identifier: Apache-2.0
"""The mark that says which operation a test has seen."""

import pytest

from tests.matrix import operations


def pytest_configure(config):
    """Make the mark known."""
    config.addinivalue_line(
        'markers',
        "operation(name, images_type='qcow2', outcome='works'): a lifecycle "
        'operation that the test sees, for the support matrix',
    )


def pytest_collection_modifyitems(items):
    """Carry the marks into the results."""
    for item in items:
        for mark in item.iter_markers('operation'):
            item.user_properties.append(('operation', _entry(item, mark)))


def _entry(item, mark):
    [name] = mark.args
    if name not in operations.OPERATIONS:
        raise pytest.UsageError(
            f'{item.nodeid}: no operation {name!r} in tests/matrix'
        )
    images_type = mark.kwargs.get('images_type', 'qcow2')
    return f'{name} {images_type} {mark.kwargs.get("outcome", "works")}'
