# SPDX-License-Identifier: Apache-2.0

import itertools
from unittest import mock

from benchmarks import figures
from benchmarks import onebox
from benchmarks import spawn
from tests.unit import base


class CompareTest(base.TestCase):
    def test_blocks_take_turns(self):
        cloud = mock.Mock()
        life = mock.Mock(
            side_effect=zip(itertools.count(1), itertools.count(10, 10))
        )

        found = spawn.compare(cloud, ('one', 'ten'), life, 2)

        self.assertEqual(
            [mock.call(onebox.STOCK), mock.call(onebox.OURS)] * 2,
            cloud.use.call_args_list,
        )
        # The first of each block is not counted.
        self.assertEqual(
            [
                figures.Row('one', (2, 3, 8, 9), (5, 6, 11, 12)),
                figures.Row('ten', (20, 30, 80, 90), (50, 60, 110, 120)),
            ],
            found,
        )
