# SPDX-License-Identifier: Apache-2.0

import dataclasses
import pathlib

import ddt

from nova_newos.build import iso_file
from nova_newos.build import plan
from nova_newos.build import start
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import order
from tests.unit import base
from tests.unit.build.recipes import cloud


class OrderTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = cloud.Cloud()
        self.recipe = document.parse(cloud.RECIPE)

    def order(self, **options):
        return order.order(
            self.cloud, self.recipe, secrets=cloud.SECRETS, **options
        )

    def change(self, **settings):
        settings = {**self.recipe.settings, **settings}
        self.recipe = dataclasses.replace(
            self.recipe,
            settings={k: v for k, v in settings.items() if v is not None},
        )


@ddt.ddt
class OrderTest(OrderTestCase):
    def test_recipe(self):
        found = self.order()
        self.assertEqual(plan.Plan(name='debian', flavor='f'), found.plan)
        self.assertEqual(self.cloud.iso, found.iso)
        metadata = dict(found.metadata)
        self.assertRegex(
            metadata.pop('golden_recipe_digest'), '^sha256:[0-9a-f]{64}$'
        )
        self.assertEqual(
            {'newos_seal': 'true', 'newos_finish': 'power-off'}, metadata
        )

    def test_build(self):
        found = self.order()
        start.create(
            self.cloud,
            start.new_id(),
            found.plan,
            found.iso,
            found.user_data,
            found.metadata,
        )
        [server] = self.cloud.servers.values()
        self.assertEqual('true', server.metadata['newos_seal'])

    def test_options(self):
        """The command goes before the recipe."""
        iso = self.cloud.add_image(
            name='other', hash_algo='sha512', hash_value='d'
        )
        found = self.order(
            name='mine',
            flavor='g',
            network='none',
            boot_test='none',
            keep_failed=True,
            iso=iso,
            metadata={'newos_seal': 'false'},
        )
        self.assertEqual(
            plan.Plan(
                name='mine',
                flavor='g',
                network='none',
                boot_test='none',
                keep_failed=True,
            ),
            found.plan,
        )
        self.assertEqual(iso, found.iso)
        self.assertEqual('false', found.metadata['newos_seal'])

    def test_boot_test_of_the_recipe(self):
        self.recipe = dataclasses.replace(self.recipe, boot_test='^up')
        self.assertEqual('^up', self.order(boot_test=None).plan.boot_test)

    def test_keys(self):
        self.change(keys='<waitIdle><tab> auto<enter>')
        self.assertEqual(
            '<waitIdle><tab> auto<enter>',
            self.order().metadata['newos_boot_keys'],
        )

    def test_iso_that_is_a_file(self):
        """It has no id yet."""
        self.change(firmware='uefi')
        file = iso_file.IsoFile(pathlib.Path('x'), 'x.iso', 1, {})
        with self.assertRaisesRegex(exception.IsoSettingsDiffer, 'x.iso'):
            self.order(iso=file)

    def test_name(self):
        self.change(family=None)
        with self.assertRaises(exception.NameNeeded):
            self.order()

    @ddt.data(
        ({'bus': 'virtio'}, {}),
        ({'firmware': 'bios'}, {}),
        ({'bus': 'sata'}, {'hw_disk_bus': 'sata'}),
        ({}, {'hw_disk_bus': 'sata'}),
    )
    @ddt.unpack
    def test_iso_is_as_wanted(self, settings, properties):
        self.change(**settings)
        self.cloud.iso.properties.update(properties)
        self.order()

    @ddt.data(
        ({'firmware': 'uefi'}, {}, 'hw_firmware_type=uefi .* has none'),
        (
            {'bus': 'virtio'},
            {'hw_disk_bus': 'sata\x1b'},
            r'hw_disk_bus=virtio .* has sata\\x1b: openstack image set',
        ),
    )
    @ddt.unpack
    def test_iso_differs(self, settings, properties, text):
        self.change(**settings)
        self.cloud.iso.properties.update(properties)
        with self.assertRaisesRegex(exception.IsoSettingsDiffer, text):
            self.order()


@ddt.ddt
class FlavorTest(OrderTestCase):
    def setUp(self):
        super().setUp()
        self.cloud.flavors.clear()

    def add(self, name, **fields):
        self.cloud.flavors[name] = cloud.flavor(name, **fields)

    def test_smallest(self):
        self.add('large', ram=2048)
        self.add('right')
        self.add('little', ram=256)
        self.add('thin', disk=3)
        self.add('disabled', disk=4, is_disabled=True)
        self.assertEqual('right', self.order().plan.flavor)

    def test_ordinary_first(self):
        """Extra specs cost what nobody has asked for."""
        self.add('gpu', extra_specs={'resources:VGPU': '1'})
        self.add('larger', ram=1024)
        self.assertEqual('larger', self.order().plan.flavor)

    def test_what_the_iso_needs(self):
        self.cloud.iso.min_ram = 1024
        self.add('little')
        self.add('right', ram=1024)
        self.assertEqual('right', self.order().plan.flavor)

    def test_none_fits(self):
        self.add('little', ram=256)
        with self.assertRaisesRegex(
            exception.NoFlavorFits, '3 vCPUs, 512 MiB .* 4 GiB'
        ):
            self.change(vcpus=3)
            self.order()

    @ddt.data('ram', 'disk')
    def test_nothing_is_said(self, setting):
        self.change(**{setting: None})
        with self.assertRaises(exception.FlavorNeeded):
            self.order()
        self.order(flavor='x')


@ddt.ddt
class DigestTest(OrderTestCase):
    def digest(self, **options):
        return self.order(**options).metadata['golden_recipe_digest']

    def setUp(self):
        super().setUp()
        self.before = self.digest()

    def test_same(self):
        """Secrets, texts for people, and where it is built do not count."""
        self.recipe = dataclasses.replace(
            self.recipe, description='other', group='other', iso='other'
        )
        same = order.order(
            self.cloud,
            self.recipe,
            secrets={'root': 'other'},
            flavor='g',
            iso=self.cloud.iso,
        )
        self.assertEqual(self.before, same.metadata['golden_recipe_digest'])

    @ddt.data(
        {'answers': {'preseed.cfg': 'd-i a/b string ${{ secrets.root }}'}},
        {'script': 'exit'},
        {'settings': {'ram': 512, 'disk': 5}},
        {'boot_test': 'none'},
    )
    def test_recipe(self, changes):
        self.recipe = dataclasses.replace(self.recipe, **changes)
        self.assertNotEqual(self.before, self.digest(name='debian'))

    def test_iso(self):
        self.cloud.iso.hash_value = 'other'
        self.assertNotEqual(self.before, self.digest())

    def test_metadata(self):
        self.assertNotEqual(
            self.before, self.digest(metadata={'newos_seal': 'false'})
        )

    def golden(self, digest, **fields):
        return self.cloud.add_image(
            **{
                'name': 'debian',
                'properties': {'golden_recipe_digest': digest},
                **fields,
            }
        )

    def test_unchanged(self):
        self.golden('old')
        image = self.golden(self.before)
        self.assertEqual(image, order.unchanged(self.cloud, self.order()))

    @ddt.data(
        {'is_hidden': True},
        {'status': 'queued'},
        {'name': 'other'},
        {'owner': 'other'},
        {'properties': {}},
    )
    def test_changed(self, fields):
        self.golden(self.before, **fields)
        self.assertIsNone(order.unchanged(self.cloud, self.order()))

    def test_newest_counts(self):
        self.golden(self.before)
        self.golden('new')
        self.assertIsNone(order.unchanged(self.cloud, self.order()))
