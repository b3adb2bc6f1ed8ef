# SPDX-License-Identifier: Apache-2.0

import pathlib

import fixtures

from devstack.onebox import pythonenv
from devstack.onebox import settings
from tests.unit import base


class SourceDigestTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.write('setup.cfg', 'name = x')
        self.write('nova_newos/virt/driver.py', 'pass')

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def digest(self):
        return pythonenv.source_digest(self.top)

    def test_what_is_built_counts(self):
        seen = {self.digest()}
        self.write('nova_newos/virt/driver.py', 'raise')
        seen.add(self.digest())
        self.write('nova_newos/virt/more.py', '')
        seen.add(self.digest())
        self.write('setup.cfg', 'name = y')
        seen.add(self.digest())
        self.assertEqual(4, len(seen))

    def test_what_is_not_built_does_not(self):
        before = self.digest()
        for name in (
            'tests/unit/test_x.py',
            '.git/HEAD',
            'doc/index.rst',
            'devstack/onebox/up.py',
            'x.egg-info/PKG-INFO',
            'nova_newos/__pycache__/driver.pyc',
        ):
            self.write(name, 'x')
        self.assertEqual(before, self.digest())

    def test_moving_a_file_counts(self):
        before = self.digest()
        (self.top / 'nova_newos/virt/driver.py').rename(
            self.top / 'nova_newos/driver.py'
        )
        self.assertNotEqual(before, self.digest())


class ConstraintsTestCase(base.TestCase):
    def test_every_release_pins_all_that_is_asked_for(self):
        for release in settings.RELEASES:
            made = settings.merge(None, release=release)
            pinned = {
                line.split('==')[0].lower()
                for line in pythonenv.constraints(made).read_text().split('\n')
            }
            for name in pythonenv.REQUIREMENTS:
                self.assertIn(name.lower(), pinned, release)
