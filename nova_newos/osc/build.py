# SPDX-License-Identifier: Apache-2.0
"""``openstack golden build ...``."""

import datetime
import pathlib
import time

from osc_lib import exceptions
from osc_lib.cli import parseractions
from osc_lib.command import command
from oslo_utils import timeutils

from nova_newos import exception
from nova_newos.build import engine
from nova_newos.build import facts
from nova_newos.build import start
from nova_newos.build.recipes import order
from nova_newos.osc import base
from nova_newos.osc import source

#: Seconds between two looks, and between two lines that say the same.
_PAUSE = 3
_REPEAT = 60


def _add_build(parser):
    parser.add_argument('build', metavar='<build>', help='ID of the build')


def _summary(status):
    """Columns of one build: names and values."""
    row = {
        'id': status.build_id,
        'phase': status.phase.value,
        'detail': status.detail,
        'image': status.image.id if status.image else '',
    }
    return tuple(row), tuple(row.values())


class _Progress:
    """What a person who waits reads: each step once, and then each minute.

    :param say: called with a line
    """

    def __init__(self, say):
        self._say = say
        self._begun = time.monotonic()
        self._step, self._said = None, 0
        self._console, self._changed = (), self._begun

    def show(self, status):
        """Say where the build stands, if that is news."""
        now = time.monotonic()
        if status.console != self._console:
            self._console, self._changed = status.console, now
        step = (status.phase, status.detail)
        if step == self._step and now - self._said < _REPEAT:
            return
        self._step, self._said = step, now
        self._say(
            f'[{now - self._begun:6.0f} s] {status.phase.value}: '
            f'{status.detail}{self._stall(now)}'
        )

    def _stall(self, now):
        """What the console has shown for a while, and nothing else."""
        minutes = int((now - self._changed) / 60)
        last = next((line for line in self._console[::-1] if line.strip()), '')
        if not minutes or not last:
            return ''
        return f'; the console has shown {last.strip()!r} for {minutes} min'


def _drive(cloud, build_id, say):
    """Go on until the build is over; returns its last status."""
    progress = _Progress(say)
    while True:
        try:
            status = engine.advance(cloud, build_id)
        except base.CLOUD_ERRORS as error:
            if not base.may_pass(error):
                raise
            say(f'the cloud does not answer, trying again: {error}')
        else:
            progress.show(status)
            if status.is_over:
                return status
        time.sleep(_PAUSE)


def _finish(cloud, build_id):
    """Wait for a build and show it.

    :raises CommandError: when it has failed, with what its console said last
    """
    try:
        status = _drive(cloud, build_id, base.say)
    except KeyboardInterrupt:
        raise exceptions.CommandError(
            'interrupted; the server goes on by itself, and the build with: '
            f'openstack golden build wait {build_id}'
        ) from None
    if status.phase is engine.Phase.FAILED:
        tail = ''.join(f'\n   | {line}' for line in status.console)
        raise exceptions.CommandError(
            f'build {build_id} has failed: {status.detail}'
            + (f'\nIts console ended with{tail}' if tail else '')
        )
    return _summary(status)


class CreateBuild(base.Command, command.ShowOne):
    """Install from an ISO, and publish the tested golden image."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add(
            'name',
            metavar='<name>',
            nargs='?',
            help="Name of the golden image (default: the recipe's family)",
        )
        source.add_arguments(parser)
        add(
            '--iso',
            metavar='<image>',
            help="The install ISO (name or ID; default: the recipe's)",
        )
        add(
            '--flavor',
            metavar='<flavor>',
            help='Flavor of the servers (name or ID; default: the smallest '
            'one that the recipe allows)',
        )
        add(
            '--network',
            metavar='<network>',
            default='auto',
            help='Network of the servers (name or ID), "none", or "auto" '
            '(default)',
        )
        add(
            '--user-data',
            metavar='<file>',
            type=pathlib.Path,
            help="The installer's answers, or other user data",
        )
        add(
            '--property',
            metavar='<key=value>',
            action=parseractions.KeyValueAction,
            dest='properties',
            help='Property of the install server, newos_seal=true or '
            'newos_finish=reboot say (repeat for more)',
        )
        add(
            '--boot-test',
            metavar='<test>',
            help='"console": the candidate is to show a login prompt on its '
            'serial console (default without a recipe that says another); a '
            'regular expression for a line on it; or "none"',
        )
        add(
            '--keep-failed',
            action='store_true',
            help='Keep servers and candidate when the build fails',
        )
        add('--wait', action='store_true', help='Go on until it is over')
        return parser

    def take_action(self, args):
        """Begin, and wait if asked to."""
        cloud = self.cloud
        wanted = source.ordered(
            cloud,
            args,
            iso=args.iso and self._iso(args.iso),
            flavor=args.flavor and self._flavor(args.flavor),
            network=self._network(args.network),
            boot_test=args.boot_test,
            keep_failed=args.keep_failed,
        )
        if args.if_changed and (image := order.unchanged(cloud, wanted)):
            return _summary(
                engine.Status(
                    '', engine.Phase.DONE, 'built of the same before', image
                )
            )
        build_id = start.create(
            cloud,
            wanted.plan,
            wanted.iso,
            wanted.user_data,
            wanted.metadata,
        )
        if args.wait:
            return _finish(cloud, build_id)
        return _summary(engine.status(cloud, build_id))

    def _iso(self, name):
        iso = self.cloud.image.find_image(name, ignore_missing=False)
        return self.cloud.image.get_image(iso.id)

    def _flavor(self, name):
        return self.cloud.compute.find_flavor(name, ignore_missing=False).id

    def _network(self, name):
        if name in ('none', 'auto'):
            return name
        return self.cloud.network.find_network(name, ignore_missing=False).id


class ListBuild(base.Command, command.Lister):
    """List builds that are not over."""

    def take_action(self, args):
        """What there is of each, without doing anything."""
        rows = [
            (build.build_id, build.name, build.begun, *self._stands(build))
            for build in facts.builds(self.cloud)
        ]
        return ('id', 'name', 'begun', 'phase', 'detail'), rows

    def _stands(self, build):
        """Phase and detail; one that is broken does not hide the others."""
        try:
            status = engine.status(self.cloud, build.build_id)
        except exception.NewosError as error:
            return 'unknown', str(error)
        return status.phase.value, status.detail


class ShowBuild(base.Command, command.ShowOne):
    """Show where a build stands."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_build(parser)
        return parser

    def take_action(self, args):
        """Look, without doing anything."""
        return _summary(engine.status(self.cloud, args.build))


class WaitBuild(base.Command, command.ShowOne):
    """Go on with a build, whoever began it, until it is over."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_build(parser)
        return parser

    def take_action(self, args):
        """Do its steps."""
        return _finish(self.cloud, args.build)


class CancelBuild(base.Command):
    """Delete what a build has made, but for what it has published."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_build(parser)
        return parser

    def take_action(self, args):
        """Delete its servers and its candidate."""
        engine.cancel(self.cloud, args.build)


class PruneBuild(base.Command, command.Lister):
    """Cancel builds that nobody has gone on with."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--older-than',
            metavar='<hours>',
            type=float,
            required=True,
            help='Only builds that were begun so long ago',
        )
        parser.add_argument(
            '--dry-run', action='store_true', help='Only list them'
        )
        return parser

    def take_action(self, args):
        """Delete what they have made; returns what they were."""
        oldest = timeutils.utcnow() - datetime.timedelta(hours=args.older_than)
        found = [
            build
            for build in facts.builds(self.cloud)
            if timeutils.parse_isotime(build.begun).replace(tzinfo=None)
            < oldest
        ]
        if not args.dry_run:
            for build in found:
                engine.cancel(self.cloud, build.build_id)
        return ('id', 'name', 'begun'), [
            (build.build_id, build.name, build.begun) for build in found
        ]
