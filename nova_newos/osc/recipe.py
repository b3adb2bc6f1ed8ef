# SPDX-License-Identifier: Apache-2.0
"""``openstack golden recipe ...``."""

import dataclasses
import pathlib

from osc_lib.command import command

from nova_newos import terminal
from nova_newos.build.recipes import answers
from nova_newos.build.recipes import document
from nova_newos.build.recipes import leftovers
from nova_newos.build.recipes import store
from nova_newos.build.recipes import words
from nova_newos.osc import base

#: What a recipe and an option of ours are both called.
_FIELDS = ('description', 'group', 'iso')


def _add_recipe(parser, **more):
    parser.add_argument(
        'recipe', metavar='<recipe>', help='The recipe (name or ID)', **more
    )


def _add_changes(parser):
    add = parser.add_argument
    add('--iso', metavar='<image>', help='The install ISO (name or ID)')
    add('--group', metavar='<group>', help='Group that it is listed in')
    add('--description', metavar='<description>', help='What is made, a line')
    seen = parser.add_mutually_exclusive_group()
    for visibility, who in (
        ('private', 'Only this project can use it'),
        ('shared', 'Projects that are members of its image can use it'),
        ('community', 'All projects can use it'),
        ('public', 'All projects see it, and can use it'),
    ):
        seen.add_argument(
            f'--{visibility}',
            action='store_const',
            const=visibility,
            dest='visibility',
            help=who,
        )


def _add_file(parser, **more):
    parser.add_argument(
        '--file',
        metavar='<file>',
        type=pathlib.Path,
        help='Recipe in YAML',
        **more,
    )


def _changed(recipe, args):
    """A recipe with what options say in the place of what it says."""
    changes = {
        name: value
        for name in _FIELDS
        if (value := getattr(args, name)) is not None
    }
    changed = dataclasses.replace(recipe, **changes)
    # As it will be read.
    return document.parse(changed.dump())


def _warn(recipe):
    for text in answers.warnings(recipe):
        base.say(f'warning: {text}')


def _summary(image, recipe):
    """Columns of one recipe: names and values."""
    row = {
        'id': image.id,
        'name': terminal.printable(image.name or ''),
        'group': recipe.group,
        'description': terminal.printable(recipe.description),
        'iso': terminal.printable(recipe.iso),
        'answers': ', '.join(map(terminal.printable, recipe.answers)),
        'script': answers.script_path(recipe) if recipe.script else '',
        'secrets': ', '.join(
            f'{name} ({terminal.printable(what)})'
            for name, what in recipe.secrets.items()
        ),
        'settings': ', '.join(
            f'{name}={terminal.printable(str(value))}'
            for name, value in recipe.settings.items()
        ),
        'boot_test': terminal.printable(recipe.boot_test or ''),
        'visibility': image.visibility,
        'protected': image.is_protected,
        'owner': image.owner,
    }
    return tuple(row), tuple(row.values())


class CreateRecipe(base.Command, command.ShowOne):
    """Keep a recipe in Glance."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'name', metavar='<name>', help='Name of the recipe'
        )
        source = parser.add_mutually_exclusive_group(required=True)
        _add_file(source)
        source.add_argument(
            '--like',
            metavar='<recipe>',
            help='Copy of another recipe (name or ID), with what the other '
            'options change',
        )
        source.add_argument(
            '--from-image',
            metavar='<image>',
            help='What the installer has left of its answers on a golden '
            'image (name or ID), with what the other options change',
        )
        _add_changes(parser)
        parser.add_argument(
            '--protected',
            action='store_true',
            help='Prevent it from being changed or deleted',
        )
        return parser

    def take_action(self, args):
        """Read, check, upload."""
        recipe = _changed(self._source(args), args)
        _warn(recipe)
        attributes = {'is_protected': args.protected}
        if args.visibility:
            attributes['visibility'] = args.visibility
        image = store.create(self.cloud, args.name, recipe, **attributes)
        return _summary(image, recipe)

    def _source(self, args):
        if args.file:
            return document.load(args.file)
        if args.like:
            return store.read(self.cloud, store.find(self.cloud, args.like))
        images = self.cloud.image
        image = images.find_image(args.from_image, ignore_missing=False)
        return leftovers.recipe_of(images.get_image(image.id))


class SetRecipe(base.Command):
    """Change a recipe, or who can use it."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_recipe(parser)
        _add_file(parser)
        _add_changes(parser)
        kept = parser.add_mutually_exclusive_group()
        kept.add_argument(
            '--protected',
            action='store_true',
            default=None,
            help='Prevent it from being changed or deleted',
        )
        kept.add_argument(
            '--unprotected',
            action='store_false',
            dest='protected',
            help='Allow it to be changed and deleted',
        )
        return parser

    def take_action(self, args):
        """Attributes of the image change; a recipe is a new image."""
        cloud = self.cloud
        image = store.find(cloud, args.recipe)
        attributes = {
            'visibility': args.visibility,
            'is_protected': args.protected,
        }
        attributes = {k: v for k, v in attributes.items() if v is not None}
        # Before a change, so that it is allowed; protected after it.
        if attributes and args.protected is not True:
            image = cloud.image.update_image(image.id, **attributes)
            attributes = {}
        if args.file or any(getattr(args, name) for name in _FIELDS):
            recipe = (
                document.load(args.file)
                if args.file
                else store.read(cloud, image)
            )
            recipe = _changed(recipe, args)
            _warn(recipe)
            image = store.replace(cloud, image, recipe)
        if attributes:
            cloud.image.update_image(image.id, **attributes)


class ListRecipe(base.Command, command.Lister):
    """List recipes."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--group', metavar='<group>', help='Only those of a group'
        )
        return parser

    def take_action(self, args):
        """Without a look into them."""
        rows = [
            (
                image.id,
                terminal.printable(image.name or ''),
                terminal.printable(store.group_of(image)),
                terminal.printable(
                    image.properties.get(words.DESCRIPTION, '')
                ),
                image.visibility,
                image.is_protected,
            )
            for image in store.listed(self.cloud, args.group)
        ]
        columns = (
            'id',
            'name',
            'group',
            'description',
            'visibility',
            'protected',
        )
        return columns, rows


class ShowRecipe(base.Command, command.ShowOne):
    """Show what a recipe is made of."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_recipe(parser)
        return parser

    def take_action(self, args):
        """All but the text of its answers, which export has."""
        image = store.find(self.cloud, args.recipe)
        return _summary(image, store.read(self.cloud, image))


class ExportRecipe(base.Command):
    """Write a recipe as a file."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_recipe(parser)
        _add_file(parser)
        return parser

    def take_action(self, args):
        """Print it, or write it where nothing is."""
        image = store.find(self.cloud, args.recipe)
        data = store.read(self.cloud, image).dump()
        if args.file is None:
            self.app.stdout.write(data.decode())
            return
        with args.file.open('xb') as file:
            file.write(data)


class DeleteRecipe(base.Command):
    """Delete recipes."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_recipe(parser, nargs='+')
        return parser

    def take_action(self, args):
        """One after the other; the first that is refused ends it."""
        for recipe in args.recipe:
            store.delete(self.cloud, store.find(self.cloud, recipe))
