# SPDX-License-Identifier: Apache-2.0
"""Print comparisons as one table: ``python -m tests.upstream.table``.

Needs neither Nova nor anything else than Python.
"""

import argparse
import collections
import pathlib
import sys

from tests.upstream import comparison

COLUMNS = (
    'Nova',
    'suite',
    'stock passed',
    'ours passed',
    'difference',
    'with reason',
    'against ours',
    'seen',
)


def rows(found):
    """The table, as text for each cell.

    :param found: list of comparison.Comparison
    :returns: list of rows of len(COLUMNS) cells, one for each comparison
    """
    return [
        [
            c.version,
            c.suite,
            str(len(c.passed(comparison.STOCK))),
            str(len(c.passed(comparison.OURS))),
            '%+d'
            % (
                len(c.passed(comparison.OURS))
                - len(c.passed(comparison.STOCK))
            ),
            str(len(c.excused())),
            str(len(c.against_ours() | c.stale()) + len(c.problems)),
            c.started,
        ]
        for c in found
    ]


def aligned(cells):
    """Rows as lines of columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        '  '.join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def remarks(found):
    """What the figures do not say: which tests, and why.

    :param found: list of comparison.Comparison
    :returns: dict of a heading to a dict of a line to the releases it holds
        for
    """
    ours, stock = comparison.OURS, comparison.STOCK
    said = collections.defaultdict(lambda: collections.defaultdict(list))
    for c in found:
        for heading, names in (
            ("Against ours: Nova's driver passes", c.against_ours()),
            ('Against ours: passes though a reason says why not', c.stale()),
            ('Against ours: problems', c.problems),
            (
                'Fails with both drivers, not counted',
                c.with_status(stock, comparison.FAILED)
                & c.with_status(ours, comparison.FAILED),
            ),
            (
                "Unsteady with Nova's driver, not counted",
                c.with_status(stock, comparison.FLAKY),
            ),
            (
                'Unsteady with ours, counted as passed',
                c.with_status(ours, comparison.FLAKY),
            ),
            (
                'Passes with ours only',
                c.passed(ours)
                - c.passed(stock)
                - c.with_status(stock, comparison.MISSING),
            ),
        ):
            for name in sorted(names):
                said[heading][name].append(c.release)
        for name in sorted(c.excused()):
            said['Fails with ours for a written reason'][
                '%s: %s' % (name, c.deviations[name])
            ].append(c.release)
    return said


def text(found):
    """The whole page.

    :param found: list of comparison.Comparison
    """
    ordered = sorted(found, key=lambda c: (c.release, c.suite != 'unit'))
    lines = aligned([list(COLUMNS), *rows(ordered)])
    for heading, names in remarks(ordered).items():
        lines += ['', heading + ':']
        lines += [
            '  %s: %s' % (', '.join(map(str, releases)), name)
            for name, releases in names.items()
        ]
    return '\n'.join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog='python -m tests.upstream.table', description=__doc__
    )
    parser.add_argument(
        'records',
        nargs='+',
        type=pathlib.Path,
        metavar='FILE',
        help='what "python -m tests.upstream --driver both --record" wrote',
    )
    options = parser.parse_args(argv)
    found = [comparison.load(path) for path in options.records]
    print(text(found))
    return int(not all(c.is_good() for c in found))


if __name__ == '__main__':
    sys.exit(main())
