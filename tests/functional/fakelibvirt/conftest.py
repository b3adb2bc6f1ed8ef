# SPDX-License-Identifier: Apache-2.0

import pytest


@pytest.fixture(scope='package', autouse=True)
def clouds():
    """No cloud is left behind, which tests of other kinds would find."""
    from tests.functional.fakelibvirt import cloud

    yield
    cloud.CLOUDS.stop()
