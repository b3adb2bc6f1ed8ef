# SPDX-License-Identifier: Apache-2.0
"""What others have written, as a terminal may have it."""

from cliff import columns


def printable(text):
    """Without characters that would steer the terminal, escaped instead."""
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode()
        for c in str(text)
    )


class Text(columns.FormattableColumn):
    """Names, reasons and the like: programs get them as they are."""

    def human_readable(self):
        """For a table."""
        return printable(self._value)
