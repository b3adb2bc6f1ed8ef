# SPDX-License-Identifier: Apache-2.0

import pathlib

import pytest

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Once more where SQLite gives up, which no cloud's database is.

    Nova's fixtures keep one transaction off the other in one process, as
    SQLite has a single writer. On a busy machine one of thousands still meets
    another, and Nova sets its server to ERROR.
    """
    again = pytest.mark.flaky(reruns=1, only_rerun='database is locked')
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(again)


@pytest.fixture(scope='package', autouse=True)
def clouds():
    """No cloud is left behind, which tests of other kinds would find."""
    from tests.functional.fakelibvirt import cloud

    yield
    cloud.CLOUDS.stop()
