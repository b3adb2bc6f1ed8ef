# SPDX-License-Identifier: Apache-2.0
"""What all commands have: the connection, and errors in a line."""

import sys

from cliff import columns
from keystoneauth1.exceptions import ClientException
from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions
from osc_lib.command import command

from nova_newos import exception
from nova_newos import terminal

#: What the cloud's libraries raise.
CLOUD_ERRORS = (sdk_exceptions.SDKException, ClientException)

# Timeouts, and more requests than the cloud takes.
_TRY_AGAIN = (408, 429)


class Command(command.Command):
    """A command over one cloud."""

    @property
    def cloud(self):
        """An ``openstack.connection.Connection``."""
        return self.app.client_manager.golden

    def run(self, parsed_args):
        """Have the client print our errors as its own."""
        try:
            return super().run(parsed_args)
        except exception.NewosError as error:
            raise exceptions.CommandError(
                terminal.printable(str(error))
            ) from error


def say(line):
    """Tell a person who waits; what a program reads is printed at the end."""
    print(terminal.printable(line), file=sys.stderr, flush=True)


class Text(columns.FormattableColumn):
    """Names, reasons and the like: programs get them as they are."""

    def human_readable(self):
        """For a table."""
        return terminal.printable(str(self._value))


def may_pass(error):
    """Whether one of CLOUD_ERRORS is the cloud's trouble, not a refusal."""
    code = getattr(error, 'http_status', None)
    code = code or getattr(error, 'status_code', None)
    return code is None or code >= 500 or code in _TRY_AGAIN
