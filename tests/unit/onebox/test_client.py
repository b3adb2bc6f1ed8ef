# SPDX-License-Identifier: Apache-2.0

import pathlib
import subprocess

import fixtures

from devstack.onebox import client
from devstack.onebox import settings
from devstack.onebox import state
from devstack.onebox.errors import BoxError
from tests.unit import base


class Settings:
    """Stands for 'box up': remembers what it is told."""

    def __init__(self, state):
        self.state = state
        self.loads = None
        self.current = settings.Settings(
            compute_driver='libvirt.LibvirtDriver',
            overrides={'libvirt.images_type': 'raw'},
        )
        self.write()

    def write(self):
        self.state.settings.write_text(settings.dump(self.current))

    def run(self, command, **_options):
        _box, verb, _state, _root, *options = map(str, command)
        if verb == 'up':
            self.current = settings.merge(
                self.current,
                compute_driver=options[1],
                overrides=[o.removeprefix('--set=') for o in options[2:]],
            )
            self.write()
            driver = self.loads or self.current.compute_driver
            log = self.state.logs / 'nova-compute.log'
            with open(log, 'a') as stream:
                stream.write(f"INFO Loading compute driver '{driver}'\n")
        return subprocess.CompletedProcess(command, 0, '', '')


class BoxTest(base.TestCase):
    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / 'box'
        (root / 'logs').mkdir(parents=True)
        made = state.State(root)
        self.fake = Settings(made)
        for target, new in (
            ('os.geteuid', lambda: 0),
            ('subprocess.run', self.fake.run),
        ):
            self.useFixture(fixtures.MonkeyPatch(target, new))
        self.box = client.Box(root)
        self.box.check_up()

    def test_use(self):
        self.box.use(client.OURS, **{'a.b': 'c', 'libvirt.images_type': ''})
        self.assertEqual(client.OURS, self.fake.current.compute_driver)
        self.assertEqual({'a.b': 'c'}, self.fake.current.overrides)

    def test_another_driver_was_loaded(self):
        self.fake.loads = client.STOCK
        with self.assertRaisesRegex(BoxError, client.STOCK):
            self.box.use(client.OURS)

    def test_settings_kept(self):
        before = self.fake.current
        with self.box.settings_kept():
            self.box.use(
                client.OURS, **{'a.b': 'c', 'libvirt.images_type': ''}
            )
            self.assertNotEqual(before, self.fake.current)
        self.assertEqual(before, self.fake.current)

    def test_settings_kept_after_an_error(self):
        before = self.fake.current
        with (
            self.assertRaises(ZeroDivisionError),
            self.box.settings_kept(),
        ):
            self.box.use(client.OURS)
            raise ZeroDivisionError
        self.assertEqual(before, self.fake.current)
