# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt
import fixtures

from devstack.onebox import errors
from devstack.onebox import settings
from tests.unit import base


@ddt.ddt
class SettingsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'settings.json'
        )

    def test_without_choices_the_newest_release_and_our_driver(self):
        made = settings.merge(None)
        self.assertEqual('2026.2', made.release)
        self.assertEqual('newos.NewosLibvirtDriver', made.compute_driver)
        self.assertTrue(made.ours)

    def test_what_was_chosen_is_remembered(self):
        chosen = settings.merge(
            None,
            release='2025.1',
            compute_driver='libvirt.LibvirtDriver',
            port_base=20000,
            overrides=['libvirt.images_type=raw'],
        )
        self.path.write_text(settings.dump(chosen))

        remembered = settings.load(self.path)

        self.assertEqual(chosen, settings.merge(remembered))
        self.assertFalse(remembered.ours)

    def test_overrides_add_up_and_an_empty_value_forgets(self):
        first = settings.merge(None, overrides=['a.x=1', 'a.y=2'])
        second = settings.merge(first, overrides=['a.x=', 'b.z=p=q'])
        self.assertEqual(
            {'a': {'y': '2'}, 'b': {'z': 'p=q'}}, second.grouped_overrides()
        )
        self.assertEqual({'a.x': '1', 'a.y': '2'}, first.overrides)

    def test_a_box_keeps_its_release(self):
        made = settings.merge(None, release='2026.1')
        self.assertEqual(made, settings.merge(made, release='2026.1'))
        with self.assertRaisesRegex(errors.BoxError, 'holds OpenStack 2026.1'):
            settings.merge(made, release='2026.2')

    @ddt.data(
        {'release': '2031.1'},
        {'compute_driver': 'newos'},
        {'compute_driver': 'newos.Driver; rm'},
        {'port_base': 80},
        {'port_base': 65000},
        {'overrides': ['images_type=raw']},
        {'overrides': ['libvirt.images_type']},
        {'overrides': ['libvirt.images_type=raw\n[database]']},
    )
    def test_bad_choices_are_refused(self, choices):
        self.assertRaises(errors.BoxError, settings.merge, None, **choices)

    def test_no_settings_yet(self):
        self.assertIsNone(settings.load(self.path))

    @ddt.data('', '{', '{"colour": "red"}')
    def test_damaged_settings_name_their_file(self, text):
        self.path.write_text(text)
        with self.assertRaisesRegex(errors.BoxError, 'settings.json'):
            settings.load(self.path)
