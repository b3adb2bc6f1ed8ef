# SPDX-License-Identifier: Apache-2.0
"""What others have written, as a terminal may have it."""


def printable(text):
    """Text of others, on one line of a terminal.

    :param text: str; hostile
    :returns: the text. What is invisible, moves the cursor or turns the
        direction of writing is spelled as in Python.
    """
    return ''.join(
        character
        if character.isprintable()
        else character.encode('unicode_escape').decode()
        for character in text
    )
