# SPDX-License-Identifier: Apache-2.0
"""Sightings as the table that the documentation shows, and back."""

import csv
import io

from tests.matrix import operations
from tests.matrix import sightings

CORNER = 'Operation'

#: How reStructuredText keeps the lines of a cell apart.
LINE = '| '


def write(seen):
    """A row for each operation, a column for each images_type seen.

    :param seen: set of sightings.Sighting
    :returns: text in CSV; the same for the same sightings
    """
    columns = [
        images_type
        for images_type in operations.IMAGES_TYPES
        if any(found.images_type == images_type for found in seen)
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow([CORNER, *columns])
    for operation, words in operations.OPERATIONS.items():
        cells = [_cell(seen, operation, column) for column in columns]
        writer.writerow([words, *cells])
    return text.getvalue()


def read(text):
    """The sightings that a table claims.

    :param text: what write() returned; a row whose operation has gone since
        claims nothing
    :returns: set of sightings.Sighting
    """
    names = {words: name for name, words in operations.OPERATIONS.items()}
    return {
        sightings.Sighting(names[row[CORNER]], images_type, outcome, place)
        for row in csv.DictReader(io.StringIO(text))
        if row[CORNER] in names
        for images_type in row.keys() - {CORNER}
        for outcome, place in _entries(row[images_type])
    }


def _cell(seen, operation, images_type):
    """A line for each outcome, with the places where it came about."""
    lines = []
    for outcome in (*operations.OUTCOMES, sightings.FAILED):
        places = sorted(
            found.place
            for found in seen
            if (found.operation, found.images_type, found.outcome)
            == (operation, images_type, outcome)
        )
        if places:
            lines.append(f'{LINE}{outcome}: {", ".join(places)}')
    return '\n'.join(lines)


def _entries(cell):
    for line in cell.splitlines():
        outcome, places = line.removeprefix(LINE).split(': ')
        for place in places.split(', '):
            yield outcome, place
