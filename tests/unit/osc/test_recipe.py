# SPDX-License-Identifier: Apache-2.0

import io
import pathlib
from unittest import mock

import ddt
import fixtures
from osc_lib import exceptions

from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import store
from nova_newos.osc import recipe
from tests.unit import base
from tests.unit.build.recipes import cloud
from tests.unit.build.recipes import test_leftovers


@ddt.ddt
class RecipeTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = cloud.Cloud()
        self.said = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = self.top / 'recipe.yaml'
        self.file.write_bytes(cloud.RECIPE)

    def run_command(self, kind, *arguments):
        app = mock.Mock(stdout=io.StringIO())
        app.client_manager.golden = self.cloud
        command = kind(app, None)
        parsed = command.get_parser('openstack').parse_args(arguments)
        return command.take_action(parsed) or app.stdout.getvalue()

    def show(self, kind, *arguments):
        names, values = self.run_command(kind, *arguments)
        return dict(zip(names, values, strict=True))

    def create(self, name='debian', *more):
        return self.show(
            recipe.CreateRecipe, name, f'--file={self.file}', *more
        )

    def test_create_and_show(self):
        made = self.create('debian', '--public', '--protected')
        self.assertEqual(made, self.show(recipe.ShowRecipe, 'debian'))
        self.assertLessEqual(
            {
                'name': 'debian',
                'group': 'linux',
                'iso': 'debian-13',
                'answers': 'preseed.cfg',
                'script': 'provision.sh',
                'secrets': 'root (hash for root)',
                'visibility': 'public',
                'protected': True,
            }.items(),
            made.items(),
        )
        self.assertEqual('', self.said.getvalue())

    def test_options_go_before_the_file(self):
        made = self.create('debian', '--iso=other', '--group=g')
        self.assertEqual(('other', 'g'), (made['iso'], made['group']))

    def test_options_are_checked(self):
        with self.assertRaises(exception.RecipeInvalid):
            self.create('debian', '--group=\x1b')

    def test_like(self):
        self.create()
        made = self.show(
            recipe.CreateRecipe, 'more', '--like=debian', '--description=more'
        )
        self.assertEqual('more', made['description'])
        self.assertEqual('preseed.cfg', made['answers'])

    def test_from_image(self):
        self.cloud.add_image(
            name='by hand',
            properties={
                'golden_answers': test_leftovers.packed(
                    {'ks.cfg': 'lang de\nautopart\n'}
                ),
            },
            min_ram=64,
        )
        made = self.show(
            recipe.CreateRecipe, 'mine', '--from-image=by hand', '--iso=mine'
        )
        self.assertEqual(
            ('mine', 'ks.cfg', 'ram=64'),
            (made['iso'], made['answers'], made['settings']),
        )

    def test_warning(self):
        self.file.write_bytes(
            cloud.RECIPE.replace(b'${{ secrets.root }}', b'$6$salt$digest')
        )
        self.create()
        self.assertIn(
            'warning: preseed.cfg, line 2: that looks like a password',
            self.said.getvalue(),
        )

    def test_list(self):
        self.create()
        self.create('more', '--group=other')
        _names, rows = self.run_command(recipe.ListRecipe)
        self.assertEqual(
            [('debian', 'linux'), ('more', 'other')],
            [row[1:3] for row in rows],
        )
        _names, rows = self.run_command(recipe.ListRecipe, '--group=other')
        self.assertEqual(['more'], [row[1] for row in rows])

    def test_terminal(self):
        """What others have called theirs moves no cursor."""
        evil = '\x1b[2J\u202e'
        self.cloud.add_image(
            name=evil,
            owner='other',
            tags=['golden-recipe'],
            is_hidden=True,
            visibility='public',
            properties={
                'golden_recipe_group': evil,
                'golden_recipe_description': evil,
            },
            data=document.Recipe(iso='\u202e').dump(),
        )
        [row] = self.run_command(recipe.ListRecipe)[1]
        shown = self.run_command(recipe.ShowRecipe, evil)[1]
        for value in (*row, *shown):
            self.assertTrue(str(value).isprintable(), value)

    @ddt.data(
        (['--public'], 'visibility', 'public'),
        (['--protected'], 'is_protected', True),
    )
    @ddt.unpack
    def test_set_attributes(self, options, attribute, value):
        """The image stays."""
        made = self.create()
        self.run_command(recipe.SetRecipe, 'debian', *options)
        image = self.cloud.images[made['id']]
        self.assertEqual(value, getattr(image, attribute))

    def test_set_recipe(self):
        made = self.create()
        self.run_command(recipe.SetRecipe, 'debian', '--iso=debian-14')
        shown = self.show(recipe.ShowRecipe, 'debian')
        self.assertEqual('debian-14', shown['iso'])
        self.assertNotEqual(made['id'], shown['id'])

    def test_set_file(self):
        self.create()
        self.file.write_text('format: 1\niso: less\n')
        self.run_command(
            recipe.SetRecipe, 'debian', f'--file={self.file}', '--protected'
        )
        shown = self.show(recipe.ShowRecipe, 'debian')
        self.assertEqual(
            ('less', '', True),
            (shown['iso'], shown['answers'], shown['protected']),
        )

    def test_set_protected(self):
        self.create('debian', '--protected')
        with self.assertRaises(exception.RecipeProtected):
            self.run_command(recipe.SetRecipe, 'debian', '--iso=x')
        self.run_command(
            recipe.SetRecipe, 'debian', '--iso=x', '--unprotected'
        )
        self.assertEqual('x', self.show(recipe.ShowRecipe, 'debian')['iso'])

    def test_export(self):
        """The format of a file is the same."""
        self.create()
        text = self.run_command(recipe.ExportRecipe, 'debian')
        self.assertEqual(
            document.parse(cloud.RECIPE), document.parse(text.encode())
        )
        path = self.top / 'out.yaml'
        self.run_command(recipe.ExportRecipe, 'debian', f'--file={path}')
        self.assertEqual(text, path.read_text())
        with self.assertRaises(FileExistsError):
            self.run_command(recipe.ExportRecipe, 'debian', f'--file={path}')

    def test_delete(self):
        self.create()
        self.create('more')
        self.run_command(recipe.DeleteRecipe, 'debian', 'more')
        self.assertEqual([], store.listed(self.cloud))

    def test_our_errors(self):
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = recipe.ShowRecipe(app, None)
        with self.assertRaisesRegex(
            exceptions.CommandError, 'there is no recipe'
        ):
            command.run(command.get_parser('openstack').parse_args(['x']))
