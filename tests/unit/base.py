# SPDX-License-Identifier: Apache-2.0

"""What all unit tests stand on: no processes, no sockets."""

import sys

import fixtures

#: Audit events (see "Audit events table" of the Python documentation) by
#: which a process is started or the network is reached, whatever library
#: does it.
FORBIDDEN = frozenset(
    (
        'os.exec',
        'os.fork',
        'os.forkpty',
        'os.posix_spawn',
        'os.spawn',
        'os.system',
        'socket.__new__',
        'socket.bind',
        'socket.connect',
        'socket.getaddrinfo',
        'socket.gethostbyaddr',
        'socket.gethostbyname',
        'socket.sendmsg',
        'socket.sendto',
        'subprocess.Popen',
    )
)


class ForbiddenInUnitTests(Exception):
    """A unit test started a process or opened a socket."""


class _Guard:
    """The one audit hook of the process: hooks cannot be removed again."""

    def __init__(self):
        self.armed = False
        self.seen = []
        self._installed = False

    def install(self):
        if not self._installed:
            sys.addaudithook(self._audit)
            self._installed = True

    def _audit(self, event, arguments):
        if self.armed and event in FORBIDDEN:
            self.seen.append(f'{event}{arguments!r}')
            raise ForbiddenInUnitTests(self.seen[-1])


_guard = _Guard()


class TestCase(fixtures.TestWithFixtures):
    """Fails a test that starts a process or opens a socket.

    It fails also when the code under test swallows the refusal.
    """

    def setUp(self):
        super().setUp()
        _guard.install()
        _guard.seen.clear()
        # First clean-up registered is the last to run: other clean-ups are
        # watched as well.
        self.addCleanup(self._check_nothing_was_attempted)
        _guard.armed = True

    def _check_nothing_was_attempted(self):
        _guard.armed = False
        self.assertEqual(
            [],
            _guard.seen,
            'a unit test may neither start a '
            'process nor open a socket: write a functional test',
        )
