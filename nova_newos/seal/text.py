# SPDX-License-Identifier: Apache-2.0
"""Text that comes out of a guest, made harmless."""

import re

_ODD = re.compile(r'[^\x20-\x7e]+')


def clean(text, length):
    """Printable ASCII on one line.

    :param text: anything; str() is taken of it
    :param length: number of characters to keep, from the beginning
    :returns: str
    """
    # Cut first: what a guest wrote may be megabytes.
    words = _ODD.sub(' ', str(text)[: 2 * length]).split()
    return ' '.join(words)[:length]
