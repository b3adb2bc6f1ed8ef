# SPDX-License-Identifier: Apache-2.0
"""``openstack golden build ...``."""

import contextlib
import datetime
import functools
import math
import pathlib
import time

from cliff import columns as cliff_columns
from osc_lib import exceptions
from osc_lib.cli import parseractions
from osc_lib.command import command

from nova_newos import exception
from nova_newos import terminal
from nova_newos.build import engine
from nova_newos.build import exception as build_exception
from nova_newos.build import facts
from nova_newos.build import iso_file
from nova_newos.build import plan
from nova_newos.build import start
from nova_newos.build import times
from nova_newos.build.recipes import order
from nova_newos.osc import base
from nova_newos.osc import progress
from nova_newos.osc import source

#: Seconds between two looks.
_PAUSE = 3

#: Seconds in which the client that has begun a build goes on after its upload.
_ORPHANED = 60


def _add_build(parser):
    parser.add_argument('build', metavar='<build>', help='ID of the build')


class _Console(cliff_columns.FormattableColumn):
    """The last lines of a console."""

    def human_readable(self):
        """Below each other."""
        return '\n'.join(terminal.printable(line) for line in self._value)

    def machine_readable(self):
        """A list of str."""
        return list(self._value)


def _time(time):
    return times.text_of(time) if time else ''


def _summary(status):
    """Columns of one build: names and values."""
    row = {
        'id': status.build_id,
        'name': terminal.printable(status.name),
        'phase': status.phase.value,
        'detail': terminal.printable(status.detail),
        'image': status.image.id if status.image else '',
        'begun': _time(status.begun),
        'seconds': status.seconds,
        'phase_since': _time(status.since),
        'phase_seconds': status.phase_seconds,
        'failed_in': status.failed_in.value if status.failed_in else '',
        'console': _Console(status.console),
    }
    return tuple(row), tuple(row.values())


def _patiently(progress, call):
    """Call something until the cloud answers; returns what that returns."""
    while True:
        try:
            return call()
        except base.CLOUD_ERRORS as error:
            if not base.may_pass(error):
                raise
            progress.say(f'the cloud does not answer, trying again: {error}')
        time.sleep(_PAUSE)


def _drive(cloud, build_id, progress):
    """Go on until the build is over; returns its last status."""
    orphaned = None
    while True:
        status = _patiently(progress, lambda: engine.advance(cloud, build_id))
        progress.show(status)
        if status.is_over:
            return status
        if not status.is_orphan:
            orphaned = None
        elif orphaned is None:
            orphaned = time.monotonic()
        elif time.monotonic() - orphaned > _ORPHANED:
            raise exceptions.CommandError(terminal.printable(status.detail))
        time.sleep(_PAUSE)


class _Ending(base.Command, command.ShowOne):
    """A command that may wait for the end of a build.

    :ivar exit_status: 1 for a build that has failed, whatever was printed
    """

    exit_status = 0

    def run(self, parsed_args):
        """Say by the exit status too what became of it."""
        return super().run(parsed_args) or self.exit_status

    def finish(self, build_id, progress):
        """Wait for a build and show it, however it ends."""
        try:
            status = _drive(self.cloud, build_id, progress)
        except KeyboardInterrupt:
            raise exceptions.CommandError(
                'interrupted; the server goes on by itself, and the build '
                f'with: openstack golden build wait {build_id}'
            ) from None
        if status.phase is engine.Phase.FAILED:
            self.exit_status = 1
            _say_failure(status, progress.say)
        return _summary(status)


def _say_failure(status, say):
    say(
        f'build {status.build_id} has failed after {status.seconds or 0} s, '
        f'{status.phase_seconds or 0} s of them in its last phase: '
        f'{status.detail}'
    )
    if status.console:
        say('Its console ended with')
    for line in status.console:
        say(f'   | {line}')


class CreateBuild(_Ending):
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
        iso = parser.add_mutually_exclusive_group()
        iso.add_argument(
            '--iso',
            metavar='<image>',
            help="The install ISO (name or ID; default: the recipe's)",
        )
        iso.add_argument(
            '--iso-file',
            metavar='<file>',
            type=pathlib.Path,
            help='The install ISO, a file that is uploaded, and deleted from '
            'the cloud at the end of the build',
        )
        add(
            '--keep-iso',
            action='store_true',
            help='Keep the image of --iso-file, for builds from the same file',
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
            'regular expression for a line on it; "port:N": it is to take a '
            'TCP connection of this client; or "none"',
        )
        add(
            '--install-limit',
            metavar='<minutes>',
            type=_minutes,
            default=0,
            help='Fail when the installation takes longer (default: never)',
        )
        add(
            '--test-limit',
            metavar='<minutes>',
            type=_minutes,
            default=plan.TEST_LIMIT,
            help='Fail when the candidate has not come up in that time '
            '(default: %(default)s)',
        )
        add(
            '--keep-failed',
            action='store_true',
            help='Keep servers and candidate when the build fails, to look at '
            'or to resume it',
        )
        add('--wait', action='store_true', help='Go on until it is over')
        return parser

    def take_action(self, args):
        """Begin, and wait if asked to."""
        cloud = self.cloud
        if args.keep_iso and not args.iso_file:
            raise exceptions.CommandError('--keep-iso is for --iso-file')
        with progress.of(cloud) as shown:
            wanted = source.ordered(
                cloud,
                args,
                iso=self._iso(args, shown),
                flavor=args.flavor and self._flavor(args.flavor),
                network=self._network(args.network),
                boot_test=args.boot_test,
                keep_failed=args.keep_failed,
                install_limit=args.install_limit,
                test_limit=args.test_limit,
            )
            if args.if_changed and (image := order.unchanged(cloud, wanted)):
                return _summary(_unchanged(image))
            build_id = self._begin(wanted, args, shown)
            if args.wait:
                return self.finish(build_id, shown)
        return _summary(engine.status(cloud, build_id))

    def _iso(self, args, shown):
        """The image or the file of the install ISO, None for the recipe's."""
        if args.iso_file:
            return self._file(args.iso_file, shown)
        if args.iso is None:
            return None
        iso = self.cloud.image.find_image(args.iso)
        if iso is None:
            raise exceptions.CommandError(_no_image(args.iso))
        return self.cloud.image.get_image(iso.id)

    def _file(self, path, shown):
        file = iso_file.look(path)
        for note in file.notes:
            shown.say(f'{file.name}: {note}')
        for other in iso_file.interrupted(self.cloud, file):
            shown.say(
                f'{file.name} was not uploaded whole by another build, or is '
                'just being: if that was ended, openstack golden build '
                f'cancel {other}'
            )
        return file

    def _begin(self, wanted, args, shown):
        build_id = start.new_id()
        what = wanted.plan, wanted.iso, wanted.user_data, wanted.metadata
        if not args.iso_file:
            start.create(self.cloud, build_id, *what)
            return build_id
        begin = functools.partial(
            start.create_from_file,
            self.cloud,
            build_id,
            *what,
            keep_iso=args.keep_iso,
            told=functools.partial(shown.uploading, wanted.iso),
        )
        try:
            _patiently(shown, begin)
        except BaseException:
            # Nobody could go on: the user data is known here alone.
            with contextlib.suppress(build_exception.BuildNotFound):
                engine.cancel(self.cloud, build_id)
            raise
        return build_id

    def _flavor(self, name):
        return self.cloud.compute.find_flavor(name, ignore_missing=False).id

    def _network(self, name):
        if name in ('none', 'auto'):
            return name
        return self.cloud.network.find_network(name, ignore_missing=False).id


def _unchanged(image):
    return engine.Status(
        '',
        engine.Phase.DONE,
        'built of the same before',
        name=image.name,
        image=image,
    )


def _minutes(text):
    minutes = float(text)
    if not 0 <= minutes < math.inf:
        raise ValueError(text)
    return minutes


def _no_image(name):
    text = f"there is no image '{terminal.printable(name)}'"
    if pathlib.Path(name).is_file():
        text += f': for the file of that name use --iso-file {name}'
    return text


class ListBuild(base.Command, command.Lister):
    """List builds that are not over."""

    def take_action(self, args):
        """What there is of each, without doing anything."""
        rows = [
            (
                build.build_id,
                terminal.printable(build.name),
                build.begun,
                *self._stands(build),
            )
            for build in facts.builds(self.cloud)
        ]
        return ('id', 'name', 'begun', 'phase', 'detail'), rows

    def _stands(self, build):
        """Phase and detail; one that is broken does not hide the others."""
        try:
            status = engine.status(self.cloud, build.build_id)
        except (exception.NewosError, *base.CLOUD_ERRORS) as error:
            return 'unknown', terminal.printable(str(error))
        return status.phase.value, terminal.printable(status.detail)


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


class WaitBuild(_Ending):
    """Go on with a build, whoever began it, until it is over."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_build(parser)
        return parser

    def take_action(self, args):
        """Do its steps."""
        with progress.of(self.cloud) as shown:
            return self.finish(args.build, shown)


class ResumeBuild(_Ending):
    """Go on with a build that has failed and was kept, where it failed."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_build(parser)
        parser.add_argument(
            '--user-data',
            metavar='<file>',
            type=pathlib.Path,
            help='The user data that it began with, for a build that has '
            'failed to install',
        )
        parser.add_argument(
            '--wait', action='store_true', help='Go on until it is over'
        )
        return parser

    def take_action(self, args):
        """Have it done anew, and wait if asked to."""
        engine.resume(
            self.cloud,
            args.build,
            args.user_data and args.user_data.read_bytes(),
        )
        if args.wait:
            with progress.of(self.cloud) as shown:
                return self.finish(args.build, shown)
        return _summary(engine.status(self.cloud, args.build))


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
        oldest = times.now() - datetime.timedelta(hours=args.older_than)
        found = [
            build
            for build in facts.builds(self.cloud)
            if times.parse(build.begun) < oldest
        ]
        if not args.dry_run:
            for build in found:
                self._cancel(build)
        return ('id', 'name', 'begun'), [
            (build.build_id, terminal.printable(build.name), build.begun)
            for build in found
        ]

    def _cancel(self, build):
        """One that cannot be cancelled does not keep the others."""
        try:
            engine.cancel(self.cloud, build.build_id)
        except (exception.NewosError, *base.CLOUD_ERRORS) as error:
            base.say(f'{build.build_id} was not cancelled: {error}')
