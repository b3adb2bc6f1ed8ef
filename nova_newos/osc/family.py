# SPDX-License-Identifier: Apache-2.0
"""``openstack golden family ...``."""

import argparse

import openstack
from osc_lib.command import command

from nova_newos.osc import base
from nova_newos.registry import copying
from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import pruning
from nova_newos.registry import publishing
from nova_newos.registry import scs
from nova_newos.registry import words

_COLUMNS = ('id', 'name', 'state', 'published', 'built', 'status')
_MIB = 2**20

#: Options of what SCS-0102 has an image say, and their help.
_FACTS = {
    'description': ('image_description', 'What it is: text, or a URL'),
    'source': ('image_source', 'URL to download it from, or "private"'),
    'original-user': ('image_original_user', 'Who logs in, "none" for nobody'),
    'purpose': ('os_purpose', 'What it is for, "generic" say'),
    'replace-frequency': (
        'replace_frequency',
        'How often it is replaced: ' + ', '.join(scs.FREQUENCIES),
    ),
    'uuid-validity': (
        'uuid_validity',
        'How long its ID stays valid once it is replaced: none, last-N, '
        'YYYY-MM-DD, notice or forever',
    ),
    'provided-until': (
        'provided_until',
        'How long the family is provided: YYYY-MM-DD, notice or none',
    ),
}


def _add_family(parser):
    parser.add_argument('family', metavar='<family>', help='Its name')


def _add_owner(parser):
    parser.add_argument(
        '--owner',
        metavar='<project>',
        help='ID of the project that has it (default: your own)',
    )


def _add_visibility(parser):
    parser.add_argument(
        '--visibility',
        choices=('private', 'shared', 'community', 'public'),
        help='Who sees it (default: as the version before)',
    )


def _natural(value):
    if not (value.isascii() and value.isdigit()):
        raise argparse.ArgumentTypeError(f'{value!r}: give 0 or more')
    return int(value)


def _row(family, version):
    """Of the table of versions."""
    state = 'former'
    if version is family.current:
        state = 'current'
    elif not version.is_hidden:
        state = 'to be hidden'
    if words.REVOKED in version.image:
        state += ', revoked'
    return (
        version.id,
        base.Text(version.image['name']),
        state,
        _when(version),
        version.day,
        version.image['status'],
    )


def _table(family):
    """All versions: names and values."""
    return _COLUMNS, [_row(family, each) for each in family.versions]


def _when(version):
    """To the second, '' for what its owner has spoilt."""
    moment = version.published
    return f'{moment:%Y-%m-%dT%H:%M:%SZ}' if moment.year > 1 else ''


class _FamilyCommand(base.Command):
    """A command over a family."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_family(parser)
        return parser

    def owner(self, args):
        """Id of the project whose family it is."""
        return args.owner or self.cloud.current_project_id

    def versions(self, family, owner):
        """Table of a family's versions."""
        return _table(families.look(self.cloud, family, owner))


class PublishFamily(_FamilyCommand, command.Lister):
    """Have the name of a family stand for an image."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image', metavar='<image>', help='The new version (name or ID)'
        )
        for option, (name, about) in _FACTS.items():
            parser.add_argument(
                f'--{option}', metavar=f'<{option}>', dest=name, help=about
            )
        _add_visibility(parser)
        return parser

    def take_action(self, args):
        """Publish; returns all versions."""
        facts = {name: getattr(args, name) for name, _ in _FACTS.values()}
        image = glance.find(self.cloud, args.image)
        publishing.publish(
            self.cloud,
            image['id'],
            args.family,
            {name: value for name, value in facts.items() if value},
            args.visibility,
        )
        found = families.look(self.cloud, args.family, image['owner'])
        if found.version(image['id']).is_hidden:
            base.say(
                f'{image["id"]} was published before and is a former version '
                'now: see "openstack golden family rollback --to"'
            )
        return _table(found)


class ListFamily(base.Command, command.Lister):
    """List families, each by its current version."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--owner', metavar='<project>', help="Only that project's (ID)"
        )
        parser.add_argument(
            '--visibility',
            choices=('private', 'shared', 'community', 'public', 'all'),
            help='Only those; default all but those of other communities',
        )
        return parser

    def take_action(self, args):
        """What the user sees of them."""
        filters = {'owner': args.owner, 'visibility': args.visibility}
        found = families.current(
            self.cloud, **{n: v for n, v in filters.items() if v}
        )
        columns = (
            *('family', 'id', 'published', 'built', 'status'),
            *('visibility', 'owner'),
        )
        return columns, [
            (
                base.Text(version.family),
                version.id,
                _when(version),
                version.day,
                version.image['status'],
                version.image['visibility'],
                version.image['owner'],
            )
            for version in found
        ]


class ShowFamily(_FamilyCommand, command.Lister):
    """Show all versions of a family, the last published first."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_owner(parser)
        return parser

    def take_action(self, args):
        """Look, without doing anything."""
        return self.versions(args.family, self.owner(args))


class RollbackFamily(_FamilyCommand, command.Lister):
    """Have the name of a family stand for a former version again."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--to',
            metavar='<image>',
            help='Which (name or ID); default the youngest that is older '
            'than the current one',
        )
        _add_owner(parser)
        return parser

    def take_action(self, args):
        """Publish it again; returns all versions."""
        publishing.roll_back(
            self.cloud,
            args.family,
            self.owner(args),
            args.to and glance.find(self.cloud, args.to)['id'],
        )
        return self.versions(args.family, self.owner(args))


class RetireFamily(_FamilyCommand):
    """Hide all versions of a family, whose IDs stay valid."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--force',
            action='store_true',
            help='Although it is to be provided for longer',
        )
        _add_owner(parser)
        return parser

    def take_action(self, args):
        """Hide them."""
        publishing.retire(
            self.cloud, args.family, self.owner(args), args.force
        )


class PruneFamily(_FamilyCommand, command.Lister):
    """Delete former versions that no server was made from."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--keep',
            metavar='<n>',
            type=_natural,
            required=True,
            help='How many former versions stay in any case',
        )
        parser.add_argument(
            '--dry-run', action='store_true', help='Only list them'
        )
        _add_owner(parser)
        return parser

    def take_action(self, args):
        """Delete them; returns what became of each."""
        judged = pruning.prune(
            self.cloud,
            args.family,
            self.owner(args),
            args.keep,
            args.dry_run,
        )
        gone = 'to be deleted' if args.dry_run else 'deleted'
        return ('id', 'name', 'state', 'reason'), [
            (
                judgement.version.id,
                base.Text(judgement.version.image['name']),
                'kept' if judgement.kept else gone,
                base.Text(judgement.kept),
            )
            for judgement in judged
        ]


class CopyFamily(_FamilyCommand, command.ShowOne):
    """Publish a version in another cloud, region or project."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--to-cloud',
            metavar='<cloud>',
            required=True,
            help='Where to: a name in clouds.yaml',
        )
        parser.add_argument(
            '--version',
            metavar='<image>',
            help='Which (name or ID); default the current one',
        )
        parser.add_argument(
            '--name',
            metavar='<family>',
            help='What the family is called there (default: the same)',
        )
        _add_visibility(parser)
        _add_owner(parser)
        return parser

    def take_action(self, args):
        """Copy it; returns the image there."""
        found = families.look(self.cloud, args.family, self.owner(args))
        version = found.current
        if args.version:
            version = found.version(
                glance.find(self.cloud, args.version)['id']
            )
        if version is None:
            raise exception.FamilyRetired(family=args.family)
        name = args.name or args.family
        with openstack.connect(cloud=args.to_cloud) as destination:
            copy = copying.copy(
                self.cloud,
                version,
                destination,
                name,
                args.visibility,
                _Progress(version.image['size']).show,
            )
        return ('cloud', 'family', 'id'), (args.to_cloud, name, copy)


class _Progress:
    """What a person who waits reads: each tenth once.

    :param size: bytes
    """

    def __init__(self, size):
        self._size, self._tenths = size, 0

    def show(self, sent):
        """Say how much there is, if that is news."""
        tenths = sent * 10 // self._size
        if tenths > self._tenths:
            self._tenths = tenths
            base.say(
                f'{sent // _MIB} of {self._size // _MIB} MiB ({tenths * 10} %)'
            )
