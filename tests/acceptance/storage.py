# SPDX-License-Identifier: Apache-2.0
"""What tests need of the box's configuration, and how to switch seldom."""

import pytest

QCOW2, FLAT = 'qcow2', 'flat'
ALL = (QCOW2, FLAT)

_TYPE = 'libvirt.images_type'
_SERIAL = 'serial_console.enabled'
#: Name of the fixture that a test asks for to have no [serial_console].
PTY = 'pty_consoles'


def on(*images_types, sees=(), refused=()):
    """Have a test run with each of these as ``[libvirt] images_type``.

    :param sees: names of the operations that the test sees work, for the
        matrix; see tests/matrix
    :param refused: of those that it sees refused
    """
    cases = [
        pytest.param(
            name,
            marks=[
                getattr(pytest.mark, name),
                *(
                    pytest.mark.operation(
                        operation, images_type=name, outcome=outcome
                    )
                    for outcome, operations in (
                        ('works', sees),
                        ('refused', refused),
                    )
                    for operation in operations
                ),
            ],
        )
        for name in images_types
    ]
    return pytest.mark.parametrize('images_type', cases, indirect=True)


def images_type_of(item):
    """The storage that a collected test asks for."""
    callspec = getattr(item, 'callspec', None)
    return callspec.params.get('images_type', QCOW2) if callspec else QCOW2


def wanted(item):
    """The options that a collected test asks for; '' is the box's own."""
    images_type = images_type_of(item)
    return {
        _TYPE: '' if images_type == QCOW2 else images_type,
        _SERIAL: 'false' if PTY in item.fixturenames else '',
    }


def order(item):
    """Sort key: as few changes of the box as can be."""
    values = wanted(item)
    return values[_TYPE], values[_SERIAL]


class Switch:
    """Changes the box where a test needs another one."""

    def __init__(self, box):
        self._box = box
        # What a killed run has left is not known.
        self._current = None

    def to(self, options):
        """:param options: dict, see wanted()"""
        if options != self._current:
            self._box.configure(options)
            self._current = options

    def back(self):
        """The box as it was."""
        self.to({_TYPE: '', _SERIAL: ''})
