# SPDX-License-Identifier: Apache-2.0

import ddt
from openstack import exceptions

from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import publishing
from nova_newos.registry import words
from tests.unit.registry import base
from tests.unit.registry import cloud as fake_cloud

_TOMORROW_NEVER = '9999-12-31'


@ddt.ddt
class PublishTest(base.RegistryTestCase):
    def test_snapshot_without_the_id_of_its_image(self):
        """What is left of what Nova has copied is not about it either."""
        image = self.glance.add(golden_family='other', golden_revoked='bad')
        self.publish(image['id'])
        self.assertNotIn('golden_revoked', self.glance.images[image['id']])

    def test_first(self):
        image = self.publish(self.image(os_hidden=True))
        self.assert_current(image)
        said = self.glance.images[image]
        self.assertEqual(image, said['golden_self'])
        self.assertEqual([words.TAG], said['tags'])

    def test_second(self):
        first, second = self.publish(), self.publish()
        self.assert_current(second)
        former = self.glance.images[first]
        self.assertEqual('debian (20260101)', former['name'])
        self.assertTrue(former['os_hidden'])

    def test_twice(self):
        """A build's client that comes back takes nothing away."""
        first, second = self.publish(), self.publish()
        self.publish(first)
        self.assert_current(second)

    @ddt.data(True, False)
    def test_killed(self, before):
        """At each request: one or two are visible, and a retry ends it."""
        for number in range(20):
            self.glance.images.clear()
            self.glance.kill_at = None
            first, second = self.publish(), self.image(os_hidden=True)
            self.glance.requests.clear()
            self.glance.kill_at = number
            self.glance.kill_before = before
            try:
                self.publish(second)
            except fake_cloud.Killed:
                named = self.glance.named(base.FAMILY)
                self.assertIn(named, ([first], [first, second], [second]))
                self.glance.kill_at = None
                self.publish(second)
                self.assert_current(second)
            else:
                break
        self.assertGreater(number, 5)

    @ddt.data(True, False)
    def test_killed_and_the_next_is_another(self, before):
        for number in range(20):
            self.glance.images.clear()
            self.glance.kill_at = None
            self.publish()
            second = self.image()
            self.glance.requests.clear()
            self.glance.kill_at = number
            self.glance.kill_before = before
            try:
                self.publish(second)
            except fake_cloud.Killed:
                self.glance.kill_at = None
                self.assert_current(self.publish())
            else:
                break

    def test_two_at_once(self):
        """Whenever the other one comes: one wins, and none is lost."""
        for number in range(20):
            self.glance.images.clear()
            self.publish()
            mine, other = self.image(), self.image()
            self.glance.requests.clear()

            def meanwhile(_method, _path, number=number, other=other):
                if len(self.glance.requests) == number:
                    self.glance.on_request = lambda *_args: None
                    self.publish(other)

            self.glance.on_request = meanwhile
            self.publish(mine)
            over = len(self.glance.requests) <= number
            self.glance.on_request = lambda *_args: None
            named = self.glance.named(base.FAMILY)
            self.assertEqual(1, len(named))
            self.assertIn(named[0], (mine, other))
            if not over:
                self.assertEqual(3, len(self.look().versions))
            else:
                break
        self.assertGreater(number, 5)

    def test_clock_is_behind(self):
        """What is published last is current, whatever the clients' clocks."""
        first = self.publish()
        self.glance.images[first][words.PUBLISHED] = (
            '2999-01-01T00:00:00.000000Z'
        )
        self.assert_current(self.publish())

    @ddt.data('never', '9999-12-31T23:59:59.999999Z', '', '２０２６')
    def test_edited_time(self, text):
        first = self.publish()
        self.glance.images[first][words.PUBLISHED] = text
        self.publish()
        self.assertEqual(1, len(self.glance.named(base.FAMILY)))

    def test_renamed(self):
        """By its owner, until the next call."""
        image = self.publish()
        self.glance.images[image]['name'] = 'other'
        self.publish(image)
        self.assert_current(image)

    def test_other_case(self):
        """Glance's database takes them for the same."""
        image = self.publish()
        other = self.image()
        publishing.publish(self.cloud, other, 'Debian')
        self.assert_current(image)
        self.assertEqual([other], self.glance.named('Debian'))

    def test_other_project(self):
        image = self.publish()
        other = self.image(owner='other')
        self.publish(other)
        self.assertEqual({image, other}, {*self.glance.named(base.FAMILY)})

    def test_snapshot(self):
        """Of a server that was made from a version: it inherits all of it."""
        image = self.publish()
        inherited = {
            name: value
            for name, value in self.glance.images[image].items()
            if name.startswith(('golden_', 'image_'))
        }
        snapshot = self.image(
            **inherited,
            tags=[words.TAG],
            golden_revoked='why',
            golden_copied_from='elsewhere',
        )
        self.assert_current(image)
        self.publish(snapshot)
        self.assert_current(snapshot)
        said = self.glance.images[snapshot]
        self.assertEqual(
            set(), {'golden_revoked', 'golden_copied_from'} & said.keys()
        )

    def test_name_is_taken(self):
        stranger = self.image(name=base.FAMILY)
        image = self.image()
        with self.assertRaisesRegex(exception.NameTaken, stranger):
            self.publish(image)
        with self.assertRaisesRegex(exception.NameTaken, stranger):
            publishing.check(self.cloud, base.FAMILY)
        self.assertEqual('image', self.glance.images[image]['name'])
        self.publish(stranger)
        publishing.check(self.cloud, base.FAMILY)
        self.assert_current(self.publish(image))

    @ddt.data(
        '', 'x' * 245, ' debian', 'a:b', 'a/b', 'a\nb', '\x1b[31m', 'a\u202e'
    )
    def test_name(self, name):
        image = self.image()
        with self.assertRaises(exception.FamilyNameInvalid):
            publishing.publish(self.cloud, image, name)
        self.assertEqual([], self.glance.requests)

    def test_longest_name(self):
        name = 'x' * 244
        for _time in range(2):
            publishing.publish(self.cloud, self.image(), name)
        self.assertEqual(
            {244, 255},
            {len(image['name']) for image in self.glance.images.values()},
        )

    @ddt.data('queued', 'deactivated')
    def test_not_active(self, status):
        image = self.image(status=status)
        with self.assertRaisesRegex(exception.ImageNotReady, status):
            self.publish(image)

    def test_of_another_family(self):
        image = self.image()
        publishing.publish(self.cloud, image, 'other')
        with self.assertRaisesRegex(exception.ImageOfOtherFamily, 'other'):
            self.publish(image)

    def test_revoked(self):
        image = self.image()
        self.glance.images[image] |= {
            'golden_revoked': 'why',
            'golden_self': image,
        }
        with self.assertRaisesRegex(exception.ImageRevoked, 'why'):
            self.publish(image)

    def test_visibility_is_kept(self):
        """Else others would be without the family."""
        self.publish(visibility='public')
        second = self.publish()
        self.assertEqual('public', self.glance.images[second]['visibility'])
        third = self.publish(visibility='private')
        self.assertEqual('private', self.glance.images[third]['visibility'])

    def test_public_is_refused(self):
        self.publish(visibility='public')
        image = self.image()
        self.glance.forbidden.add(('PATCH', image))
        with self.assertRaisesRegex(
            exceptions.ForbiddenException, 'forbidden by policy'
        ):
            self.publish(image)
        self.assertEqual(1, len(self.glance.named(base.FAMILY)))

    def test_shared_with_the_same(self):
        first = self.publish(visibility='shared')
        self.glance.members[first] = ['one', 'two']
        second = self.publish()
        self.assertEqual(['one', 'two'], self.glance.members[second])
        self.assert_current(second)

    def test_facts(self):
        image = self.publish(
            facts={'image_description': 'ours', 'replace_frequency': 'weekly'}
        )
        second = self.publish(facts={'image_description': 'newer'})
        expected = {
            'image_build_date': '2026-01-01',
            'image_source': 'private',
            'image_description': 'newer',
            'os_purpose': 'custom',
            'replace_frequency': 'weekly',
            'uuid_validity': 'none',
            'provided_until': 'none',
        }
        said = self.glance.images[second]
        self.assertEqual(expected, {name: said.get(name) for name in expected})
        self.publish(image, facts={'uuid_validity': 'last-2'})
        self.assertEqual('last-2', self.glance.images[image]['uuid_validity'])
        self.assert_current(second)

    def test_captured_from_an_iso_that_says_so_too(self):
        """Nova copies what the ISO says of itself."""
        image = self.image(
            provenance_captured='2025-12-31T23:59:00Z',
            image_build_date='2024-01-01',
            image_source='https://example.org/debian.iso',
            os_distro='debian',
        )
        self.publish(image)
        said = self.glance.images[image]
        self.assertEqual(
            ('2025-12-31', 'private', 'debian'),
            (
                said['image_build_date'],
                said['image_source'],
                said['os_distro'],
            ),
        )

    def test_what_an_image_says_stays(self):
        """Of its publisher's, or of a copy from another cloud."""
        for more in (
            {},
            {
                'golden_copied_from': 'there',
                'provenance_captured': '2025-12-31T23:59:00Z',
            },
        ):
            image = self.image(
                image_build_date='2024-01-01', image_source='here', **more
            )
            self.publish(image)
            said = self.glance.images[image]
            self.assertEqual(
                ('2024-01-01', 'here'),
                (said['image_build_date'], said['image_source']),
            )

    def test_edited_build_date(self):
        image = self.publish(self.image(provenance_captured='yesterday'))
        self.assertEqual(
            '2026-01-01', self.glance.images[image]['image_build_date']
        )

    def test_build_date(self):
        image = self.image(provenance_captured='2025-12-31T23:59:00Z')
        self.publish(image)
        self.publish()
        self.assertEqual(
            'debian (20251231)', self.glance.images[image]['name']
        )

    @ddt.data(
        ('replace_frequency', 'hourly'),
        ('uuid_validity', 'last-'),
        ('uuid_validity', '20260101'),
        ('provided_until', 'forever'),
        ('provided_until', '2026-02-30'),
        ('image_description', 'x' * 256),
        ('image_source', ''),
    )
    @ddt.unpack
    def test_wrong_fact(self, name, value):
        image = self.image()
        with self.assertRaisesRegex(exception.FactInvalid, name):
            self.publish(image, facts={name: value})
        self.assertEqual([], self.glance.images[image]['tags'])


class FamiliesTest(base.RegistryTestCase):
    def test_community_family_of_another_project(self):
        image = self.glance.add(
            owner='other',
            visibility='community',
            tags=['golden-family'],
            golden_family='theirs',
        )
        image['golden_self'] = image['id']
        found = families.look(self.cloud, 'theirs', 'other')
        self.assertEqual(image['id'], found.current.id)

    def test_requests_do_not_grow(self):
        """With versions of other families, and of the same one."""
        for number in range(30):
            for _version in range(3):
                publishing.publish(
                    self.cloud, self.image(), f'family-{number:02}'
                )
        self.glance.requests.clear()
        found = families.current(self.cloud)
        self.assertEqual(
            [f'family-{number:02}' for number in range(30)],
            [version.family for version in found],
        )
        self.assertEqual(1, len(self.glance.requests))
        families.look(self.cloud, 'family-07', fake_cloud.PROJECT)
        self.assertEqual(3, len(self.glance.requests))

    def test_pages(self):
        self.glance.page = 2
        for number in range(5):
            publishing.publish(self.cloud, self.image(), f'family-{number}')
        self.assertEqual(5, len(families.current(self.cloud)))

    def test_one_of_two(self):
        """While a publisher is stopped, the list agrees with the rest."""
        self.publish()
        second = self.image()
        self.glance.requests.clear()
        self.glance.kill_at = 4
        with self.assertRaises(fake_cloud.Killed):
            self.publish(second)
        self.assertEqual(2, len(self.glance.named(base.FAMILY)))
        self.assertEqual(
            [second], [version.id for version in families.current(self.cloud)]
        )
