# SPDX-License-Identifier: Apache-2.0
"""Reads a server's console log as a stream of lines."""

import re

# What a terminal would obey. A guest is hostile: its console must not move
# the cursor, change the title or do worse in the terminal of who watches.
_SEQUENCE = re.compile(r'\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*|.?)')
# Nova drops the escape character alone; this much of GRUB's clearing of the
# screen is then left.
_REMAINS = re.compile(r'\[(?:\d+;\d+)?[HJ]')
_CONTROL = re.compile(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]')
# Nova gives the last 100 KiB; as much as this surely tells two places apart.
_ANCHOR = 400


def plain(text):
    """Return the text without anything that a terminal would obey."""
    for unwanted in (_SEQUENCE, _REMAINS, _CONTROL):
        text = unwanted.sub('', text)
    return text


class Console:
    """Finds what is new in a console log that is read again and again."""

    def __init__(self):
        self.lines = []
        self._seen = ''
        self._rest = ''

    def feed(self, log):
        """Take the log as Nova gives it now.

        :param log: str; it may have lost its beginning since the last time.
        :returns: the lines that are new and whole, as plain text.
        """
        text = self._rest + self._unseen(log)
        self._seen = log
        *whole, self._rest = text.split('\n')
        new = [line for line in map(plain, whole) if line.strip()]
        self.lines += new
        return new

    def _unseen(self, log):
        if log.startswith(self._seen):
            return log[len(self._seen) :]
        anchor = self._seen[-_ANCHOR:]
        before, found, after = log.rpartition(anchor)
        return after if found else log

    @property
    def unfinished(self):
        """The last line, which has no end yet; a prompt has none."""
        return plain(self._rest)

    def tail(self, count=20):
        """Return the last lines, the unfinished one included."""
        lines = [*self.lines, self.unfinished]
        return [line for line in lines if line.strip()][-count:]

    def search(self, pattern):
        """Return the first line that the pattern is found in, or None."""
        for line in (*self.lines, self.unfinished):
            if re.search(pattern, line):
                return line
        return None
