# SPDX-License-Identifier: Apache-2.0

import pathlib
import subprocess
import time

import fixtures

from benchmarks import capture
from benchmarks.errors import BenchmarkError
from tests.unit import base

MIB = 2**20


class CompareTest(base.TestCase):
    def test_each_way_with_stock(self):
        found = {way: [] for way in (*capture._WAYS, 'by hand')}
        for run in (0, 1):
            for number, way in enumerate(found):
                found[way].append((10 * number + run, number, 100 * number))
        found['stock'] = [(4, 2, 8), (6, 2, 8)]
        rows = capture.compare(found)
        self.assertEqual(18, len(rows))
        ours = {row.title: row for row in rows}['MiB in Glance: ours']
        self.assertEqual(((2, 2), (2, 2)), (ours.stock, ours.ours))
        seconds = {row.title: row for row in rows}['seconds: ours, sealed']
        self.assertEqual(((4, 6), (40, 41)), (seconds.stock, seconds.ours))
        self.assertEqual(40.5 / 5, seconds.ratio())
        signed = rows[12]
        self.assertEqual('seconds: ours, signed, beside ours', signed.title)
        self.assertEqual(((20, 21), (30, 31)), (signed.stock, signed.ours))
        last = rows[15]
        self.assertEqual('seconds: ours, sealed, beside by hand', last.title)
        self.assertEqual(((50, 51), (40, 41)), (last.stock, last.ours))


class ByHandTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.run = self.useFixture(
            fixtures.MockPatch('subprocess.run', side_effect=self.succeed)
        ).mock

    def succeed(self, command, **_options):
        if 'convert' in command:
            pathlib.Path(command[-1]).write_bytes(bytes(MIB))
        return subprocess.CompletedProcess(command, 0, '', '')

    def seal(self):
        work = self.useFixture(fixtures.TempDir()).path
        return capture.seal_by_hand('/d/disk.newos', 'raw', work)

    def test_all_that_people_do(self):
        seconds, size = self.seal()
        self.assertGreater(seconds, 0)
        self.assertEqual(MIB, size)
        commands = [call.args[0] for call in self.run.call_args_list]
        self.assertEqual(
            ['qemu-img', 'virt-sysprep', 'virt-sparsify', 'qemu-img'],
            [command[0] for command in commands],
        )
        # The server's disk is behind an overlay.
        touching = [c[1] for c in commands if '/d/disk.newos' in c]
        self.assertEqual(['create'], touching)

    def test_command_that_fails(self):
        self.run.side_effect = None
        self.run.return_value = subprocess.CompletedProcess([], 1, '', 'why\n')
        with self.assertRaisesRegex(BenchmarkError, 'qemu-img failed: why'):
            self.seal()


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
