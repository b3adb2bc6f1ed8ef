# SPDX-License-Identifier: Apache-2.0
"""End a test that hangs, as some of Nova's functional ones do."""

import importlib

import fixtures


class GreenTimeout(fixtures.Fixture):
    """Takes the place of fixtures.Timeout where eventlet runs the tests.

    That one raises in a signal handler, which finds eventlet's hub at work
    while a test waits, and the hub goes on: the test would hang for ever.
    """

    def __init__(self, timeout_secs, gentle):
        """As fixtures.Timeout has it.

        :param timeout_secs: seconds that the test may take
        :param gentle: must be true: the process goes on
        """
        super().__init__()
        self.seconds = timeout_secs
        self.timer = None

    def _setUp(self):
        hubs = importlib.import_module('eventlet.hubs')
        self.hub = hubs.get_hub()
        self.test = importlib.import_module('greenlet').getcurrent()
        self._wait()
        self.addCleanup(lambda: self.timer.cancel())

    def _wait(self):
        self.timer = self.hub.schedule_call_global(self.seconds, self._end)

    def _end(self):
        # The test's clean-up may hang as well.
        self._wait()
        self.test.throw(fixtures.TimeoutException())


def end_tests_that_hang():
    """Make the time limit of Nova's tests work; after eventlet's patching.

    Nothing is done where Nova's tests run in threads.
    """
    monkey_patch = importlib.import_module('nova.monkey_patch')
    # Nova 31 and 32 always patch, and have no such question.
    if getattr(monkey_patch, 'is_patched', lambda: True)():
        fixtures.Timeout = GreenTimeout
