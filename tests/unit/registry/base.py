# SPDX-License-Identifier: Apache-2.0
"""What tests of the registry share."""

from nova_newos.registry import families
from nova_newos.registry import publishing
from tests.unit import base
from tests.unit.registry import cloud as fake_cloud

FAMILY = 'debian'


class RegistryTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fake_cloud.Cloud()
        self.glance = self.cloud.glance

    def image(self, **fields):
        """Id of a candidate."""
        return self.glance.add(**fields)['id']

    def publish(self, image_id=None, **options):
        """Publish a candidate, by default a new one; returns its id."""
        image_id = image_id or self.image()
        publishing.publish(self.cloud, image_id, FAMILY, **options)
        return image_id

    def look(self):
        return families.look(self.cloud, FAMILY, fake_cloud.PROJECT)

    def roll_back(self, image_id=None):
        return publishing.roll_back(
            self.cloud, FAMILY, fake_cloud.PROJECT, image_id
        )

    def assert_current(self, image_id):
        """The name leads to one image, and the family agrees."""
        self.assertEqual([image_id], self.glance.named(FAMILY))
        self.assertEqual(image_id, self.look().current.id)
        self.assertEqual([], self.look().outdated)
