# SPDX-License-Identifier: Apache-2.0
"""Figures of stock Nova and of ours, side by side, and their ratio."""

import dataclasses
import statistics

import prettytable


@dataclasses.dataclass(frozen=True)
class Row:
    """The same thing measured with both.

    :ivar title: what was measured
    :ivar stock: figures with stock Nova, at least one
    :ivar ours: figures with ours, in the same unit, at least one
    """

    title: str
    stock: tuple
    ours: tuple

    def ratio(self):
        """Median of ours over median of stock; None when stock's is 0."""
        stock = statistics.median(self.stock)
        return statistics.median(self.ours) / stock if stock else None


def table(unit, rows, digits):
    """Lay rows out for reading.

    :param unit: heads the titles
    :param digits: decimals of the figures
    :returns: str of several lines; medians, with the least and the greatest
        figure behind them where there are several
    """
    shown = prettytable.PrettyTable(
        [unit, 'stock', 'ours', 'ours / stock'], align='r'
    )
    shown.align[unit] = 'l'
    for row in rows:
        ratio = row.ratio()
        shown.add_row(
            [
                row.title,
                _cell(row.stock, digits),
                _cell(row.ours, digits),
                '-' if ratio is None else f'{ratio:.2f}',
            ]
        )
    return shown.get_string()


def _cell(figures, digits):
    median = f'{statistics.median(figures):.{digits}f}'
    if len(figures) == 1:
        return median
    return f'{median} ({min(figures):.{digits}f}-{max(figures):.{digits}f})'
