# SPDX-License-Identifier: Apache-2.0
"""The installed Nova is one that our code was checked against."""

import pytest

from tests.contract import __main__ as contract
from tests.contract import facts
from tests.contract import reached
from tests.contract import records

VERSION = facts.version()
FACTS = contract.current()
RECORDS = records.load()


def test_driver_relies_on_nova():
    """An empty list would pass every other test here."""
    assert 'nova.virt.libvirt.driver.LibvirtDriver.spawn' in FACTS


@pytest.mark.parametrize('name', sorted(FACTS))
def test_known(name):
    """What our code uses is what it was when it was last looked at."""
    complaint = records.complaint(RECORDS, name, FACTS[name], VERSION)
    assert not complaint, complaint


@pytest.mark.parametrize('name', reached.NAMES)
def test_reached_exists(name):
    """The list of what is not spelled in our source has no typing errors."""
    assert FACTS[name] != facts.ABSENT


def test_nothing_stale():
    """Names that our code no longer uses are not kept."""
    stale = {
        name for name in RECORDS if records.known(RECORDS, name, VERSION)
    } - set(FACTS)
    assert not stale, (
        'no longer used: %s. Run "python -m tests.contract record".'
        % ', '.join(sorted(stale))
    )
