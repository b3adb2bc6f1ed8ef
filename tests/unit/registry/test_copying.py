# SPDX-License-Identifier: Apache-2.0

import ddt
import fixtures
from keystoneauth1 import exceptions as keystone_exceptions
import requests

from nova_newos.registry import copying
from nova_newos.registry import exception
from nova_newos.registry import families
from tests.unit.registry import base
from tests.unit.registry import cloud as fake_cloud

_DATA = bytes(range(256)) * 10
_CHUNK = 1000


class _Cut(requests.Response):
    """An answer that breaks off."""

    def __init__(self, answer, after):
        super().__init__()
        vars(self).update(vars(answer))
        self._after = after

    def iter_content(self, chunk_size):
        yield self.content[: self._after]
        raise requests.ConnectionError('reset by peer')


@ddt.ddt
class CopyTest(base.RegistryTestCase):
    def setUp(self):
        super().setUp()
        for name, value in (('_CHUNK', _CHUNK), ('_PAUSE', 0)):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'nova_newos.registry.copying.{name}', value
                )
            )
        self.there = fake_cloud.Cloud()
        image = self.glance.add(
            min_disk=3,
            verdict_os='debian13',
            visibility='public',
            os_glance_import_task='x',
        )
        self.glance.fill(image, _DATA)
        self.source = self.publish(
            image['id'], facts={'image_description': 'ours'}
        )
        self.said = []

    def copy(self):
        version = self.look().version(self.source)
        return copying.copy(
            self.cloud, version, self.there, 'there', None, self.said.append
        )

    def downloads(self):
        return [r for r in self.glance.requests if r[1].endswith('/file')]

    def uploads(self):
        return [
            r for r in self.there.glance.requests if r[1].endswith('/file')
        ]

    def assert_copied(self, copy):
        self.assertEqual([copy], self.there.glance.named('there'))
        self.assertEqual([copy], [*self.there.glance.images])
        self.assertEqual(_DATA, self.there.glance.data[copy])

    def test_copied(self):
        copy = self.copy()
        self.assert_copied(copy)
        image = self.there.glance.images[copy]
        expected = {
            'golden_copied_from': self.source,
            'golden_family': 'there',
            'golden_self': copy,
            'image_description': 'ours',
            'min_disk': 3,
            'verdict_os': 'debian13',
            'visibility': 'private',
        }
        self.assertEqual(expected, {name: image[name] for name in expected})
        self.assertNotIn('os_glance_import_task', image)
        self.assertEqual([1000, 2000, 2560], self.said)

    def test_signature_stays_true(self):
        """It is about an id."""
        self.assertEqual(self.source, self.copy())

    def test_id_is_taken(self):
        self.there.glance.add(id=self.source, os_hidden=True)
        copy = self.copy()
        self.assertNotEqual(self.source, copy)
        self.assertEqual([copy], self.there.glance.named('there'))

    def test_again(self):
        copy = self.copy()
        self.assertEqual(copy, self.copy())
        self.assert_copied(copy)
        self.assertEqual((1, 1), (len(self.downloads()), len(self.uploads())))

    def test_next_version(self):
        first = self.copy()
        image = self.glance.add()
        self.glance.fill(image, _DATA)
        self.source = self.publish(image['id'])
        second = self.copy()
        self.assertEqual([second], self.there.glance.named('there'))
        self.assertTrue(self.there.glance.images[first]['os_hidden'])

    @ddt.data(0, 1, 1000, 2559)
    def test_download_is_cut(self, after):
        """Each byte comes once."""
        get, cuts = self.glance.get, iter([after])

        def cut(path, **options):
            answer = get(path, **options)
            if options.get('stream'):
                after = next(cuts, None)
                if after is not None:
                    return _Cut(answer, after)
            return answer

        self.glance.get = cut
        self.assert_copied(self.copy())
        self.assertEqual((2, 1), (len(self.downloads()), len(self.uploads())))

    def test_download_does_not_go_on(self):
        get = self.glance.get

        def cut(path, **options):
            answer = get(path, **options)
            return _Cut(answer, 0) if options.get('stream') else answer

        self.glance.get = cut
        with self.assertRaisesRegex(exception.CopyCut, 'byte 0 .*reset'):
            self.copy()
        self.assertEqual([], self.there.glance.named('there'))
        self.glance.get = get
        self.assert_copied(self.copy())

    def test_source_is_away_for_a_while(self):
        """Between the parts of a download."""
        get, answers = self.glance.get, iter(['cut', 'away', 'away'])

        def cut(path, **options):
            if not options.get('stream'):
                return get(path, **options)
            answer = next(answers, None)
            if answer == 'away':
                raise keystone_exceptions.ConnectFailure('refused')
            part = get(path, **options)
            return _Cut(part, 100) if answer == 'cut' else part

        self.glance.get = cut
        self.assert_copied(self.copy())
        self.assertEqual(2, len(self.downloads()))

    def test_no_ranges(self):
        get = self.glance.get

        def cut(path, headers=None, **options):
            answer = get(path, **options)
            return _Cut(answer, 10) if options.get('stream') else answer

        self.glance.get = cut
        with self.assertRaisesRegex(exception.CopyCut, 'no part'):
            self.copy()

    def test_damaged_on_the_way(self):
        self.glance.data[self.source] = _DATA[::-1]
        with self.assertRaisesRegex(exception.CopyCut, 'digest'):
            self.copy()
        self.assertEqual([], self.there.glance.named('there'))

    def test_damaged_there(self):
        self.there.glance.on_request = lambda method, path: (
            [
                image.update(os_hash_value='other')
                for image in self.there.glance.images.values()
            ]
            if method == 'GET'
            else None
        )
        with self.assertRaises(exception.CopyDamaged):
            self.copy()
        self.assertEqual({}, self.there.glance.images)

    def test_other_algorithm(self):
        def change(method, path):
            for image in self.there.glance.images.values():
                image['os_hash_algo'] = 'sha256'

        self.there.glance.on_request = change
        with self.assertRaisesRegex(exception.CopyUnverifiable, 'sha256'):
            self.copy()

    def test_name_is_taken(self):
        stranger = self.there.glance.add(name='there')
        with self.assertRaisesRegex(exception.NameTaken, stranger['id']):
            self.copy()
        self.assertEqual([stranger['id']], [*self.there.glance.images])
        self.assertEqual([], self.downloads())

    def test_no_digest(self):
        self.glance.images[self.source]['os_hash_algo'] = None
        with self.assertRaises(exception.CopyUnverifiable):
            self.copy()
        self.assertEqual({}, self.there.glance.images)

    def test_another_client_is_uploading(self):
        copy = self.copy()
        self.there.glance.images[copy]['status'] = 'saving'
        with self.assertRaisesRegex(exception.CopyBusy, 'saving'):
            self.copy()

    @ddt.data('queued', 'deactivated')
    def test_source_is_not_ready(self, status):
        self.glance.images[self.source]['status'] = status
        with self.assertRaises(exception.ImageNotReady):
            self.copy()

    def test_source_is_revoked(self):
        self.glance.images[self.source]['golden_revoked'] = 'why'
        with self.assertRaises(exception.ImageRevoked):
            self.copy()

    @ddt.data(True, False)
    def test_killed(self, before):
        """At any request to the other cloud: the next call ends it."""
        for number in range(30):
            self.there.glance.images.clear()
            self.there.glance.requests.clear()
            self.there.glance.kill_at = number
            self.there.glance.kill_before = before
            try:
                self.copy()
            except fake_cloud.Killed:
                self.there.glance.kill_at = None
                self.assert_copied(self.copy())
                found = families.look(self.there, 'there', fake_cloud.PROJECT)
                self.assertEqual(1, len(found.versions))
            else:
                break
        self.assertGreater(number, 8)
