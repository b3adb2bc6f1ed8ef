# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import store
from tests.unit import base
from tests.unit.build import cloud as fake_cloud
from tests.unit.build.recipes import cloud


class StoreTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = cloud.Cloud()
        self.recipe = document.parse(cloud.RECIPE)

    def create(self, name='debian', **attributes):
        return store.create(self.cloud, name, self.recipe, **attributes)

    def foreign(self, name='debian', **fields):
        """A recipe of another project, which this one sees."""
        return self.cloud.add_image(
            **{
                'name': name,
                'owner': 'other',
                'tags': ['golden-recipe'],
                'is_hidden': True,
                'visibility': 'public',
                'data': cloud.RECIPE,
                **fields,
            }
        )

    def names(self, *arguments):
        return [i.name for i in store.listed(self.cloud, *arguments)]


@ddt.ddt
class CreateTest(StoreTestCase):
    def test_image(self):
        image = self.create(visibility='public', is_protected=True)
        self.assertEqual(
            ('debian', 'raw', True, True, 'public', ['golden-recipe']),
            (
                image.name,
                image.disk_format,
                image.is_hidden,
                image.is_protected,
                image.visibility,
                image.tags,
            ),
        )
        self.assertEqual(
            {
                'golden_recipe_format': '1',
                'golden_recipe_group': 'linux',
                'golden_recipe_description': 'Debian without anything',
            },
            image.properties,
        )
        self.assertEqual(self.recipe, store.read(self.cloud, image))
        self.assertTrue(self.cloud.image.downloads[0].is_closed)

    def test_exists(self):
        image = self.create()
        with self.assertRaisesRegex(exception.RecipeExists, image.id):
            self.create()

    def test_exists_elsewhere(self):
        """Nobody can take a name from others."""
        self.foreign()
        self.create()


@ddt.ddt
class FindTest(StoreTestCase):
    def test_mine_first(self):
        other = self.foreign()
        self.assertEqual(other, store.find(self.cloud, 'debian'))
        mine = self.create()
        self.assertEqual(mine, store.find(self.cloud, 'debian'))
        self.assertEqual(other, store.find(self.cloud, other.id))

    def test_id_before_name(self):
        mine = self.create()
        self.create(mine.id)
        self.assertEqual(mine, store.find(self.cloud, mine.id))

    def test_community(self):
        other = self.foreign(visibility='community')
        self.assertEqual(other, store.find(self.cloud, 'debian'))

    @ddt.data('other', 'project')
    def test_ambiguous(self, owner):
        one = self.foreign(owner=owner)
        two = self.foreign(owner=owner)
        with self.assertRaisesRegex(
            exception.RecipeAmbiguous, f'{one.id}, {two.id}'
        ):
            store.find(self.cloud, 'debian')

    def test_not_found(self):
        """Another image is no recipe, and the text is for a terminal."""
        with self.assertRaisesRegex(
            exception.RecipeNotFound, r'debian-13\\x1b'
        ):
            store.find(self.cloud, 'debian-13\x1b')
        with self.assertRaises(exception.RecipeNotFound):
            store.find(self.cloud, self.cloud.iso.name)

    def test_groups(self):
        self.create('z')
        self.recipe = dataclasses.replace(self.recipe, group='windows')
        self.create('a')
        self.assertEqual(['z', 'a'], self.names())
        self.assertEqual(['a'], self.names('windows'))
        self.assertEqual([], self.names('none'))


@ddt.ddt
class ReadTest(StoreTestCase):
    def test_too_large(self):
        """It is not read to its end."""
        image = self.foreign(data=b'#' * 3 * document.MAX_SIZE)
        with self.assertRaises(exception.RecipeTooLarge):
            store.read(self.cloud, image)
        self.assertTrue(self.cloud.image.downloads[0].is_closed)

    @ddt.data('queued', 'deactivated')
    def test_not_ready(self, status):
        image = self.foreign(status=status)
        with self.assertRaisesRegex(exception.RecipeNotReady, status):
            store.read(self.cloud, image)


@ddt.ddt
class ReplaceTest(StoreTestCase):
    def setUp(self):
        super().setUp()
        self.changed = dataclasses.replace(self.recipe, iso='debian-14')

    def test_replaced(self):
        image = self.create(visibility='public')
        new = store.replace(self.cloud, image, self.changed)
        self.assertEqual('public', new.visibility)
        self.assertEqual(['debian'], self.cloud.recipes())
        found = store.find(self.cloud, 'debian')
        self.assertEqual('debian-14', store.read(self.cloud, found).iso)

    def test_members(self):
        image = self.create()
        image.members.append('friend')
        new = store.replace(self.cloud, image, self.changed)
        self.assertEqual(['friend'], new.members)

    def test_protected(self):
        image = self.create(is_protected=True)
        with self.assertRaisesRegex(
            exception.RecipeProtected, '--unprotected'
        ):
            store.replace(self.cloud, image, self.changed)
        self.assertEqual(['debian'], self.cloud.recipes())

    @ddt.data(1, 2, 3)
    def test_killed(self, count):
        """After any request there is one recipe, the old or the new."""
        image = self.create()
        image.members.append('friend')
        self.cloud.kill_after = len(self.cloud.requests) + count
        with self.assertRaises(fake_cloud.Killed):
            store.replace(self.cloud, image, self.changed)
        self.cloud.kill_after = None
        found = store.find(self.cloud, 'debian')
        self.assertEqual('debian-14', store.read(self.cloud, found).iso)
        # What is left goes with the next change.
        again = store.replace(self.cloud, found, self.recipe)
        self.assertEqual(['debian'], self.cloud.recipes())
        store.delete(self.cloud, again)
        self.assertEqual([], self.cloud.recipes())

    @ddt.data({'owner': 'other'}, {'tags': []})
    def test_only_recipes_of_the_owner_are_deleted(self, fields):
        """A property says which, and anybody sets properties."""
        victim = self.foreign(**{'owner': 'project', **fields})
        image = self.create('mine')
        image.properties['golden_recipe_replaces'] = victim.id
        store.delete(self.cloud, image)
        self.assertIn(victim.id, self.cloud.images)

    def test_of_others_nobody_takes_the_place(self):
        mine = self.create()
        self.foreign(properties={'golden_recipe_replaces': mine.id})
        self.assertEqual(mine, store.find(self.cloud, 'debian'))

    def test_not_before_it_is_there(self):
        """An upload that was cut off replaces nothing."""
        mine = self.create()
        self.foreign(
            owner='project',
            status='queued',
            name='new',
            properties={'golden_recipe_replaces': mine.id},
        )
        self.assertEqual(mine, store.find(self.cloud, 'debian'))
