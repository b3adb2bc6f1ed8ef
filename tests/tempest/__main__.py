# SPDX-License-Identifier: Apache-2.0
"""Tempest with Nova's driver and with ours: python3 -m tests.tempest."""

import argparse
import os
import pathlib
import sys

from devstack.onebox import client
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError
from tests.tempest import cloud as cloud_module
from tests.tempest import conf
from tests.tempest import environment
from tests.tempest import results
from tests.tempest import runs

# With serial consoles, Nova starts a server that leaves rescue with the port
# it had before, which another server may have got in the meantime.
_OPTIONS = {'serial_console.enabled': 'false'}


def parser():
    """The argparse parser."""
    whole = argparse.ArgumentParser(
        prog='python3 -m tests.tempest',
        description='Run the same tests of Tempest with both compute drivers '
        'on the one box, and show the outcomes side by side. Exit status 1 '
        'when something does worse with ours, twice.',
    )
    whole.add_argument(
        '--state',
        metavar='DIR',
        default=os.environ.get('ONEBOX_STATE') or state_module.DEFAULT,
        help="the one box's directory (%(default)s)",
    )
    whole.add_argument(
        '--junitxml',
        metavar='FILE',
        type=pathlib.Path,
        help='also write the results to this file',
    )
    return whole


def compare(box):
    """Run the selection with both drivers, and doubtful tests again.

    :param box: devstack.onebox.client.Box
    :returns: results.Verdict
    :raises BoxError: when there is nothing to compare
    """
    place = box.state.root / 'tempest'
    place.mkdir(mode=0o700, exist_ok=True)
    commands = environment.provide(box.state, place / 'venv')
    cloud = cloud_module.Cloud(box.state)
    cloud.clean()
    with cloud.images() as images, box.settings_kept():
        tempest = runs.Tempest(
            box.state,
            commands,
            place / 'runs',
            conf.groups(
                cloud.credentials(),
                cloud.services(),
                images,
                cloud.flavors(),
                place / 'runs',
            ),
        )
        return _both(box, tempest)


def _both(box, tempest):
    box.use(client.STOCK, **_OPTIONS)
    stock = tempest.run('stock')
    box.use(client.OURS, **_OPTIONS)
    first = results.Comparison(stock, tempest.run('ours'))
    doubtful = first.again(first.worse())
    if not doubtful:
        return results.Verdict(first)
    ours = tempest.run('ours-again', doubtful)
    box.use(client.STOCK, **_OPTIONS)
    stock = tempest.run('stock-again', doubtful)
    return results.Verdict(first, results.Comparison(stock, ours))


def main(arguments=None):
    """:returns: the exit status."""
    options = parser().parse_args(arguments)
    try:
        box = client.Box(options.state)
        box.check_up()
        verdict = compare(box)
    except BoxError as error:
        sys.exit(f'tests.tempest: {error}')
    except KeyboardInterrupt:
        sys.exit('tests.tempest: interrupted')
    print(verdict.report())
    if options.junitxml:
        options.junitxml.write_bytes(verdict.junit())
    return int(verdict.failed())


if __name__ == '__main__':
    sys.exit(main())
