# SPDX-License-Identifier: Apache-2.0
"""``openstack golden build screenshot | type | record``.

The client loads this module for its help: what takes long to load, pictures
and the way to them, is imported where it is used.
"""

import pathlib
import sys
import time

from nova_newos import keys
from nova_newos.build import facts
from nova_newos.build.console import exception
from nova_newos.osc import base

#: Seconds between two looks at the screen.
_PAUSE = 1


class _ConsoleCommand(base.Command):
    """What is about the screen of one build."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument('build', metavar='<build>', help='ID of the build')
        return parser

    def connect(self, build_id):
        """The screen of the server that the build is at."""
        from nova_newos.build.console import display
        from nova_newos.build.console import viewer

        server = viewer.server_of(facts.look(self.cloud, build_id))
        if server is None:
            raise exception.ServerMissing(build=build_id)
        return display.connect(self.cloud, server)


class ScreenshotBuild(_ConsoleCommand):
    """Save a picture of what a build's server shows."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'file',
            metavar='<file>',
            help='PNG file to write, "-" for standard output',
        )
        return parser

    def take_action(self, args):
        """Look, beside whoever else does."""
        from nova_newos.build.console import viewer

        with self.connect(args.build) as screen:
            picture = viewer.png(screen.look())
        if args.file == '-':
            sys.stdout.buffer.write(picture)
        else:
            pathlib.Path(args.file).write_bytes(picture)


class TypeBuild(_ConsoleCommand):
    """Type on the keyboard of a build's server."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'keys',
            metavar='<keys>',
            help="What to type, in Packer's notation: plain text, <enter>, "
            '<f10>, <leftCtrlOn>c<leftCtrlOff>, <wait5>; <waitIdle> waits '
            'until the screen has come to rest',
        )
        return parser

    def take_action(self, args):
        """Type, and wait until it has arrived."""
        from nova_newos.build.console import typist

        steps = keys.parse(args.keys)
        with self.connect(args.build) as screen:
            typist.type_keys(screen, steps)


class RecordBuild(_ConsoleCommand):
    """Record screen, serial console and phases while a build is at work."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'directory',
            metavar='<directory>',
            type=pathlib.Path,
            help='Where index.html is written, which plays it',
        )
        return parser

    def take_action(self, args):
        """Look until the build is over, or somebody interrupts it.

        The build goes on by "golden build wait" alone.
        """
        from nova_newos.build.console import record

        with record.Recorder(
            self.cloud, args.build, args.directory
        ) as recorder:
            try:
                while self._goes_on(recorder):
                    time.sleep(_PAUSE)
            except KeyboardInterrupt:
                base.say('interrupted; what there is can be played')
        base.say(f'recorded in {recorder.path}')

    def _goes_on(self, recorder):
        """Look once; whether there is more to come."""
        try:
            return recorder.look()
        except base.CLOUD_ERRORS as error:
            if not base.may_pass(error):
                raise
            base.say(f'the cloud does not answer, trying again: {error}')
            return True
