# SPDX-License-Identifier: Apache-2.0
"""python -m benchmarks MEASUREMENT: stock Nova and ours."""

import argparse
import contextlib
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

    def add(measure, what, parents=(box,), runs=None, each=None):
        command = commands.add_parser(
            measure.__name__.strip('_'), parents=parents, help=what
        )
        command.set_defaults(measure=measure)
        if runs:
            command.add_argument(
                '--runs',
                type=_whole_number,
                metavar='N',
                default=runs,
                help=f'{each} (%(default)s)',
            )
        return command

    block = 'servers a block; there are two blocks a driver'
    what = 'the cost of get_disk_info for an ordinary server'
    add(_blockinfo, what, (), 100, 'rounds')
    what = 'seconds from creating an ISO server to its running guest'
    add(_spawn, what, runs=5, each=block)
    what = 'seconds that an ordinary server takes to spawn and to reboot'
    add(_ordinary, what, runs=5, each=block)
    add(_disk, 'disk that the first, second and fifth server of an ISO take')
    add(_burst, 'twenty servers of an ISO in one request: seconds and disk')
    what = 'seconds and disk that an image of an installed server takes'
    add(_capture, what, runs=2, each='images of each way').add_argument(
        '--server',
        default='newos-demo-install',
        help='an installed server that is off (%(default)s)',
    )
    what = 'the speed of uploads to Glance, with its filter and without'
    add(_upload, what, runs=3, each='uploads of each way')
    what = 'seconds and requests of families among 10,000 images'
    add(_registry, what, runs=3, each='calls of each')
    what = "processor time that our plug-in adds to the client's --help"
    add(_plugin, what, (), runs=10, each='rounds')
    return whole


# Imports are made where they are needed: blockinfo does without libvirt, and
# a Python without Nova gets a clear error. Each returns what heads the table,
# its rows and the decimals.


def _blockinfo(options):
    from benchmarks import blockinfo

    return 'processor µs a call', blockinfo.measure(options.runs), 1


def _spawn(options):
    from benchmarks import spawn

    with _cloud(options) as cloud:
        return 'seconds', spawn.measure(cloud, options.runs), 2


def _ordinary(options):
    from benchmarks import spawn

    with _cloud(options) as cloud:
        return 'seconds', spawn.measure_ordinary(cloud, options.runs), 2


def _disk(options):
    from benchmarks import disk

    with _cloud(options) as cloud:
        return 'MiB', disk.measure(cloud), 2


def _burst(options):
    from benchmarks import burst

    with _cloud(options) as cloud:
        return f'{burst.SERVERS} servers at once', burst.measure(cloud), 2


def _capture(options):
    from benchmarks import capture

    with _cloud(options) as cloud:
        found = capture.measure(cloud, options.server, options.runs)
        return 'an image', found, 1


def _upload(options):
    from benchmarks import upload

    with _cloud(options) as cloud:
        return 'an upload', upload.measure(cloud, options.runs), 2


def _registry(options):
    from benchmarks import registry

    with _cloud(options) as cloud:
        found = registry.measure(cloud, options.runs)
        return '10,000 images', found, 2


def _plugin(options):
    from benchmarks import plugin

    return 'processor ms', plugin.measure(options.runs), 0


@contextlib.contextmanager
def _cloud(options):
    from benchmarks import onebox

    with onebox.cloud_errors():
        yield onebox.Cloud(options.state)


def main(arguments=None):
    options = parser().parse_args(arguments)
    # What Nova imports says so; nobody who measures can change it.
    warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
    try:
        from benchmarks import figures

        print(figures.table(*options.measure(options)))
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
