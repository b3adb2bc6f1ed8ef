# SPDX-License-Identifier: Apache-2.0
"""The installed Nova is one that our code was checked against."""

import pytest

from tests.contract import facts
from tests.contract import record

FOUND = record.found()
EXPECTED = record.expected()
NOTHING = 'nothing: our code does not use it, or no one has looked'


def test_driver_relies_on_nova():
    """An empty list would pass every other test here."""
    assert 'nova.virt.libvirt.driver.LibvirtDriver.spawn' in FOUND


@pytest.mark.parametrize('name', sorted(FOUND | EXPECTED))
def test_known(name):
    """What our code uses is what it was when it was last looked at."""
    expected = EXPECTED.get(name, NOTHING)
    found = FOUND.get(name, NOTHING)
    assert found == expected, (
        f'{name}, Nova {record.VERSION}\nexpected {expected}\nfound    {found}'
        '\nRead what changed in Nova, adapt the code that relies on it and '
        'its tests, then run "python -m tests.contract" with this Nova.'
    )


@pytest.mark.parametrize('name', record.implicit())
def test_implicit_exists(name):
    """The list of what is not spelled in our source has no typing errors."""
    assert FOUND[name] != facts.ABSENT
