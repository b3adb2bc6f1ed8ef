# SPDX-License-Identifier: Apache-2.0

import random

import ddt

from nova_newos import keys
from nova_newos.keys import Down
from nova_newos.keys import Press
from nova_newos.keys import Up
from nova_newos.keys import Wait
from nova_newos.keys import WaitIdle
from tests.unit import base


def _typed(text):
    return tuple(map(Press, text))


@ddt.ddt
class KeysTest(base.TestCase):
    def test_the_example(self):
        self.assertEqual(
            (
                Wait(5),
                Press('tab'),
                *_typed(' auto'),
                Press('enter'),
                WaitIdle(),
                Press('esc'),
            ),
            keys.parse('<wait5><tab> auto<enter><waitIdle><esc>'),
        )

    def test_nothing(self):
        self.assertEqual((), keys.parse(''))

    def test_all_characters(self):
        text = ''.join(map(chr, range(0x20, 0x7F)))
        self.assertEqual(_typed(text), keys.parse(text))

    @ddt.data(
        ('<wait>', 1),
        ('<wait0>', 0),
        ('<wait10>', 10),
        ('<wait2s>', 2),
        ('<wait500ms>', 0.5),
        ('<wait1.5s>', 1.5),
        ('<wait1m20s>', 80),
        ('<WAIT1h>', 3600),
    )
    @ddt.unpack
    def test_pause(self, text, seconds):
        (found,) = keys.parse(text)
        self.assertAlmostEqual(seconds, found.seconds)

    @ddt.data(*keys.NAMES)
    def test_each_name(self, name):
        found = keys.parse(f'<{name}><{name.upper()}><{name}On><{name}Off>')
        self.assertEqual(
            (Press(name), Press(name), Down(name), Up(name)), found
        )

    @ddt.data(
        ('<return>', (Press('enter'),)),
        ('<spacebar>', (Press(' '),)),
        ('<spacebarOn>', (Down(' '),)),
        ('<aOn><aOff>', (Down('a'), Up('a'))),
        ('<1On>', (Down('1'),)),
        ('<WAITIDLE>', (WaitIdle(),)),
        ('a < b', _typed('a < b')),
        ('a > b', _typed('a > b')),
        ('<<tab>>', (Press('<'), Press('tab'), Press('>'))),
        ('<', _typed('<')),
        ('<>', _typed('<>')),
        ('< tab>', _typed('< tab>')),
        ('2 <3', _typed('2 <3')),
    )
    @ddt.unpack
    def test_means(self, text, steps):
        self.assertEqual(steps, keys.parse(text))

    @ddt.data(
        ('<ener>', 1),
        ('ab<f13>', 3),
        ('<wait5x>', 1),
        ('<wait5.>', 1),
        ('<wait5m5>', 1),
        ('<wait2h>', 1),
        ('<wait9999999>', 1),
        ('<waitIdle5>', 1),
        ('<a>', 1),
        ('<On>', 1),
        ('<enteron><enteroff><enterof>', 20),
        ('a\n', 2),
        ('ä', 1),
        ('\x7f', 1),
        ('<äOn>', 1),
    )
    @ddt.unpack
    def test_is_refused(self, text, at):
        with self.assertRaises(keys.KeysInvalid) as caught:
            keys.parse(text)
        self.assertEqual(at, caught.exception.at)
        self.assertLess(len(str(caught.exception)), 100)

    def test_length(self):
        longest = 'a' * keys.MAX_LENGTH
        self.assertEqual(keys.MAX_LENGTH, len(keys.parse(longest)))
        with self.assertRaises(keys.KeysInvalid):
            keys.parse(longest + 'b')

    def test_known_seconds(self):
        steps = keys.parse('<wait5>a<waitIdle><wait500ms>')
        self.assertEqual(5.5, keys.seconds(steps))

    def test_any_text_is_typed_or_refused(self):
        chance = random.Random(7)
        pieces = '<>abwaitonf1.5µ\n \x00é'
        for _ in range(2000):
            text = ''.join(chance.choices(pieces, k=chance.randrange(40)))
            try:
                steps = keys.parse(text)
            except keys.KeysInvalid as error:
                self.assertLess(len(str(error)), 100)
            else:
                self.assertLessEqual(len(steps), len(text))
