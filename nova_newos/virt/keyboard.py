# SPDX-License-Identifier: Apache-2.0
"""What :mod:`nova_newos.keys` means on the US keyboard of a guest.

libvirt presses keys together and lets them go together; one that is to be
held is pressed with each of the keys that follow it.
"""

import dataclasses
import itertools

from nova_newos import keys

#: VIR_KEYCODE_SET_LINUX, the numbers of linux/input-event-codes.h.
CODESET = 0

#: Seconds that a key is held.
HOLD = 0.1

_LEFT_SHIFT = 42

# From a code on, what keys in a row write without Shift, and with it.
_ROWS = (
    (2, '1234567890-=', '!@#$%^&*()_+'),
    (16, 'qwertyuiop[]', 'QWERTYUIOP{}'),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, r'\zxcvbnm,./', '|ZXCVBNM<>?'),
    (57, ' ', ''),
)

_CODES = {
    'esc': 1,
    'bs': 14,
    'tab': 15,
    'enter': 28,
    'leftCtrl': 29,
    'leftShift': _LEFT_SHIFT,
    'rightShift': 54,
    'leftAlt': 56,
    **{f'f{number}': 58 + number for number in range(1, 11)},
    'f11': 87,
    'f12': 88,
    'rightCtrl': 97,
    'rightAlt': 100,
    'home': 102,
    'up': 103,
    'pageUp': 104,
    'left': 105,
    'right': 106,
    'end': 107,
    'down': 108,
    'pageDown': 109,
    'insert': 110,
    'del': 111,
    'leftMeta': 125,
    'leftSuper': 125,
    'rightMeta': 126,
    'rightSuper': 126,
    'menu': 127,
}

_PRESSED = {name: (code,) for name, code in _CODES.items()}
for _first, _plain, _shifted in _ROWS:
    _PRESSED |= {c: (_first + i,) for i, c in enumerate(_plain)}
    _PRESSED |= {c: (_LEFT_SHIFT, _first + i) for i, c in enumerate(_shifted)}


@dataclasses.dataclass(frozen=True)
class Stroke:
    """Keys that are pressed together, and then let go.

    :ivar codes: of :data:`CODESET`
    :ivar seconds: how long they are held
    """

    codes: tuple[int, ...]
    seconds: float = HOLD


def strokes(steps):
    """The steps of a text as strokes, with the pauses between them.

    A key that is held while no other is pressed is held for the pauses until
    it is let go.

    :param steps: as :func:`nova_newos.keys.parse` returns them
    :returns: iterator of :class:`Stroke`, :class:`nova_newos.keys.Wait` and
        :class:`nova_newos.keys.WaitIdle`
    """
    held, is_used, pause = [], True, 0
    for step in (*steps, None):
        is_let_go = step is None or (
            isinstance(step, keys.Up) and step.name in held
        )
        if is_let_go and not is_used:
            yield _stroke(held, HOLD + pause)
            is_used, pause = True, 0
        match step:
            case keys.Down(name):
                held, is_used = [*held, name], False
            case keys.Up(name):
                held = [each for each in held if each != name]
            case keys.Press(name):
                yield _stroke([*held, name])
                is_used = True
            case keys.Wait(seconds) if not is_used:
                pause += seconds
            case keys.Wait() | keys.WaitIdle():
                yield step


def pressed(steps):
    """The strokes among :func:`strokes`."""
    return (each for each in strokes(steps) if isinstance(each, Stroke))


def _stroke(names, seconds=HOLD):
    codes = itertools.chain.from_iterable(_PRESSED[name] for name in names)
    return Stroke(tuple(dict.fromkeys(codes)), seconds)
