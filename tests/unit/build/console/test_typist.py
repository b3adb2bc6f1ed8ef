# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt
import fixtures

from nova_newos import keys
from nova_newos.build.console import display
from nova_newos.build.console import keysyms
from nova_newos.build.console import typist
from tests.unit import base
from tests.unit.build.console import host
from tests.unit.build.console import test_display

SHIFT = 0xFFE1


@ddt.ddt
class TypistTest(test_display.ConsoleTestCase):
    def setUp(self):
        super().setUp()
        self.slept = []
        self.useFixture(fixtures.MonkeyPatch('time.sleep', self.slept.append))

    def typed(self, text):
        """Keys as the host has them: positive pressed, negative let go."""
        with display.connect(test_display.cloud_with(), 'server') as screen:
            typist.type_keys(screen, keys.parse(text))
        return [k if is_down else -k for k, is_down in self.host.keys]

    @ddt.data(
        ('a1 ', [97, -97, 49, -49, 32, -32]),
        ('<enter>', [0xFF0D, -0xFF0D]),
        ('<f10>', [0xFFC7, -0xFFC7]),
        ('A', [SHIFT, 65, -65, -SHIFT]),
        ('"', [SHIFT, 34, -34, -SHIFT]),
        (
            '<leftCtrlOn>c<leftCtrlOff>',
            [0xFFE3, 99, -99, -0xFFE3],
        ),
        # What Shift makes of it, or the host takes it that Caps Lock is on.
        (
            '<leftShiftOn>q1Q<leftShiftOff>q',
            [SHIFT, 81, -81, 33, -33, 81, -81, -SHIFT, 113, -113],
        ),
        # Nothing stays held.
        ('<leftAltOn>', [0xFFE9, -0xFFE9]),
    )
    @ddt.unpack
    def test_keys(self, text, expected):
        self.assertEqual(expected, self.typed(text))

    def test_wait(self):
        self.typed('<wait7>')
        self.assertEqual([7], self.slept)

    def test_arrived(self):
        """A proxy forgets what is under way when a connection ends."""
        self.typed('a')
        self.assertIs(self.host.shown, self.host.screen)

    def test_wait_for_the_screen(self):
        screens = [host.plain('red'), host.plain('white')]
        changes = mock.Mock(
            side_effect=lambda _s: (
                screens and setattr(self.host, 'screen', screens.pop())
            )
        )
        self.useFixture(fixtures.MonkeyPatch('time.sleep', changes))
        self.useFixture(test_display.Clock())
        self.typed('<waitIdle>')
        self.assertEqual([], screens)


class KeysymsTest(base.TestCase):
    def test_all_names(self):
        self.assertEqual(
            len(keys.NAMES), len({keysyms.of(name) for name in keys.NAMES})
        )

    def test_all_characters(self):
        """The half of them that needs Shift is written by the other half."""
        characters = [chr(code) for code in range(32, 127)]
        shifted = [c for c in characters if keysyms.needs_shift(c)]
        self.assertEqual(47, len(shifted))
        plain = [c for c in characters if not keysyms.needs_shift(c)]
        self.assertEqual(
            sorted([*shifted, ' ']),
            sorted(chr(keysyms.of(c, is_shifted=True)) for c in plain),
        )
