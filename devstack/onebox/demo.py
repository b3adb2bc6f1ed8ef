# SPDX-License-Identifier: Apache-2.0
"""The demo's first half: options, the box and the ISOs.

The second half talks to the cloud, demo_cloud.py, and runs in the box's own
Python, which has openstacksdk.
"""

import concurrent.futures
import json
import os
import subprocess
import sys

from devstack.onebox import client
from devstack.onebox import demo_options
from devstack.onebox import progress
from devstack.onebox.errors import BoxError


def bring_box_up(state):
    """:raises BoxError: when the box does not come up."""
    command = [client.COMMAND, 'up', '--state', state.root]
    if subprocess.run(command, check=False).returncode:
        raise BoxError(
            'the box did not come up; it said why above. A box made with '
            f'options of "{client.COMMAND} up --state {state.root}" is used '
            'as it is'
        )


def choose_media(options, steps):
    """Return (installer ISO, driver ISO or None), built if not given."""
    if options.iso:
        return options.iso, options.driver_iso
    installer = steps.take('installer ISO', client.medium, 'debian')
    return installer, options.driver_iso or steps.take(
        'driver ISO', client.medium, 'drivers'
    )


def prepare(options, state, steps):
    """Have a box, and the ISOs meanwhile; returns choose_media()'s."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        media = pool.submit(choose_media, options, steps)
        steps.take('box up', bring_box_up, state)
        return media.result()


def describe(options, state, media, steps):
    """Return what demo_cloud.py is to do, as plain values."""
    installer, driver_iso = media
    return {
        'iso': str(installer),
        'driver_iso': str(driver_iso) if driver_iso else None,
        'own_iso': options.iso is None,
        'flavor': demo_options.flavor(options),
        'timeout': options.timeout * 60,
        'console_pattern': options.console_pattern,
        'state': str(state.root),
        'steps': steps.seconds,
    }


def environment(state):
    """Return the variables for the second half.

    Without those of another cloud, which openstack would mix in.
    """
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('OS_')
    }
    return others | state.variables() | progress.handed_on()


def main(arguments=None):
    options = demo_options.parse(arguments)
    if os.geteuid() != 0:
        sys.exit('demo: needs root: use sudo')
    steps = progress.Steps()
    try:
        state = client.Box(options.state).state
        media = prepare(options, state, steps)
    except (BoxError, OSError) as error:
        sys.exit(f'demo: {error}')
    except KeyboardInterrupt:
        sys.exit('demo: interrupted; the next run goes on from here')
    plan = json.dumps(describe(options, state, media, steps))
    python = state.venv / 'bin' / 'python'
    os.execve(  # noqa: S606
        python,
        [python, '-P', '-m', 'devstack.onebox.demo_cloud', plan],
        environment(state),
    )


if __name__ == '__main__':
    main()
