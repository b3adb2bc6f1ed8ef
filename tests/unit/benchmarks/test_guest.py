# SPDX-License-Identifier: Apache-2.0

from oslo_utils.imageutils import format_inspector

from benchmarks import guest
from tests.unit import base


class GuestTest(base.TestCase):
    def test_the_boot_sector(self):
        disk = guest.disk()
        self.assertEqual(2**20, len(disk))
        self.assertEqual(b'\x55\xaa', disk[510:512])
        self.assertEqual(bytes(2**20 - 512), disk[512:])
        # What it says ends where the code says that it begins, at its end.
        text = disk[guest.TEXT_AT :].split(b'\0')[0]
        self.assertTrue(text.startswith(b'newos-guest: line 0\r\n'))
        self.assertEqual(guest.LINES, text.count(b'\r\n'))

    def test_nova_takes_it(self):
        """As it does any disk image: by oslo.utils."""
        inspector = format_inspector.GPTInspector()
        inspector.eat_chunk(guest.disk())
        self.assertTrue(inspector.format_match)
        inspector.safety_check()
