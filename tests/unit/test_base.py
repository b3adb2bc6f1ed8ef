# SPDX-License-Identifier: Apache-2.0

import os
import socket
import subprocess
import sys
import unittest

import ddt
from oslo_concurrency import processutils

from tests.unit import base

ATTEMPTS = {
    'popen': lambda: subprocess.Popen([sys.executable, '--version']),
    'run': lambda: subprocess.run([sys.executable, '--version']),
    'processutils': lambda: processutils.execute(sys.executable, '--version'),
    'system': lambda: os.system('true'),
    'fork': os.fork,
    'socket': socket.socket,
    'connection': lambda: socket.create_connection(('127.0.0.1', 1)),
    'lookup': lambda: socket.gethostbyname('localhost'),
}


def _swallow(attempt):
    try:
        attempt()
    except Exception:
        pass


@ddt.ddt
class IsolationTest(base.TestCase):
    def setUp(self):
        super().setUp()
        # The attempts below are the test, not its fault.
        self.addCleanup(base._guard.seen.clear)

    @ddt.data(*ATTEMPTS)
    def test_attempt_is_refused(self, name):
        self.assertRaises(base.ForbiddenInUnitTests, ATTEMPTS[name])

    def test_swallowed_refusal_fails_the_test(self):
        class Swallowing(base.TestCase):
            def test_it(self):
                _swallow(ATTEMPTS['run'])

        result = unittest.TestResult()
        Swallowing('test_it').run(result)
        self.assertEqual(1, len(result.failures))
        self.assertIn('subprocess.Popen', result.failures[0][1])

    def test_quiet_test_passes(self):
        class Quiet(base.TestCase):
            def test_it(self):
                pass

        result = unittest.TestResult()
        Quiet('test_it').run(result)
        self.assertTrue(result.wasSuccessful())
