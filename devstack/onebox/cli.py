# SPDX-License-Identifier: Apache-2.0
"""The command line of the one box."""

import argparse
import os
import sys

from devstack.onebox import down
from devstack.onebox import report
from devstack.onebox import settings
from devstack.onebox import state as state_module
from devstack.onebox import up
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import fail


def parser():
    """The argparse parser."""
    whole = argparse.ArgumentParser(
        prog='box', description='A real OpenStack on this machine.'
    )
    commands = whole.add_subparsers(dest='command', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        '--state',
        metavar='DIR',
        default=os.environ.get('ONEBOX_STATE') or state_module.DEFAULT,
        help='where everything of the box lies (default: %(default)s)',
    )
    starting = commands.add_parser(
        'up',
        parents=[common],
        help='make the box, or complete it',
        description='Choices are remembered: without options, an existing '
        'box keeps its own.',
    )
    starting.add_argument(
        '--release',
        metavar='|'.join(settings.RELEASES),
        help=f'OpenStack release (default: {settings.NEWEST})',
    )
    starting.add_argument(
        '--compute-driver',
        metavar='NAME',
        help=f'Nova compute driver (default: {settings.OUR_DRIVER}; stock '
        'Nova: libvirt.LibvirtDriver)',
    )
    starting.add_argument(
        '--set',
        metavar='GROUP.OPTION=VALUE',
        action='append',
        default=[],
        dest='overrides',
        help='an option for nova.conf, repeatable; no value forgets it',
    )
    starting.add_argument(
        '--port-base',
        metavar='PORT',
        type=int,
        help=f'first TCP port (default: {settings.PORT_BASE}), for a second '
        'box beside the first',
    )
    for name, text in (
        ('down', 'end all that runs, guests included; keep the data'),
        ('status', 'tell what runs; status 3 when something does not'),
        ('wipe', 'take the box down and remove the state directory'),
        (
            'env',
            'print shell commands that make the box usable: eval "$(box env)"',
        ),
    ):
        commands.add_parser(
            name, parents=[common], help=text, description=text
        )
    return whole


def main(arguments=None):
    """:returns: the exit status."""
    options = parser().parse_args(arguments)
    try:
        return _run(options) or 0
    except BoxError as exc:
        return fail(str(exc))
    except KeyboardInterrupt:
        return fail("interrupted; 'box up' goes on from here")


def _run(options):
    state = state_module.State(options.state)
    if options.command != 'env' and os.geteuid() != 0:
        raise BoxError(f"'{options.command}' needs root: use sudo")
    if options.command == 'up':
        up.up(
            state,
            {
                'release': options.release,
                'compute_driver': options.compute_driver,
                'port_base': options.port_base,
                'overrides': options.overrides,
            },
        )
        return up.report(state)
    return {
        'down': down.down,
        'wipe': down.wipe,
        'status': report.status,
        'env': report.env,
    }[options.command](state)


if __name__ == '__main__':
    sys.exit(main())
