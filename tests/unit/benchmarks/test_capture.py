# SPDX-License-Identifier: Apache-2.0

import pathlib
import time

import fixtures

from benchmarks import capture
from tests.unit import base

MIB = 2**20


class CompareTest(base.TestCase):
    def test_each_way_with_stock(self):
        found = {way: [] for way in capture._WAYS}
        for run in (0, 1):
            for number, way in enumerate(found):
                found[way].append((10 * number + run, number, 100 * number))
        found['stock'] = [(4, 2, 8), (6, 2, 8)]
        rows = capture.compare(found)
        self.assertEqual(9, len(rows))
        ours = {row.title: row for row in rows}['MiB in Glance: ours']
        self.assertEqual(((2, 2), (2, 2)), (ours.stock, ours.ours))
        seconds = {row.title: row for row in rows}['seconds: ours, sealed']
        self.assertEqual(((4, 6), (30, 31)), (seconds.stock, seconds.ours))
        self.assertEqual(30.5 / 5, seconds.ratio())


class PeakTest(base.TestCase):
    def test_most_that_was_there(self):
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        deeper = top / 'deeper'
        deeper.mkdir()
        with capture.Peak(top) as peak:
            (deeper / 'one').write_bytes(bytes(3 * MIB))
            self.wait(lambda: peak.bytes >= 3 * MIB)
            (deeper / 'one').unlink()
            (top / 'two').write_bytes(bytes(MIB))
            time.sleep(3 * capture._LOOK)
        self.assertEqual(3 * MIB, peak.bytes)

    def wait(self, condition):
        until = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
