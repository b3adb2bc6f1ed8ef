# SPDX-License-Identifier: Apache-2.0
"""Keys as X11 numbers them, which is how RFB names them.

The numbers are those of X11's ``keysymdef.h``.
"""

import string

#: Of Shift, which goes with the characters that need it.
SHIFT = 0xFFE1

_NAMED = {
    'bs': 0xFF08,
    'tab': 0xFF09,
    'enter': 0xFF0D,
    'esc': 0xFF1B,
    'home': 0xFF50,
    'left': 0xFF51,
    'up': 0xFF52,
    'right': 0xFF53,
    'down': 0xFF54,
    'pageUp': 0xFF55,
    'pageDown': 0xFF56,
    'end': 0xFF57,
    'insert': 0xFF63,
    'menu': 0xFF67,
    'del': 0xFFFF,
    'leftShift': SHIFT,
    'rightShift': 0xFFE2,
    'leftCtrl': 0xFFE3,
    'rightCtrl': 0xFFE4,
    'leftMeta': 0xFFE7,
    'rightMeta': 0xFFE8,
    'leftAlt': 0xFFE9,
    'rightAlt': 0xFFEA,
    'leftSuper': 0xFFEB,
    'rightSuper': 0xFFEC,
    **{f'f{number}': 0xFFBD + number for number in range(1, 13)},
}
# What a US keyboard writes with Shift, by what it writes without.
_SHIFTED = {
    **dict(zip(string.ascii_lowercase, string.ascii_uppercase, strict=True)),
    **dict(
        zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True)
    ),
}
_NEED_SHIFT = frozenset(_SHIFTED.values())


def of(name, is_shifted=False):
    """The number of a key.

    :param name: as :mod:`nova_newos.keys` has it: one of its ``NAMES``, or a
        printable character of ASCII
    :param is_shifted: whether Shift is held, which makes another key of it: a
        host that is sent a small letter then takes it that Caps Lock is on
    """
    if name in _NAMED:
        return _NAMED[name]
    return ord(_SHIFTED.get(name, name) if is_shifted else name)


def needs_shift(name):
    """Whether a US keyboard writes this character with Shift.

    The host looks for the key that bears it, and leaves Shift to the client.
    """
    return name in _NEED_SHIFT
