# SPDX-License-Identifier: Apache-2.0
"""What is decided between checks; tests/functional/golden runs processes."""

import io
import subprocess
from unittest import mock

import ddt

from nova_newos.golden import run_limited
from tests.unit.golden import base

FULL = mock.Mock(f_bavail=0, f_frsize=4096)
ROOM = mock.Mock(f_bavail=10000, f_frsize=4096)


@ddt.ddt
class RoomTest(base.TestCase):
    @ddt.data(
        ([FULL, FULL], run_limited.NO_ROOM),
        ([ROOM, FULL, FULL], run_limited.NO_ROOM),
        ([FULL, ROOM, FULL, ROOM], 0),
        ([FULL], 0),
    )
    @ddt.unpack
    def test_no_room_twice_in_a_row(self, looks, status):
        """Something else may take it and give it back."""
        process = mock.Mock(stdout=io.BytesIO(), stderr=io.BytesIO())
        process.wait.side_effect = [
            *(subprocess.TimeoutExpired('c', 2) for _ in looks),
            0,
        ]
        self.patch(mock.patch('subprocess.Popen', return_value=process))
        self.patch(mock.patch('os.statvfs', side_effect=looks))
        self.assertEqual(status, run_limited._run(['c'], 600, '/d', []))
