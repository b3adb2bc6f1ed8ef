# SPDX-License-Identifier: Apache-2.0
"""Tests that run on more than one kind of storage of the compute host."""

import pytest

DEFAULT = 'qcow2'
ALL = (DEFAULT, 'flat')


def on(*images_types, sees):
    """Have a test run with each of these as ``[libvirt] images_type``.

    :param sees: names of the operations that the test sees, for the matrix;
        see tests/matrix
    """
    cases = [
        pytest.param(
            name,
            marks=[
                pytest.mark.operation(operation, images_type=name)
                for operation in sees
            ],
        )
        for name in images_types
    ]
    return pytest.mark.parametrize('images_type', cases, indirect=True)


def of_test(item):
    """The storage that a collected test needs."""
    callspec = getattr(item, 'callspec', None)
    return callspec.params.get('images_type', DEFAULT) if callspec else DEFAULT


class Storage:
    """Of a box."""

    def __init__(self, box):
        self._box = box
        # What a killed run has left is not known.
        self._current = None

    def use(self, name):
        """Have new disks made in this way."""
        if name != self._current:
            self._box.up('--set', f'libvirt.images_type={name}')
            self._current = name
