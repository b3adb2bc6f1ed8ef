# SPDX-License-Identifier: Apache-2.0
"""How much disk each further install server of one ISO takes.

Counted are the blocks that files occupy in Nova's directory of instances,
which holds the servers' disks and the image cache.
"""

import os
import pathlib

from benchmarks import figures
from benchmarks import onebox
from benchmarks.errors import BenchmarkError
from devstack.onebox.progress import say
from nova_newos import layout

SERVERS = 5
SHOWN = (1, 2, 5)

# Seconds between two looks at a guest that installs.
_LOOK = 0.5
# What the probe says when it laid itself onto a blank disk.
_INSTALLED = 'probe: installed'
_MIB = 2**20
# st_blocks counts in these, whatever the file system's block size.
_BLOCK = 512


def measure(box):
    """Compare both drivers.

    :param box: onebox.Cloud
    :returns: list of figures.Row, in MiB
    :raises BenchmarkError: when a server does not do what it should
    """
    with (
        onebox.probe_iso() as iso,
        box.cleaned_up(),
        box.settings_kept(),
    ):
        stock = _with_driver(box, onebox.STOCK, iso)
        ours = _with_driver(box, onebox.OURS, iso)
    return compare(stock, ours)


def _with_driver(box, driver, iso):
    """What the box holds after each server.

    :returns: list of usage(), the first from before the first server
    """
    box.use(driver)
    # An image of its own, so that its first server fills the cache.
    image = box.upload(iso)
    present = present_before(box.instances)
    held = [usage(box.instances, present)]
    for number in range(SERVERS):
        say(f'{driver}: server {number + 1} of {SERVERS}')
        _install(box, image, driver == onebox.OURS)
        held.append(usage(box.instances, present))
    box.delete_servers()
    return held


def _install(box, image, installs):
    """Make a server and wait until it takes no more disk."""
    server = box.create(image)
    onebox.wait_for(
        'the server is ACTIVE', lambda: box.is_built(server), _LOOK
    )
    # Under stock Nova a guest has nothing but a CD-ROM, and writes nothing.
    if installs:
        _await_installation(box, server)


def _await_installation(box, server):
    onebox.wait_for(
        'the guest powers itself off', lambda: server in box.off(), _LOOK
    )
    console = box.console(server)
    if _INSTALLED not in console:
        raise BenchmarkError(
            f'a server installed nothing; its console:\n{console}'
        )


def present_before(instances):
    """Names in Nova's directory of instances that are others' servers."""
    names = {path.name for path in pathlib.Path(instances).iterdir()}
    return names - {onebox.CACHE}


def usage(instances, leave_out=()):
    """Bytes of allocated blocks below Nova's directory of instances.

    :param leave_out: names in that directory which do not count
    :returns: {'image cache', or the name of a file in the directory of a
        server: bytes}
    """
    # Some file systems allocate only when they write.
    os.sync()
    held = {}
    for top in pathlib.Path(instances).iterdir():
        if top.name not in leave_out:
            for path in _files(top):
                kind = 'image cache' if top.name == onebox.CACHE else path.name
                held[kind] = held.get(kind, 0) + _allocated(path)
    return held


def allocated_below(top):
    """Bytes of allocated blocks of the files that there are now."""
    return sum(map(_allocated, _files(top)))


def _files(top):
    return [path for path in (top, *top.rglob('*')) if path.is_file()]


def _allocated(path):
    try:
        return path.stat().st_blocks * _BLOCK
    except FileNotFoundError:  # deleted meanwhile
        return 0


def compare(stock, ours):
    """What single servers added, and all of them together.

    :param stock: list of usage(), the first from before the first server
    :param ours: the same with ours
    :returns: list of figures.Row, in MiB; for each a second one, which
        leaves out what was installed
    """
    spans = {
        **{f'server {last}': (last - 1, last) for last in SHOWN},
        f'servers 1 to {SERVERS}': (0, SERVERS),
    }
    rows = []
    for title, (first, last) in spans.items():
        pair = [added(held[first], held[last]) for held in (stock, ours)]
        rows.append(_row(title, pair))
        for part in pair:
            part.pop(layout.INSTALL_ROOT, None)
        rows.append(_row(f'{title}, without {layout.INSTALL_ROOT}', pair))
    return rows


def added(before, after):
    """What has come between two usage(), by the same names."""
    return {kind: after[kind] - before.get(kind, 0) for kind in after}


def _row(title, pair):
    stock, ours = ((sum(part.values()) / _MIB,) for part in pair)
    return figures.Row(title, stock, ours)
