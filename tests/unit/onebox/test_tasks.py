# SPDX-License-Identifier: Apache-2.0

import os
import threading
from unittest import mock

from devstack.onebox import tasks
from tests.unit import base


class DoAllTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.done = []
        self.given_up = []

    def task(self, name, *needs):
        return lambda: self.done.append(name), needs

    def do_all(self, **listed):
        tasks.do_all(listed, lambda: self.given_up.append(True))

    def test_each_after_what_it_needs(self):
        self.do_all(
            roof=self.task('roof', 'walls', 'stairs'),
            stairs=self.task('stairs', 'floor'),
            walls=self.task('walls', 'floor'),
            floor=self.task('floor'),
        )
        self.assertEqual('floor', self.done[0])
        self.assertEqual({'walls', 'stairs'}, {*self.done[1:3]})
        self.assertEqual('roof', self.done[3])
        self.assertEqual([], self.given_up)

    def test_at_the_same_time(self):
        met = threading.Barrier(2, timeout=60)
        self.do_all(one=(met.wait, ()), other=(met.wait, ()))

    def test_the_first_error_ends_it(self):
        def fail():
            raise ValueError('of this one')

        with self.assertRaisesRegex(ValueError, 'of this one'):
            self.do_all(
                bad=(fail, ()),
                never=self.task('never', 'bad'),
            )
        self.assertEqual([True], self.given_up)
        self.assertEqual([], self.done)

    def test_what_has_not_begun_is_not_done(self):
        def fail():
            raise ValueError('of this one')

        wait = threading.Event()
        waiting = (lambda: wait.wait(60) and self.done.append('late'), ())
        self.given_up = mock.Mock(append=lambda _: wait.set())
        with self.assertRaises(ValueError):
            self.do_all(
                bad=(fail, ()),
                **{f'waiting{n}': waiting for n in range(os.cpu_count() + 9)},
            )
        self.assertLessEqual(len(self.done), os.cpu_count() + 1)
