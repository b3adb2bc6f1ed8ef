# SPDX-License-Identifier: Apache-2.0
"""Marks: what a test has seen of which operation, and what takes long."""

import pytest

from tests import matrix


def pytest_configure(config):
    """Make the marks known."""
    config.addinivalue_line(
        'markers', 'slow: takes minutes, in a part of tests/run of its own'
    )
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
            images_type = getattr(item.cls, 'IMAGES_TYPE', 'qcow2')
            words = _words(
                *mark.args, **{'images_type': images_type, **mark.kwargs}
            )
            known = (matrix.OPERATIONS, matrix.IMAGES_TYPES, matrix.OUTCOMES)
            for word, group in zip(words, known, strict=True):
                if word not in group:
                    raise pytest.UsageError(
                        f'{item.nodeid}: {word!r} is none of {[*group]}'
                    )
            item.user_properties.append(('operation', ' '.join(words)))


def _words(operation, images_type, outcome='works'):
    return operation, images_type, outcome
