# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import fixtures

from devstack.onebox.media import cache
from tests.unit import base


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
        self.directory = Path(
            self.useFixture(fixtures.TempDir()).path) / 'made' / 'anew'
        self.cache = cache.Cache(self.directory)
        self.built = []

    def _build(self, target):
        self.built.append(target)
        target.write_text('bytes')

    def _names(self):
        return sorted(path.name for path in self.directory.iterdir()
                      if not path.name.endswith('.lock'))

    def test_builds_once(self):
        first = self.cache.product('a.iso', 'k1', self._build)
        second = self.cache.product('a.iso', 'k1', self._build)
        self.assertEqual(self.directory / 'a-k1.iso', first)
        self.assertEqual(first, second)
        self.assertEqual(1, len(self.built))
        self.assertEqual('bytes', first.read_text())

    def test_another_recipe_takes_the_place_of_the_older(self):
        self.cache.product('a.iso', 'k1', self._build)
        self.cache.product('ab.iso', 'k1', self._build)
        self.cache.product('a.iso', 'k2', self._build)
        self.assertEqual(['a-k2.iso', 'ab-k1.iso'], self._names())

    def test_a_directory_is_a_product_too(self):
        self.cache.product('a', 'k1', Path.mkdir)
        self.cache.product('a', 'k2', Path.mkdir)
        self.assertEqual(['a-k2'], self._names())

    def test_a_failed_build_leaves_nothing(self):
        def fail(target):
            target.write_text('half')
            raise RuntimeError

        self.assertRaises(
            RuntimeError, self.cache.product, 'a.iso', 'k1', fail)
        self.assertEqual([], self._names())
        self.cache.product('a.iso', 'k1', self._build)
        self.assertEqual(1, len(self.built))

    def test_what_a_killed_build_left_goes_with_the_next(self):
        left = self.directory / '.a.iso.new-killed'
        left.mkdir(parents=True)
        (left / 'a-k1.iso').write_text('half')
        self.cache.product('a.iso', 'k1', self._build)
        self.assertEqual(['a-k1.iso'], self._names())
