# SPDX-License-Identifier: Apache-2.0
"""What ``openstack golden build create`` is to build: from a recipe or not."""

import pathlib

from osc_lib import exceptions
from osc_lib.cli import parseractions

from nova_newos.build import plan
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import order
from nova_newos.build.recipes import store


def add_arguments(parser):
    """Those that are about recipes."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--recipe', metavar='<recipe>', help='Recipe in Glance (name or ID)'
    )
    source.add_argument(
        '--recipe-file',
        metavar='<file>',
        type=pathlib.Path,
        help='Recipe in a file',
    )
    parser.add_argument(
        '--secret',
        metavar='<name=file>',
        action=parseractions.KeyValueAction,
        help='File with a secret of the recipe, in a line (repeat for more)',
    )
    parser.add_argument(
        '--if-changed',
        action='store_true',
        help='Build nothing if the newest golden image of that name was made '
        'of the same ISO and recipe',
    )


def ordered(cloud, args, *, iso, flavor, **options):
    """What is to be built.

    :param args: parsed: ``name``, ``user_data``, ``properties`` and those of
        :func:`add_arguments`
    :param iso: the image of the install ISO; None for the recipe's
    :param flavor: an id; None for what the recipe allows
    :param options: fields of the plan; None for the recipe's, or the default
    :returns: an :class:`~nova_newos.build.recipes.order.Order`
    :raises CommandError: when arguments are missing, or too many
    :raises NewosError: for what would fail later
    """
    recipe = _recipe(cloud, args)
    if recipe is not None:
        _refuse(args, 'is what the recipe has', '--user-data')
        return order.order(
            cloud,
            recipe,
            secrets=_secrets(args),
            name=args.name,
            iso=iso,
            flavor=flavor,
            metadata=args.properties,
            **options,
        )
    _refuse(args, 'is for a recipe', '--secret', '--if-changed')
    if not (args.name and iso and flavor):
        raise exceptions.CommandError(
            'name, --iso and --flavor, or a recipe: --recipe, --recipe-file'
        )
    options = {k: v for k, v in options.items() if v is not None}
    return order.Order(
        plan.Plan(name=args.name, flavor=flavor, **options),
        iso,
        args.user_data and args.user_data.read_bytes(),
        args.properties,
    )


def _recipe(cloud, args):
    if args.recipe_file:
        return document.load(args.recipe_file)
    if args.recipe:
        return store.read(cloud, store.find(cloud, args.recipe))
    return None


def _refuse(args, why, *options):
    for option in options:
        if getattr(args, option.removeprefix('--').replace('-', '_')):
            raise exceptions.CommandError(f'{option}: {why}')


def _secrets(args):
    return {
        name: _secret(name, path) for name, path in (args.secret or {}).items()
    }


def _secret(name, path):
    """What is in a file, without the end of its line."""
    try:
        text = pathlib.Path(path).read_text('utf-8')
    except UnicodeDecodeError as error:
        raise exception.SecretInvalid(name=name) from error
    return text.removesuffix('\n').removesuffix('\r')
