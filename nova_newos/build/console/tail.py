# SPDX-License-Identifier: Apache-2.0
"""What is new on a serial console, of which Nova gives the last part."""

# Places where the old part may go on in the new one that are looked at. A
# guest may write what makes each of them look right.
_MAX_TRIES = 1000


class Tail:
    """Follows one serial console."""

    def __init__(self):
        self._text = ''

    def news(self, text):
        """What was written since the last call.

        :param text: the last of the console, as Nova has it now
        :returns: str; all of it when it is another boot's, or when more was
            written in between than Nova shows
        """
        known, self._text = self._text, text
        if text.startswith(known):
            return text[len(known) :]
        # Nova has left out what was in front, and begins with a whole line.
        first = text[: text.find('\n') + 1] or text[:64]
        at = -1
        for _try in range(_MAX_TRIES):
            at = known.find(first, at + 1)
            if at < 0:
                break
            if text.startswith(known[at:]):
                return text[len(known) - at :]
        return text


def printable(text):
    """A text without what terminals take for orders."""
    return ''.join(c for c in text if c.isprintable() or c in '\t\n')
