# SPDX-License-Identifier: Apache-2.0
"""One command of a test run: its log, its progress, its time limit."""

import os
import signal
import subprocess
import sys
import time

# Seconds between two looks at a running command.
GLANCE = 2
# Seconds between two lines of progress where a line cannot be rewritten.
PLAIN_PERIOD = 60
TAIL_LINES = 60
WIDTH = 78


def is_plain():
    """Whether the output is read later rather than watched."""
    return bool(os.environ.get('CI')) or not sys.stdout.isatty()


def tail(path, lines):
    """The last lines of a file, as text that a terminal can take.

    :param path: the file
    :param lines: how many, at most
    :returns: list of lines without their ends; control characters (guest
        consoles are in these logs) are shown as question marks
    """
    with open(path, 'rb') as log:
        log.seek(max(0, os.path.getsize(path) - lines * 400))
        text = log.read().decode('utf-8', 'replace')
    return [
        ''.join(c if c.isprintable() else '?' for c in line)
        for line in text.splitlines()[-lines:]
    ]


class Progress:
    """Says that a command still runs, and what it printed last."""

    def __init__(self, title):
        self.title = title
        self.plain = is_plain()
        self.started = self.said = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.started

    def look(self, log):
        now = time.monotonic()
        if self.plain and now - self.said < PLAIN_PERIOD:
            return
        self.said = now
        last = [line for line in tail(log, 5) if line.strip()][-1:] or ['']
        line = '    %4d s  %s' % (self.seconds(), last[0].strip())
        if self.plain:
            print(line[:WIDTH], flush=True)
        else:
            print('\r\x1b[K' + line[:WIDTH], end='', flush=True)

    def __enter__(self):
        print('==> %s' % self.title, flush=True)
        return self

    def __exit__(self, *exc_info):
        if not self.plain:
            print('\r\x1b[K', end='', flush=True)


def stop(process):
    """End a command and all that it started."""
    for number, grace in ((signal.SIGTERM, 20), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(grace)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def run(title, command, log, cwd, environ, limit):
    """Run a command to its end.

    :param title: what to call it
    :param command: list of arguments
    :param log: file that its output is added to
    :param cwd: directory to run it in
    :param environ: its whole environment
    :param limit: seconds after which it is killed
    :returns: (exit status, seconds); the status is 124, as that of
        timeout(1), if it was killed
    """
    with Progress(title) as progress, open(log, 'ab') as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                if progress.seconds() > limit:
                    stop(process)
                    output.write(b'\nkilled after %d seconds\n' % limit)
                    return 124, progress.seconds()
                progress.look(log)
                try:
                    process.wait(GLANCE)
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            stop(process)
            raise
        return process.returncode, progress.seconds()
