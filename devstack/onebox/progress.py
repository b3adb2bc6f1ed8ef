# SPDX-License-Identifier: Apache-2.0
"""One line a step, with the seconds it took."""

import contextlib
import sys
import time

_BEGAN = time.monotonic()


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


def fail(text):
    """Say what went wrong, on stderr, and end with status 1."""
    sys.stdout.flush()
    print(f'box: {text}', file=sys.stderr, flush=True)
    raise SystemExit(1)
