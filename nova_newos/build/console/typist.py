# SPDX-License-Identifier: Apache-2.0
"""Type on the keyboard of a server."""

import time

from nova_newos import keys
from nova_newos.build.console import keysyms
from nova_newos.build.console import still

# Seconds from one key to the next: keyboards of guests lose what comes faster.
_PAUSE = 0.1
# The screen has come to rest, or never will.
_IDLE, _NEVER = 1.5, 60


def type_keys(display, steps):
    """Type, and wait until all of it has reached the host.

    What is still held at the end is let go.

    :param display: a :class:`~nova_newos.build.console.display.Display`
    :param steps: as :func:`nova_newos.keys.parse` returns them. ``WaitIdle``
        is until the screen has come to rest: nobody sees from here whether
        the guest reads
    :raises ConsoleError: when the connection breaks
    """
    typist = _Typist(display)
    for step in steps:
        typist.do(step)
    typist.finish()


class _Typist:
    def __init__(self, display):
        self._display = display
        self._held = []

    def do(self, step):
        """One step of :func:`nova_newos.keys.parse`."""
        match step:
            case keys.Press(name):
                self._press(name)
            case keys.Down(name):
                self._display.key(self._keysym(name), True)
                self._held.append(name)
            case keys.Up(name):
                self._let_go(name)
            case keys.Wait(seconds):
                time.sleep(seconds)
            case keys.WaitIdle():
                self._wait_until_idle()

    def finish(self):
        """Let go of everything, and see that it arrives."""
        for name in tuple(self._held):
            self._let_go(name)
        self._display.flush()

    def _press(self, name):
        pressed = [self._keysym(name)]
        if keysyms.needs_shift(name) and not self._is_shifted:
            pressed.insert(0, keysyms.SHIFT)
        for keysym in pressed:
            self._display.key(keysym, True)
        time.sleep(_PAUSE / 2)
        for keysym in reversed(pressed):
            self._display.key(keysym, False)
        time.sleep(_PAUSE / 2)

    @property
    def _is_shifted(self):
        return 'leftShift' in self._held or 'rightShift' in self._held

    def _keysym(self, name):
        return keysyms.of(name, self._is_shifted)

    def _let_go(self, name):
        self._display.key(self._keysym(name), False)
        if name in self._held:
            self._held.remove(name)
        time.sleep(_PAUSE)

    def _wait_until_idle(self):
        stillness = still.Stillness()
        end = time.monotonic() + _NEVER
        while (now := time.monotonic()) < end:
            if stillness.look(now, self._display.look()) >= _IDLE:
                break
            time.sleep(_PAUSE)
