# SPDX-License-Identifier: Apache-2.0

from nova_newos.registry import exception
from nova_newos.registry import revoking
from tests.unit.registry import base


class RevokeTest(base.RegistryTestCase):
    def setUp(self):
        super().setUp()
        self.former, self.current = self.publish(), self.publish()

    def revoke(self, image_id, reason='a hole', **options):
        return revoking.revoke(self.cloud, image_id, reason, **options)

    def assert_untouched(self, image_id):
        image = self.glance.images[image_id]
        self.assertEqual('active', image['status'])
        self.assertNotIn('golden_revoked', image)

    def test_former(self):
        self.assertTrue(self.revoke(self.former))
        self.assertTrue(self.revoke(self.former))
        image = self.glance.images[self.former]
        self.assertEqual('deactivated', image['status'])
        self.assertEqual('a hole', image['golden_revoked'])
        with self.assertRaises(exception.NoFormerVersion):
            self.roll_back()

    def test_current(self):
        with self.assertRaisesRegex(exception.IsCurrent, base.FAMILY):
            self.revoke(self.current)
        self.assert_untouched(self.current)

    def test_ordinary_image(self):
        image = self.image()
        self.assertTrue(self.revoke(image))
        self.assertFalse(self.glance.images[image]['os_hidden'])
        self.assertTrue(self.revoke(image, hide=True))
        self.assertTrue(self.glance.images[image]['os_hidden'])

    def test_forbidden(self):
        self.glance.forbidden.add(('POST', '/deactivate'))
        with self.assertRaisesRegex(
            exception.DeactivationForbidden, 'by policy.* --hide'
        ):
            self.revoke(self.former)
        self.assert_untouched(self.former)
        self.assertFalse(self.revoke(self.former, hide=True))
        image = self.glance.images[self.former]
        self.assertEqual('active', image['status'])
        self.assertEqual('a hole', image['golden_revoked'])
        with self.assertRaises(exception.ImageRevoked):
            self.roll_back(self.former)

    def test_no_bytes(self):
        image = self.image(status='queued')
        with self.assertRaises(exception.ImageNotReady):
            self.revoke(image)

    def test_reason(self):
        for reason in ('', 'x' * 256):
            with self.assertRaises(exception.FactInvalid):
                self.revoke(self.former, reason=reason)
        self.assert_untouched(self.former)
