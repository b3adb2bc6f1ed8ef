# SPDX-License-Identifier: Apache-2.0

import itertools

from benchmarks import turns
from devstack.onebox import client
from tests.unit import base


class Box:
    def __init__(self):
        self.used = []

    def use(self, driver):
        self.used.append(driver)


class TurnsTest(base.TestCase):
    def test_blocks_take_turns(self):
        box = Box()
        counter = itertools.count(1)

        def measure():
            number = next(counter)
            return number, 10 * number

        found = turns.compare(box, ('one', 'ten'), measure, 2)

        stock, ours = client.STOCK, client.OURS
        self.assertEqual([stock, ours, stock, ours], box.used)
        # The first of each block is not counted.
        self.assertEqual(
            [
                ('one', (2, 3, 8, 9), (5, 6, 11, 12)),
                ('ten', (20, 30, 80, 90), (50, 60, 110, 120)),
            ],
            [(each.title, each.stock, each.ours) for each in found],
        )
