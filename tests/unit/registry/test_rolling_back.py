# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.registry import exception
from nova_newos.registry import publishing
from tests.unit.registry import base
from tests.unit.registry import cloud as fake_cloud

_TOMORROW_NEVER = '9999-12-31'


@ddt.ddt
class RollBackTest(base.RegistryTestCase):
    def test_never_without_a_version(self):
        """Another client has the former one stay that this one hides."""
        first, second = self.publish(), self.publish()
        visible = {'os_hidden': False, 'name': base.FAMILY}
        self.glance.images[first].update(visible)

        def meanwhile(method, path):
            if method == 'PATCH' and path.endswith(first):
                self.glance.on_request = lambda *_args: None
                self.glance.images[second]['os_hidden'] = True

        self.glance.on_request = meanwhile
        publishing.settle(self.cloud, base.FAMILY, fake_cloud.PROJECT)
        self.assert_current(second)

    def setUp(self):
        super().setUp()
        self.first, self.second = self.publish(), self.publish()
        self.third = self.publish()

    def test_one_after_the_other(self):
        for image in (self.second, self.first):
            self.assertEqual(image, self.roll_back().id)
            self.assert_current(image)
        with self.assertRaises(exception.NoFormerVersion):
            self.roll_back()

    def test_then_publish(self):
        self.roll_back()
        self.assert_current(self.publish())

    def test_named(self):
        self.roll_back(self.first)
        self.assert_current(self.first)
        self.roll_back(self.third)
        self.assert_current(self.third)

    def test_to_itself(self):
        self.glance.requests.clear()
        self.roll_back(self.third)
        self.assert_current(self.third)
        self.assertNotIn('PATCH', [r[0] for r in self.glance.requests])

    def test_stranger(self):
        with self.assertRaises(exception.VersionNotFound):
            self.roll_back(self.image())

    def test_past_one_that_does_not_boot(self):
        self.glance.images[self.second]['status'] = 'deactivated'
        self.assertEqual(self.first, self.roll_back().id)
        with self.assertRaises(exception.ImageNotReady):
            self.roll_back(self.second)

    @ddt.data(True, False)
    def test_killed(self, before):
        for number in range(20):
            self.roll_back(self.third)
            self.glance.requests.clear()
            self.glance.kill_at, self.glance.kill_before = number, before
            try:
                self.roll_back(self.second)
            except fake_cloud.Killed:
                named = self.glance.named(base.FAMILY)
                self.assertIn(len(named), (1, 2))
                self.glance.kill_at = None
                self.roll_back(self.second)
                self.assert_current(self.second)
            else:
                break
        self.glance.kill_at = None
        self.assertGreater(number, 3)

    def test_visibility_is_kept(self):
        self.glance.images[self.third]['visibility'] = 'public'
        self.roll_back()
        self.assertEqual(
            'public', self.glance.images[self.second]['visibility']
        )

    def test_members_are_kept(self):
        self.glance.images[self.third]['visibility'] = 'shared'
        self.glance.members[self.third] = ['one']
        self.roll_back()
        self.assertEqual(['one'], self.glance.members[self.second])

    def test_no_family(self):
        with self.assertRaises(exception.FamilyNotFound):
            publishing.roll_back(self.cloud, 'no', fake_cloud.PROJECT)


@ddt.ddt
class RetireTest(base.RegistryTestCase):
    def retire(self, **options):
        publishing.retire(
            self.cloud, base.FAMILY, fake_cloud.PROJECT, **options
        )

    def test_retired(self):
        image = self.publish()
        self.retire()
        self.retire()
        self.assertEqual([], self.glance.named(base.FAMILY))
        self.assertIsNone(self.look().current)
        self.assertIn(image, self.glance.images)
        with self.assertRaises(exception.FamilyRetired):
            self.roll_back()
        self.roll_back(image)
        self.assert_current(image)

    def test_then_publish(self):
        self.publish()
        self.retire()
        self.assert_current(self.publish())

    @ddt.data(True, False)
    def test_killed(self, before):
        """Until it is retired, the name leads to what it has led to."""
        for number in range(20):
            self.glance.images.clear()
            first, second = self.image(), self.publish()
            # As if its publisher was stopped.
            self.publish(first)
            self.glance.images[second]['os_hidden'] = False
            self.glance.requests.clear()
            self.glance.kill_at, self.glance.kill_before = number, before
            try:
                self.retire()
            except fake_cloud.Killed:
                visible = {
                    image['id']
                    for image in self.glance.images.values()
                    if not image['os_hidden']
                }
                self.assertIn(visible, ({first, second}, {first}, set()))
                self.glance.kill_at = None
                self.retire()
            else:
                break
            finally:
                self.glance.kill_at = None
            self.assertEqual([], self.look().outdated)
            self.assertIsNone(self.look().current)
        self.assertGreater(number, 2)

    def test_promised(self):
        image = self.publish(facts={'provided_until': _TOMORROW_NEVER})
        with self.assertRaisesRegex(exception.StillProvided, '9999-12-31'):
            self.retire()
        self.assert_current(image)
        self.retire(force=True)
        self.assertEqual([], self.glance.named(base.FAMILY))

    def test_promised_until_yesterday(self):
        self.publish(facts={'provided_until': '2020-01-01'})
        self.retire()
        self.assertEqual([], self.glance.named(base.FAMILY))
