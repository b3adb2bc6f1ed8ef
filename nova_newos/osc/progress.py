# SPDX-License-Identifier: Apache-2.0
"""What a person reads who waits for a build: lines, or one that lives."""

import sys
import time

from nova_newos import terminal
from nova_newos.build import engine
from nova_newos.build import estimate
from nova_newos.osc import base

#: Seconds between two lines that say the same.
_REPEAT = 60

# Seconds between two changes of the line; a file is read in small blocks.
_REFRESH = 0.2

# Columns that rich's spinner takes.
_SPINNER = 3

_MIB = 2**20


def of(cloud):
    """What suits standard error: a terminal, or a log.

    :param cloud: an ``openstack.connection.Connection``
    """
    if sys.stderr.isatty():
        try:
            from rich import console
        except ImportError:
            return Lines(cloud)
        return Live(cloud, console.Console(stderr=True))
    return Lines(cloud)


class Lines:
    """Each step once, and then each minute, in lines that are only added.

    :param cloud: an ``openstack.connection.Connection``
    """

    # Whether a step that lasts is said again.
    _repeats = True

    def __init__(self, cloud):
        self._outlook = estimate.Outlook(cloud)
        self._step, self._said = None, 0
        self._console, self._changed = (), time.monotonic()

    def __enter__(self):
        """Begin."""
        return self

    def __exit__(self, *_error):
        """End."""

    def say(self, line):
        """Say something that is no step."""
        base.say(line)

    def show(self, status):
        """Say where the build stands, if that is news."""
        now = time.monotonic()
        if status.console != self._console:
            self._console, self._changed = status.console, now
        step = (status.phase, status.detail)
        is_news = step != self._step
        if not is_news and (not self._repeats or now - self._said < _REPEAT):
            return
        self._step, self._said = step, now
        parts = [status.detail, *self._stall(now)]
        if not is_news:
            parts += self._figures(status)
        self.say(
            f'[{status.seconds or 0:6.0f} s] {status.phase.value}: '
            + '; '.join(parts)
        )

    def uploading(self, file, done):
        """Say how far the upload of an ISO is.

        :param file: an :class:`~nova_newos.build.iso_file.IsoFile`
        :param done: bytes that were read
        """
        now = time.monotonic()
        if now - self._said >= _REPEAT or not self._said:
            self._said = now
            self.say(_upload_line(file, done))

    def _figures(self, status):
        """What is known of the way that is left, and was gone."""
        written = self._outlook.written(status)
        if written:
            yield f'{written // _MIB} MiB written to the disk'
        left = self._outlook.left(status)
        if left is not None:
            yield f'about {left} s left, by the last build of that name'

    def _stall(self, now):
        """What the console has shown for a while, and nothing else."""
        minutes = int((now - self._changed) / 60)
        last = next((line for line in self._console[::-1] if line.strip()), '')
        if minutes and last:
            yield (f'the console has shown {last.strip()!r} for {minutes} min')


class Live(Lines):
    """Each step once, and below a line that changes while one waits.

    :param console: a ``rich.console.Console``
    """

    _repeats = False

    def __init__(self, cloud, console):
        super().__init__(cloud)
        self._terminal = console
        self._line = console.status('')

    def __enter__(self):
        """Begin."""
        self._line.start()
        return self

    def __exit__(self, *_error):
        """Take the line away."""
        self._line.stop()

    def say(self, line):
        """Say something above the line."""
        self._terminal.print(
            terminal.printable(line),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def show(self, status):
        """Say it, and change the line."""
        super().show(status)
        now = time.monotonic()
        parts = [
            f'{status.phase.value}, {status.phase_seconds or 0} s',
            *self._figures(status),
            *(list(self._stall(now)) or self._last_line()),
        ]
        self._change('; '.join(parts))

    def uploading(self, file, done):
        """Change the line."""
        now = time.monotonic()
        if now - self._said >= _REFRESH:
            self._said = now
            self._change(_upload_line(file, done))

    def _change(self, line):
        from rich import text

        # One line, beside what turns at its beginning.
        room = self._terminal.width - _SPINNER
        self._line.update(text.Text(terminal.printable(line)[:room]))

    def _last_line(self):
        return [line for line in self._console if line.strip()][-1:]


def _upload_line(file, done):
    share = 100 * done // file.size if file.size else 100
    return (
        f'{engine.Phase.UPLOAD.value}: {file.name}, {done // _MIB} of '
        f'{file.size // _MIB} MiB, {share} %'
    )
