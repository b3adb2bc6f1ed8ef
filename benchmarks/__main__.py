# SPDX-License-Identifier: Apache-2.0
"""python -m benchmarks MEASUREMENT: stock Nova and ours."""

import argparse
import os
import sys
import warnings

from benchmarks.errors import BenchmarkError
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError


def _whole_number(text):
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f'{text!r}: give 1 or more')
    return int(text)


def parser():
    """The argparse parser."""
    whole = argparse.ArgumentParser(
        prog='python -m benchmarks',
        description='Measure stock Nova and nova-newos in one run.',
    )
    commands = whole.add_subparsers(required=True)
    box = argparse.ArgumentParser(add_help=False)
    box.add_argument(
        '--state',
        metavar='DIR',
        default=os.environ.get('ONEBOX_STATE') or state_module.DEFAULT,
        help="the one box's directory (%(default)s)",
    )
    blockinfo = commands.add_parser(
        'blockinfo',
        help='the cost of get_disk_info for an ordinary server',
    )
    _add_runs(blockinfo, 100, 'rounds')
    blockinfo.set_defaults(measure=_blockinfo)
    spawn = commands.add_parser(
        'spawn',
        parents=[box],
        help='seconds from creating an ISO server to its running guest',
    )
    _add_runs(spawn, 5, 'servers a block; there are two blocks a driver')
    spawn.set_defaults(measure=_spawn)
    ordinary = commands.add_parser(
        'ordinary',
        parents=[box],
        help='seconds that an ordinary server takes to spawn and to reboot',
    )
    _add_runs(ordinary, 5, 'servers a block; there are two blocks a driver')
    ordinary.set_defaults(measure=_ordinary)
    disk = commands.add_parser(
        'disk',
        parents=[box],
        help='disk that the first, second and fifth server of an ISO take',
    )
    disk.set_defaults(measure=_disk)
    burst = commands.add_parser(
        'burst',
        parents=[box],
        help='twenty servers of an ISO in one request: seconds and disk',
    )
    burst.set_defaults(measure=_burst)
    capture = commands.add_parser(
        'capture',
        parents=[box],
        help='seconds and disk that an image of an installed server takes',
    )
    _add_runs(capture, 2, 'images of each way')
    capture.add_argument(
        '--server',
        default='newos-demo-install',
        help='an installed server that is off (%(default)s)',
    )
    capture.set_defaults(measure=_capture)
    return whole


def _add_runs(command, default, what):
    command.add_argument(
        '--runs',
        type=_whole_number,
        metavar='N',
        default=default,
        help=f'{what} (%(default)s)',
    )


# Imports are made where they are needed: blockinfo does without libvirt, and
# a Python without Nova gets a clear error.


def _blockinfo(options):
    from benchmarks import blockinfo

    return 'processor µs a call', blockinfo.measure(options.runs), 1


def _spawn(options):
    from benchmarks import onebox
    from benchmarks import spawn

    with onebox.cloud_errors():
        box = onebox.BenchmarkBox(options.state)
        return 'seconds', spawn.measure(box, options.runs), 2


def _ordinary(options):
    from benchmarks import onebox
    from benchmarks import ordinary

    with onebox.cloud_errors():
        box = onebox.BenchmarkBox(options.state)
        return 'seconds', ordinary.measure(box, options.runs), 2


def _disk(options):
    from benchmarks import disk
    from benchmarks import onebox

    with onebox.cloud_errors():
        return 'MiB', disk.measure(onebox.BenchmarkBox(options.state)), 2


def _burst(options):
    from benchmarks import burst
    from benchmarks import onebox

    with onebox.cloud_errors():
        box = onebox.BenchmarkBox(options.state)
        title = f'{burst.SERVERS} servers at once'
        return title, burst.measure(box), 2


def _capture(options):
    from benchmarks import capture
    from benchmarks import onebox

    with onebox.cloud_errors():
        box = onebox.BenchmarkBox(options.state)
        found = capture.measure(box, options.server, options.runs)
        return 'an image', found, 1


def _print_table(unit, comparisons, digits):
    from benchmarks import figures

    print(figures.table(unit, comparisons, digits))


def main(arguments=None):
    options = parser().parse_args(arguments)
    # What Nova imports says so; nobody who measures can change it.
    warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
    try:
        _print_table(*options.measure(options))
    except (BenchmarkError, BoxError) as error:
        sys.exit(f'benchmarks: {error}')
    except ModuleNotFoundError as error:
        sys.exit(
            f'benchmarks: {sys.executable} has no module {error.name}: use '
            'the Python of a box, DIR/venv/bin/python of its --state DIR, or '
            'tox -e venv'
        )
    except KeyboardInterrupt:
        sys.exit('benchmarks: interrupted')


if __name__ == '__main__':
    main()
