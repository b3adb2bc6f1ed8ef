# SPDX-License-Identifier: Apache-2.0

"""Every unit test must stand on the base class that isolates it."""

import pathlib

import pytest

from tests.unit import base

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE not in item.path.parents:
            continue
        if not (item.cls and issubclass(item.cls, base.TestCase)):
            raise pytest.UsageError(
                f'{item.nodeid} must be a method of a subclass of '
                'tests.unit.base.TestCase'
            )
