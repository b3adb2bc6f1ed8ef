# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos import keys
from nova_newos.virt import keyboard
from tests.unit import base

SHIFT, CTRL, ALT, DEL, F8, A = 42, 29, 56, 111, 66, 30


def typed(text):
    return list(keyboard.strokes(keys.parse(text)))


def codes(text):
    return [stroke.codes for stroke in typed(text)]


@ddt.ddt
class KeyboardTest(base.TestCase):
    def test_each_key_has_a_code(self):
        characters = ''.join(map(chr, range(0x20, 0x7F)))
        self.assertEqual(len(characters), len(set(codes(characters))))
        for name in keys.NAMES:
            self.assertEqual(1, len(codes(f'<{name}>')), name)

    @ddt.data(
        ('aA1!', [(30,), (SHIFT, 30), (2,), (SHIFT, 2)]),
        ('=+[{', [(13,), (SHIFT, 13), (26,), (SHIFT, 26)]),
        (';:`~', [(39,), (SHIFT, 39), (41,), (SHIFT, 41)]),
        ('\\|/?', [(43,), (SHIFT, 43), (53,), (SHIFT, 53)]),
        ('mM ', [(50,), (SHIFT, 50), (57,)]),
        ('<f1><f10><f11><f12>', [(59,), (68,), (87,), (88,)]),
        ('<leftCtrlOn>ab<leftCtrlOff>a', [(CTRL, 30), (CTRL, 48), (30,)]),
        ('<leftShiftOn>A<leftShiftOff>', [(SHIFT, 30)]),
        ('<leftCtrlOn><leftAltOn><del>', [(CTRL, ALT, DEL)]),
        # Held alone: pressed once.
        ('<leftCtrlOn><leftAltOn><leftAltOff><leftCtrlOff>', [(CTRL, ALT)]),
        ('<f8On>', [(F8,)]),
        ('<f8Off>a', [(A,)]),
    )
    @ddt.unpack
    def test_codes(self, text, expected):
        self.assertEqual(expected, codes(text))

    def test_pauses(self):
        self.assertEqual(
            [
                keys.Wait(5),
                keyboard.Stroke((A,), keyboard.HOLD),
                keys.WaitIdle(),
            ],
            typed('<wait5>a<waitIdle>'),
        )

    def test_held_for_a_pause(self):
        self.assertEqual(
            [keyboard.Stroke((F8,), 3 + keyboard.HOLD), keys.Wait(1)],
            typed('<f8On><wait><wait2><f8Off><wait>'),
        )

    def test_pause_between_keys_while_one_is_held(self):
        self.assertEqual(
            [
                keyboard.Stroke((CTRL, A)),
                keys.Wait(2),
                keyboard.Stroke((CTRL, A)),
            ],
            typed('<leftCtrlOn>a<wait2>a<leftCtrlOff>'),
        )
