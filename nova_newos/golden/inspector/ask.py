# SPDX-License-Identifier: Apache-2.0
"""Questions to libguestfs, any of which may have no answer."""

#: A guest chooses how much there is: of each kind no more than this is told.
LIMIT = 100


# What libguestfs raises, and its bindings for text that is not UTF-8.
FAILURES = (RuntimeError, UnicodeError)


def attempt(function, *arguments, **options):
    """What a function of libguestfs returns, or None when it fails.

    Guests are strange: every question may have no answer.
    """
    try:
        return function(*arguments, **options)
    except FAILURES:
        return None


def failure(function, *arguments):
    """Why a function of libguestfs that returns nothing fails, or None."""
    try:
        function(*arguments)
    except FAILURES as error:
        return str(error)
    return None


def succeeds(function, *arguments):
    """Whether a function of libguestfs that returns nothing succeeds."""
    try:
        function(*arguments)
    except FAILURES:
        return False
    return True


def short(text):
    return text and text[:LIMIT]


def as_bytes(value):
    # The bindings give text of what is UTF-8.
    if isinstance(value, bytes):
        return value
    return value.encode('utf-8', 'surrogateescape')
