# SPDX-License-Identifier: Apache-2.0

import os
from pathlib import Path
import time

import fixtures

from devstack.onebox.media import cache
from tests.unit import base

OLD = cache.key_of('old')
NEW = cache.key_of('new')


class KeyTest(base.TestCase):
    def test_is_stable_and_short(self):
        self.assertEqual(cache.key_of('a', b'b'), cache.key_of(b'a', 'b'))
        self.assertRegex(cache.key_of('a'), r'\A[0-9a-f]{16}\Z')

    def test_the_borders_of_the_parts_count(self):
        self.assertNotEqual(cache.key_of('ab', 'c'), cache.key_of('a', 'bc'))
        self.assertNotEqual(cache.key_of('ab'), cache.key_of('ab', ''))


class CacheTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = (
            Path(self.useFixture(fixtures.TempDir()).path) / 'made' / 'anew'
        )
        self.cache = cache.Cache(self.directory)
        self.built = []

    def _build(self, target):
        self.built.append(target)
        target.write_text('bytes')

    def _names(self):
        return sorted(
            path.name
            for path in self.directory.iterdir()
            if not path.name.endswith('.lock')
        )

    def test_builds_once(self):
        first = self.cache.product('a.iso', OLD, self._build)
        second = self.cache.product('a.iso', OLD, self._build)
        self.assertEqual(self.directory / f'a-{OLD}.iso', first)
        self.assertEqual(first, second)
        self.assertEqual(1, len(self.built))
        self.assertEqual('bytes', first.read_text())

    def _age(self, path, seconds):
        moment = time.time() - seconds
        os.utime(path, (moment, moment))

    def test_what_is_not_used_any_more_is_removed(self):
        old = self.cache.product('a.iso', OLD, self._build)
        other = self.cache.product('a-b.iso', OLD, self._build)
        for path in (old, other):
            self._age(path, cache.KEEP_SECONDS + 60)
        new = self.cache.product('a.iso', NEW, self._build)
        self.assertEqual(sorted([new.name, other.name]), self._names())

    def test_what_another_checkout_may_use_stays(self):
        old = self.cache.product('a.iso', OLD, self._build)
        self._age(old, cache.KEEP_SECONDS + 60)
        self.cache.product('a.iso', OLD, self._build)
        new = self.cache.product('a.iso', NEW, self._build)
        self.assertEqual(sorted([new.name, old.name]), self._names())

    def test_a_directory_is_a_product_too(self):
        old = self.cache.product('a', OLD, Path.mkdir)
        self._age(old, cache.KEEP_SECONDS + 60)
        new = self.cache.product('a', NEW, Path.mkdir)
        self.assertEqual([new.name], self._names())

    def test_a_failed_build_leaves_nothing(self):
        def fail(target):
            target.write_text('half')
            raise RuntimeError

        self.assertRaises(RuntimeError, self.cache.product, 'a.iso', OLD, fail)
        self.assertEqual([], self._names())
        self.cache.product('a.iso', OLD, self._build)
        self.assertEqual(1, len(self.built))

    def test_what_a_killed_build_left_goes_with_the_next(self):
        left = self.directory / '.a.iso.new-killed'
        left.mkdir(parents=True)
        (left / f'a-{OLD}.iso').write_text('half')
        self.cache.product('a.iso', OLD, self._build)
        self.assertEqual([f'a-{OLD}.iso'], self._names())
