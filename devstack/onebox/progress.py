# SPDX-License-Identifier: Apache-2.0
"""One line a step, with the seconds it took."""

import contextlib
import os
import sys
import time

_VARIABLE = 'ONEBOX_BEGAN'
# A command that goes on in another Python began in the first.
_BEGAN = float(os.environ.pop(_VARIABLE, time.monotonic()))


def handed_on():
    """Variables for the Python that this command goes on in."""
    return {_VARIABLE: str(_BEGAN)}


def say(text):
    """Print one line at once, also when stdout is a file."""
    print(text, flush=True)


def elapsed():
    """Seconds since the command began."""
    return time.monotonic() - _BEGAN


@contextlib.contextmanager
def step(title):
    """Time what happens inside and print it; failures are marked as such."""
    began = time.monotonic()
    outcome = 'FAILED'
    try:
        yield
        outcome = 'ok'
    finally:
        took = time.monotonic() - began
        say(f'[{elapsed():6.1f} s] {title}: {outcome} ({took:.1f} s)')


class Steps:
    """Names the demo's steps as they begin, and takes their time.

    :param seconds: (title, seconds) of steps that were taken already.
    """

    def __init__(self, seconds=()):
        self.seconds = list(map(tuple, seconds))

    def take(self, title, action, *arguments):
        """Call the action and return what it returns."""
        say(f'\n== {title}')
        began = time.monotonic()
        result = action(*arguments)
        self.seconds.append((title, round(time.monotonic() - began, 1)))
        return result


def fail(text):
    """Say what went wrong, on stderr, and end with status 1."""
    sys.stdout.flush()
    print(f'box: {text}', file=sys.stderr, flush=True)
    raise SystemExit(1)
