# SPDX-License-Identifier: Apache-2.0

import sys

import ddt

from nova_newos import exception
from nova_newos import media
from nova_newos.media import answers
from nova_newos.media import base as media_base
from nova_newos.media import virtio
from tests.unit import base
from tests.unit import plugins
from tests.unit.media import samples

SAMPLES = 'tests.unit.media.samples:'


class MediaTestCase(base.TestCase):
    def provide(self, *entry_points):
        """See plugins.Provided."""
        self.useFixture(plugins.Provided(media.NAMESPACE, entry_points))

    def load(self, *names):
        return media.Media(plugins.make_conf(media=list(names)))

    def assert_refused(self, *names):
        with self.assertRaises(exception.MediumLoadError) as caught:
            self.load(*names)
        error = caught.exception
        self.assertIn(error.name, names)
        for part in (error.name, '[newos] media', media.NAMESPACE):
            self.assertIn(part, str(error))
        self.assertIn(error.entry_point, str(error))
        return error


@ddt.ddt
class LoadTest(MediaTestCase):
    def test_in_the_order_of_the_option(self):
        self.provide(
            ('good', SAMPLES + 'Good'),
            ('a' * 16, SAMPLES + 'Longest'),
        )
        loaded = self.load('a' * 16, 'good')
        self.assertEqual(
            ['a' * 16, 'good'], [medium.name for medium in loaded.enabled]
        )

    def test_none_enabled(self):
        self.provide(('good', SAMPLES + 'Good'))
        self.assertEqual([], self.load().enabled)

    def test_medium_gets_the_configuration(self):
        self.provide(('good', SAMPLES + 'Good'))
        config = plugins.make_conf(media=['good'])
        self.assertIs(config, media.Media(config).enabled[0].conf)

    def test_default_is_installed(self):
        """The entry points of this distribution lead to its classes."""
        self.assertEqual(
            [virtio.VirtioMedium, answers.AnswersMedium],
            [
                type(medium)
                for medium in media.Media(plugins.make_conf()).enabled
            ],
        )

    def test_by_name_though_not_enabled(self):
        """Servers keep media that are no longer offered."""
        self.provide(('good', SAMPLES + 'Good'))
        loaded = self.load()
        medium = loaded.get('good')
        self.assertIsInstance(medium, samples.Good)
        self.assertIs(medium, loaded.get('good'))
        self.assertEqual([], loaded.enabled)

    def test_only_what_is_named_is_imported(self):
        self.provide(
            ('good', SAMPLES + 'Good'), ('other', 'tests.unit.media.broken')
        )
        loaded = self.load('good')
        self.assertNotIn('tests.unit.media.broken', sys.modules)
        with self.assertRaises(exception.MediumLoadError):
            loaded.get('other')

    def test_missing(self):
        self.provide(('good', SAMPLES + 'Good'))
        error = self.assert_refused('good', 'floppy')
        self.assertEqual('floppy', error.name)
        self.assertIn('no installed package provides it', error.reason)

    def test_get_missing(self):
        self.provide()
        loaded = self.load()
        with self.assertRaises(exception.MediumLoadError):
            loaded.get('gone')

    @ddt.data(
        ('good', 'tests.unit.media.gone:Good', 'ModuleNotFoundError'),
        ('good', 'tests.unit.media.broken:Good', 'ZeroDivisionError'),
        ('good', SAMPLES + 'Gone', 'AttributeError'),
        ('good', SAMPLES + 'samples', 'AttributeError'),
        ('failing', SAMPLES + 'Failing', 'RuntimeError: no licence'),
        ('asserting', SAMPLES + 'Asserting', 'AssertionError: not on this'),
        ('incomplete', SAMPLES + 'Incomplete', 'TypeError'),
    )
    @ddt.unpack
    def test_broken(self, name, value, reason):
        self.provide((name, value))
        error = self.assert_refused(name)
        self.assertIn(reason, error.reason)
        self.assertIsNotNone(error.__cause__)

    def test_entry_point_is_named(self):
        self.provide(('failing', SAMPLES + 'Failing'))
        self.assertEqual(
            SAMPLES + 'Failing', self.assert_refused('failing').entry_point
        )

    @ddt.data(
        ('no-medium', 'NoMedium', 'not a nova_newos.media.base.Medium'),
        ('other', 'Good', 'name'),
        ('nameless', 'Nameless', 'name'),
        ('Good', 'Upper', 'malformed'),
        ('config', 'Config', 'taken'),
        ('eph0', 'Ephemeral', 'taken'),
        ('newos', 'Newos', 'taken'),
        ('info', 'Info', 'taken'),
        ('a.b', 'Dotted', 'malformed'),
        ('../disk', 'Slash', 'malformed'),
        ('1st', 'Digit', 'malformed'),
        ('a' * 17, 'Long', 'malformed'),
    )
    @ddt.unpack
    def test_unusable(self, name, class_name, reason):
        self.provide((name, SAMPLES + class_name))
        error = self.assert_refused(name)
        self.assertIn(reason, error.reason)
        self.assertEqual(SAMPLES + class_name, error.entry_point)

    def test_provided_twice(self):
        self.provide(
            ('good', SAMPLES + 'Good'), ('good', SAMPLES + 'NoMedium')
        )
        error = self.assert_refused('good')
        self.assertIn(SAMPLES + 'Good', error.entry_point)
        self.assertIn(SAMPLES + 'NoMedium', error.entry_point)
        self.assertIn('remove all but one', error.reason)

    def test_listed_twice(self):
        self.provide(('good', SAMPLES + 'Good'))
        self.assertIn('twice', self.assert_refused('good', 'good').reason)

    def test_first_problem_of_many_is_enough(self):
        self.provide(
            ('good', SAMPLES + 'Good'), ('failing', SAMPLES + 'Failing')
        )
        self.assertEqual(
            'failing', self.assert_refused('good', 'failing', 'gone').name
        )


@ddt.ddt
class ContractTest(base.TestCase):
    """The abstract base class is a contract for third parties."""

    @ddt.data('reference', 'contents')
    def test_all_methods_are_needed(self, name):
        incomplete = type(
            'Incomplete',
            (media_base.Medium,),
            {
                other: getattr(samples.Good, other)
                for other in ('reference', 'contents')
                if other != name
            },
        )
        with self.assertRaisesRegex(TypeError, name):
            incomplete(None)

    def test_complete(self):
        self.assertEqual('conf', samples.Good('conf').conf)

    def test_server_is_plain_and_frozen(self):
        server = media_base.Server('u', 'p', 'i', {})
        self.assertIsNone(server.user_data)
        with self.assertRaises(AttributeError):
            server.project_id = 'other'
