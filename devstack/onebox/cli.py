# SPDX-License-Identifier: Apache-2.0
"""The command line of the one box."""

import argparse
import concurrent.futures
import os
import shlex
import sys

from devstack.onebox import kvm
from devstack.onebox import packages
from devstack.onebox import pythonenv
from devstack.onebox import settings as settings_module
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import fail
from devstack.onebox.progress import say


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
    for name, text in (
        ('up', 'make the box, or complete it'),
        ('down', 'end all that runs, guests included; keep the data'),
        ('status', 'tell what runs; status 3 when something does not'),
        ('wipe', 'take the box down and remove the state directory'),
        (
            'env',
            'print shell commands that make the box usable: eval "$(box env)"',
        ),
    ):
        command = commands.add_parser(
            name, parents=[common], help=text, description=text
        )
        if name == 'up':
            _add_choices(command)
    return whole


def _add_choices(command):
    command.description = (
        'Choices are remembered: without options, an existing box keeps its '
        'own.'
    )
    command.add_argument(
        '--release',
        metavar='|'.join(settings_module.RELEASES),
        help=f'OpenStack release (default: {settings_module.NEWEST})',
    )
    command.add_argument(
        '--compute-driver',
        metavar='NAME',
        help=f'Nova compute driver (default: {settings_module.OUR_DRIVER}; '
        'stock Nova: libvirt.LibvirtDriver)',
    )
    command.add_argument(
        '--set',
        metavar='GROUP.OPTION=VALUE',
        action='append',
        default=[],
        dest='overrides',
        help='an option for nova.conf, repeatable; no value forgets it',
    )
    command.add_argument(
        '--port-base',
        metavar='PORT',
        type=int,
        help=f'first TCP port (default: {settings_module.PORT_BASE}), for a '
        'second box beside the first',
    )


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
    if options.command == 'env':
        return _env(state)
    if os.geteuid() != 0:
        raise BoxError(f"'{options.command}' needs root: use sudo")
    if options.command == 'up':
        return up(state, options)
    if not state.exists():
        raise BoxError(f"no box in {state.root}: make one with 'box up'")
    if options.command == 'wipe' and not state.venv.exists():
        # What was never finished never started anything.
        with state.locked():
            return state.remove()
    pythonenv.enter(state)
    from devstack.onebox import down
    from devstack.onebox import status

    return {
        'down': down.down,
        'wipe': down.wipe,
        'status': status.status,
    }[options.command](state)


def up(state, choices):
    """Make or complete a box.

    :param choices: object with the attributes of 'box up' options.
    :raises BoxError: when the user must do something first.
    """
    packages.check_machine()
    settings = settings_module.merge(
        settings_module.load(state.settings),
        choices.release,
        choices.compute_driver,
        choices.port_base,
        choices.overrides,
    )
    state.check()
    with state.locked():
        if not state.exists():
            # It makes the directory a box.
            state_module.write(state.settings, settings_module.dump(settings))
        state.create()
        packages.install(state.logs / 'apt.log')
        with concurrent.futures.ThreadPoolExecutor() as pool:
            trial = pool.submit(kvm.find_out, state)
            pythonenv.provide(state, settings)
            trial.result()
    pythonenv.enter(state)
    from devstack.onebox import bringup

    with state.locked():
        bringup.up(state, settings)
    _tell(state)


def _tell(state):
    box = state_module.TOP / 'devstack' / 'onebox' / 'box'
    where = (
        '' if state.root == state_module.DEFAULT else f' --state {state.root}'
    )
    say(f'the cloud is up; its files are in {state.root}')
    say(f'to use it:  eval "$({shlex.quote(str(box))} env{where})"')


def _env(state):
    """Print shell commands that give a shell the box."""
    if not os.access(state.root, os.R_OK) and state.root.exists():
        raise BoxError(f'{state.root} cannot be read: use sudo')
    if not state.exists():
        raise BoxError(f"no box in {state.root}: make one with 'box up'")
    for name, value in state.variables().items():
        say(f'export {name}={shlex.quote(value)}')


if __name__ == '__main__':
    sys.exit(main())
