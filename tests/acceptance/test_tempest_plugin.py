# SPDX-License-Identifier: Apache-2.0
"""Our plug-in for Tempest, as an operator would run it: its short tests."""

from tests.tempest import plugin
from tests.tempest import setting
from tests.upstream import outcomes


def test_short_ones_pass():
    with setting.prepared(
        'tempest-plugin', plugin.settings('probe')
    ) as directory:
        found, said = plugin.run(directory)
    assert found, said
    # Nothing that the box has is skipped.
    assert set(found.values()) == {outcomes.PASSED}, said
