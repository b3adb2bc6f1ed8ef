# SPDX-License-Identifier: Apache-2.0
"""The table says what was seen, always in the same words."""

import csv

from tests.matrix import operations
from tests.matrix import sightings
from tests.matrix import table
from tests.unit import base

SEEN = [
    sightings.Sighting('create', 'flat', 'works', 'real 2026.2'),
    sightings.Sighting('create', 'qcow2', 'works', 'real 2026.2'),
    sightings.Sighting('create', 'qcow2', 'works', 'fake libvirt 2026.2'),
    sightings.Sighting('create', 'qcow2', 'refused', 'fake libvirt 2026.2'),
    sightings.Sighting('disk-full', 'qcow2', 'failed', 'real 2026.2'),
]


class TableTestCase(base.TestCase):
    def rows(self, seen):
        return list(csv.reader(table.write(seen).splitlines(keepends=True)))

    def test_columns_are_what_was_seen_in_the_given_order(self):
        self.assertEqual([table.CORNER, 'qcow2', 'flat'], self.rows(SEEN)[0])

    def test_rows_are_all_operations(self):
        self.assertEqual(
            list(operations.OPERATIONS.values()),
            [row[0] for row in self.rows(SEEN)[1:]],
        )

    def test_cells(self):
        rows = {row[0]: row[1:] for row in self.rows(SEEN)}
        self.assertEqual(
            [
                '| works: fake libvirt 2026.2, real 2026.2\n'
                '| refused: fake libvirt 2026.2',
                '| works: real 2026.2',
            ],
            rows[operations.OPERATIONS['create']],
        )
        self.assertEqual(
            ['| failed: real 2026.2', ''],
            rows[operations.OPERATIONS['disk-full']],
        )
        self.assertEqual(['', ''], rows[operations.OPERATIONS['lock']])

    def test_order_of_sightings_is_of_no_account(self):
        self.assertEqual(table.write(SEEN), table.write(SEEN[::-1]))

    def test_back(self):
        self.assertEqual(set(SEEN), table.read(table.write(SEEN)))
        self.assertEqual(set(), table.read(table.write(set())))

    def test_an_operation_that_has_gone(self):
        words = operations.OPERATIONS['disk-full']
        text = table.write(SEEN).replace(words, 'something else')
        self.assertEqual(set(SEEN[:-1]), table.read(text))

    def test_words_tell_operations_apart(self):
        words = list(operations.OPERATIONS.values())
        self.assertEqual(len(words), len(set(words)))
