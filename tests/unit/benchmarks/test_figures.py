# SPDX-License-Identifier: Apache-2.0

import ddt

from benchmarks import figures
from tests.unit import base


@ddt.ddt
class RatioTest(base.TestCase):
    @ddt.data(
        ((2.0,), (3.0,), 1.5),
        # Medians: one disturbed measurement does not count.
        ((1.0, 2.0, 90.0), (1.0, 1.0, 70.0), 0.5),
        ((1.0, 3.0), (4.0,), 2.0),
        ((5.0,), (0.0,), 0.0),
        ((0.0,), (5.0,), None),
        ((0.0,), (0.0,), None),
    )
    @ddt.unpack
    def test_ratio(self, stock, ours, expected):
        self.assertEqual(expected, figures.Row('it', stock, ours).ratio())


class TableTest(base.TestCase):
    def rows(self, *comparisons, digits=1):
        """Cells of the table, line by line."""
        lines = figures.table('s', comparisons, digits).splitlines()
        return [
            [cell.strip() for cell in line.strip('|').split('|')]
            for line in lines
            if not line.startswith('+')
        ]

    def test_table(self):
        self.assertEqual(
            [
                ['s', 'stock', 'ours', 'ours / stock'],
                ['one', '2.0', '3.0', '1.50'],
                ['several', '2.0 (1.0-4.5)', '1.0 (0.5-9.0)', '0.50'],
                ['nothing', '0.0', '5.0', '-'],
            ],
            self.rows(
                figures.Row('one', (2,), (3,)),
                figures.Row('several', (4.5, 1.0, 2.0), (1.0, 9.0, 0.5)),
                figures.Row('nothing', (0,), (5,)),
            ),
        )

    def test_digits(self):
        self.assertEqual(
            ['it', '1.235', '2.000', '1.62'],
            self.rows(figures.Row('it', (1.23456,), (2,)), digits=3)[1],
        )
