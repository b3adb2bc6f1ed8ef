# SPDX-License-Identifier: Apache-2.0

import uuid

import fixtures

from nova_newos.registry import lineage
from tests.unit.registry import base


class LineageTest(base.RegistryTestCase):
    def trace(self, image_id):
        """{(distance, relation, id)}."""
        found = lineage.trace(self.cloud, self.glance.images[image_id])
        self.assertEqual(
            sorted(each.distance for each in found),
            [each.distance for each in found],
        )
        return {(each.distance, each.relation, each.id) for each in found}

    def setUp(self):
        super().setUp()
        self.iso = self.image(disk_format='iso')
        self.drivers = str(uuid.uuid4())
        self.golden = self.publish(
            self.image(provenance_iso=self.iso, provenance_virtio=self.drivers)
        )
        # As Nova makes it of a server: with what the image says of itself.
        said = self.glance.images[self.golden]
        self.snapshot = self.image(
            base_image_ref=self.golden,
            golden_self=self.golden,
            golden_family=base.FAMILY,
            provenance_iso=said['provenance_iso'],
        )

    def test_whole(self):
        self.assertEqual(
            {
                (-1, 'install ISO', self.iso),
                (-1, 'driver ISO', self.drivers),
                (0, '', self.golden),
                (1, 'image of the server', self.snapshot),
            },
            self.trace(self.golden),
        )

    def test_from_either_end(self):
        self.assertEqual(
            {
                (0, '', self.iso),
                (1, 'install ISO', self.golden),
                (2, 'image of the server', self.snapshot),
            },
            self.trace(self.iso),
        )
        self.assertIn((-2, 'install ISO', self.iso), self.trace(self.snapshot))

    def test_snapshot_without_registry(self):
        """Nova of a host without our driver copies provenance too."""
        snapshot = self.image(
            base_image_ref=self.golden, provenance_iso=self.iso
        )
        self.assertIn(
            (2, 'image of the server', snapshot), self.trace(self.iso)
        )

    def test_copy(self):
        copy = self.image(golden_copied_from=self.golden)
        self.assertIn((1, 'copied from', copy), self.trace(self.golden))

    def test_hidden(self):
        self.publish()
        self.assertIn((1, 'install ISO', self.golden), self.trace(self.iso))

    def test_gone(self):
        [drivers] = [
            each
            for each in lineage.trace(
                self.cloud, self.glance.images[self.golden]
            )
            if each.id == self.drivers
        ]
        self.assertIsNone(drivers.image)
        self.assertIn('gone', lineage.describe(drivers.image))

    def test_not_to_be_seen(self):
        self.glance.forbidden.add(('GET', self.iso))
        self.assertIn((-1, 'install ISO', self.iso), self.trace(self.golden))

    def test_circle(self):
        self.glance.images[self.iso]['base_image_ref'] = self.golden
        """An owner can have images point at each other."""
        self.assertEqual(
            {self.iso, self.drivers, self.golden, self.snapshot},
            {image for _distance, _relation, image in self.trace(self.golden)},
        )

    def test_no_id(self):
        image = self.image(provenance_iso='../../v2/tasks')
        self.assertEqual({(0, '', image)}, self.trace(image))

    def test_limit(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_newos.registry.lineage.LIMIT', 3)
        )
        for _number in range(5):
            self.image(base_image_ref=self.golden)
        found = lineage.trace(self.cloud, self.glance.images[self.golden])
        self.assertEqual(3, len([each for each in found if each.distance > 0]))

    def test_described(self):
        image = self.glance.images[self.golden]
        self.assertEqual('version of debian', lineage.describe(image))
        image['golden_revoked'] = 'why'
        self.assertEqual(
            'version of debian; revoked: why', lineage.describe(image)
        )
        self.assertEqual(
            '', lineage.describe(self.glance.images[self.snapshot])
        )
