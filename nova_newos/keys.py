# SPDX-License-Identifier: Apache-2.0
"""Keys to type into a guest, in Packer's notation.

A text is what a person would type on a US keyboard, with these in between::

    <enter>            a key that writes no character, see NAMES
    <leftCtrlOn>c<leftCtrlOff>   one that is held, and then let go
    <aOn><aOff>        the same, of a character
    <wait> <wait5> <wait1m30s> <wait500ms>    a pause; one second at first
    <waitIdle>         until the guest has read from its CD-ROM, and then
                       not for a second; not in Packer

The case of these words does not matter. ``<`` is itself where no such word
can follow, as in ``a < b``. What looks like a word and is none is refused,
where Packer would type it: it is a slip of the pen that nobody sees.

See "boot_command" in the documentation of Packer's QEMU builder.
"""

import dataclasses
import re

from nova_newos import exception

#: More than anybody types; what is kept in Nova's metadata is shorter.
MAX_LENGTH = 4096

#: Of one pause, in seconds.
MAX_WAIT = 3600

#: Names of the keys that write no character, as a step has them.
NAMES = (
    'bs',
    'del',
    'down',
    'end',
    'enter',
    'esc',
    *(f'f{number}' for number in range(1, 13)),
    'home',
    'insert',
    'left',
    'leftAlt',
    'leftCtrl',
    'leftMeta',
    'leftShift',
    'leftSuper',
    'menu',
    'pageDown',
    'pageUp',
    'right',
    'rightAlt',
    'rightCtrl',
    'rightMeta',
    'rightShift',
    'rightSuper',
    'tab',
    'up',
)

_KEY_OF_WORD = {name.lower(): name for name in NAMES} | {
    'return': 'enter',
    'spacebar': ' ',
}

_WORD = re.compile(
    r'<(?:wait(?P<wait>[0-9][0-9a-zµ.]*)?|(?P<idle>waitidle)'
    r'|(?P<held>[^<>]|[a-z]+[0-9]*?)(?P<hold>on|off)|(?P<key>\w+))>',
    re.IGNORECASE,
)
_SECONDS = re.compile('[0-9]{1,6}')
_DURATION = re.compile(
    r'(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ns|us|µs|ms|s|m|h))+'
)
_PART = re.compile(r'([0-9.]+)([a-zµ]+)')
_UNITS = {
    'ns': 1e-9,
    'us': 1e-6,
    'µs': 1e-6,
    'ms': 1e-3,
    's': 1,
    'm': 60,
    'h': 3600,
}


class KeysInvalid(exception.NewosError):
    """A text that cannot be typed.

    :ivar at: the character from which on it cannot, 1 for the first
    """

    msg_fmt = "'{text!s:.24}' (character {at}) {problem}"


@dataclasses.dataclass(frozen=True)
class Press:
    """A key that is pressed and let go.

    :ivar name: one of :data:`NAMES`, or a printable character of ASCII, in
        upper case where Shift goes with it
    """

    name: str


@dataclasses.dataclass(frozen=True)
class Down:
    """A key that is held until its :class:`Up`; see :class:`Press`."""

    name: str


@dataclasses.dataclass(frozen=True)
class Up:
    """A key that is let go; see :class:`Press`."""

    name: str


@dataclasses.dataclass(frozen=True)
class Wait:
    """A pause.

    :ivar seconds: float, at most :data:`MAX_WAIT`
    """

    seconds: float


@dataclasses.dataclass(frozen=True)
class WaitIdle:
    """Until the guest has read from its CD-ROM, and then does no more."""


Step = Press | Down | Up | Wait | WaitIdle


def parse(text: str) -> tuple[Step, ...]:
    """What is to be done to type a text.

    :param text: in the notation above
    :returns: the steps in their order, none for an empty text
    :raises KeysInvalid: for a text that is too long, that is not of ASCII, or
        that has a word in angle brackets that means nothing
    """
    if len(text) > MAX_LENGTH:
        raise KeysInvalid(
            text=text[MAX_LENGTH:],
            at=MAX_LENGTH + 1,
            problem=f'is beyond the {MAX_LENGTH} characters that are typed',
        )
    steps: list[Step] = []
    at = 0
    while at < len(text):
        word = _WORD.match(text, at)
        steps.append(_step(word) if word else _character(text, at))
        at = word.end() if word else at + 1
    return tuple(steps)


def seconds(steps: tuple[Step, ...]) -> float:
    """How long the pauses take whose length is known."""
    return sum(step.seconds for step in steps if isinstance(step, Wait))


def _step(word: re.Match[str]) -> Step:
    if word['idle']:
        return WaitIdle()
    if word['hold']:
        step = Down if word['hold'].lower() == 'on' else Up
        return step(_key(word, word['held']))
    if word['key']:
        return Press(_key(word, word['key']))
    return Wait(_pause(word))


def _key(word: re.Match[str], name: str) -> str:
    if len(name) == 1 and word['hold'] and _is_typed(name):
        return name
    found = _KEY_OF_WORD.get(name.lower())
    if found is None:
        raise _invalid(word, 'is no key: see the notation of boot keys')
    return found


def _pause(word: re.Match[str]) -> float:
    text = word['wait'] or '1'
    if _SECONDS.fullmatch(text):
        found = float(text)
    elif _DURATION.fullmatch(text):
        found = sum(
            float(number) * _UNITS[unit]
            for number, unit in _PART.findall(text)
        )
    else:
        raise _invalid(word, 'is no pause: write <wait5> or <wait1m30s>')
    if found > MAX_WAIT:
        raise _invalid(word, f'is longer than {MAX_WAIT} seconds')
    return found


def _character(text: str, at: int) -> Press:
    if not _is_typed(text[at]):
        raise KeysInvalid(
            text=repr(text[at])[1:-1],
            at=at + 1,
            problem='is on no US keyboard: write <enter> for a new line',
        )
    return Press(text[at])


def _is_typed(character: str) -> bool:
    return ' ' <= character <= '~'


def _invalid(word: re.Match[str], problem: str) -> KeysInvalid:
    return KeysInvalid(text=word[0], at=word.start() + 1, problem=problem)
