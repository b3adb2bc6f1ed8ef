# SPDX-License-Identifier: Apache-2.0
"""What our plug-in for the openstack client costs its other commands.

``openstack --help`` is the worst of them: it loads every command there is.
"""

import contextlib
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

from benchmarks import figures
from benchmarks.errors import BenchmarkError
from devstack.onebox.progress import say

_COMMAND = 'golden build create'
# Python takes the first distribution of a name, and this one has no plug-in.
_METADATA = 'Metadata-Version: 2.1\nName: nova-newos\nVersion: 0\n'


def measure(runs):
    """Compare the client without our plug-in and with it.

    :param runs: rounds; each runs the client without, without, and with it
    :returns: list of figures.Row, in milliseconds of processor time
    :raises BenchmarkError: when the plug-in is not installed
    """
    with _directories() as (without, empty):
        variants = (without, without, empty)
        taken = [[] for _variant in variants]
        # The first fills stevedore's cache of entry points.
        for number in range(-1, runs):
            for variant, each in zip(variants, taken, strict=True):
                milliseconds, has_it = _help(variant)
                if has_it != (variant is empty):
                    raise BenchmarkError(
                        f'{sys.executable} has no "openstack {_COMMAND}", or '
                        'it cannot be hidden: install nova-newos[client] there'
                    )
                if number >= 0:
                    each.append(milliseconds)
            if number >= 0:
                say(f'round {number + 1} of {runs}')
    stock, again, ours = map(tuple, taken)
    return [
        figures.Row('openstack --help', stock, ours),
        figures.Row('openstack --help: without it twice', stock, again),
    ]


@contextlib.contextmanager
def _directories():
    """One that hides our plug-in when it is on the path, and an empty one."""
    with tempfile.TemporaryDirectory() as parent:
        without, empty = (pathlib.Path(parent, name) for name in 'ab')
        empty.mkdir()
        record = without / 'nova_newos-0.dist-info'
        record.mkdir(parents=True)
        (record / 'METADATA').write_text(_METADATA)
        yield without, empty


def _help(directory):
    """Milliseconds that the client takes, and whether it has our command."""
    client = pathlib.Path(sys.executable).with_name('openstack')
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [client, '--help'],
        env=os.environ | {'PYTHONPATH': str(directory)},
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = sum(
        getattr(after, name) - getattr(before, name)
        for name in ('ru_utime', 'ru_stime')
    )
    return 1000 * seconds, _COMMAND in done.stdout
