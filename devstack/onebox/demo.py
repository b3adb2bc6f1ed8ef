# SPDX-License-Identifier: Apache-2.0
"""The demo's first half: options, packages, the box and the ISOs.

The second half talks to the cloud, demo_cloud.py, and runs in the box's own
Python, which has openstacksdk.
"""

import json
import os
from pathlib import Path
import shlex
import subprocess
import sys

from devstack.onebox import demo_options
from devstack.onebox import state as state_module
from devstack.onebox.demo_steps import Steps
from devstack.onebox.errors import BoxError
from devstack.onebox.media import cache
from devstack.onebox.media import debian
from devstack.onebox.media import drivers
from devstack.onebox.media import host
from devstack.onebox.progress import say

BOX = Path(__file__).with_name('box')


def bring_box_up(state):
    """:raises DemoError: when the box does not come up."""
    done = subprocess.run([BOX, 'up', '--state', state])
    if done.returncode:
        raise demo_options.DemoError(
            'the box did not come up; it said why above. A box made with '
            f'options of "{BOX} up --state {state}" is used as it is'
        )


def box_variables(state):
    """Return what "box env" exports, as a dictionary."""
    done = subprocess.run(
        [BOX, 'env', '--state', state], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise demo_options.DemoError('the box has no environment to give')
    words = shlex.split(done.stdout)
    return dict(word.split('=', 1) for word in words if '=' in word)


def choose_media(options, steps):
    """Return (installer ISO, driver ISO or None), built if not given."""
    if options.iso:
        return options.iso, options.driver_iso
    store = cache.Cache()
    steps.take('packages for making ISOs', host.install_missing, say)
    installer = steps.take('installer ISO', debian.obtain, store, say)
    return installer, options.driver_iso or steps.take(
        'driver ISO', drivers.obtain, store, say
    )


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
        'state': str(state),
        'steps': steps.seconds,
    }


def environment(variables):
    """Return the variables for the second half.

    Without those of another cloud, which openstack would mix in.
    """
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('OS_')
    }
    return {**others, **variables}


def main(arguments=None):
    try:
        options = demo_options.parse(arguments)
        state = state_module.State(options.state).root
        steps = Steps()
        media = choose_media(options, steps)
        steps.take('box up', bring_box_up, state)
        variables = box_variables(state)
    except (
        demo_options.DemoError,
        host.MediaError,
        BoxError,
        OSError,
    ) as error:
        sys.exit(f'demo: {error}')
    except KeyboardInterrupt:
        sys.exit('demo: interrupted; the next run goes on from here')
    plan = json.dumps(describe(options, state, media, steps))
    python = Path(variables['ONEBOX_VENV']) / 'bin/python'
    os.execve(  # noqa: S606
        python,
        [python, '-P', '-m', 'devstack.onebox.demo_cloud', plan],
        environment(variables),
    )


if __name__ == '__main__':
    main()
