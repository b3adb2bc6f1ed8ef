# SPDX-License-Identifier: Apache-2.0
"""How long an ISO server takes from its creation to a running guest.

Two blocks of servers with stock Nova and two with ours, in turns, because
what else the machine does changes over minutes.
"""

import time

from benchmarks import figures
from benchmarks import onebox
from devstack.onebox.progress import say

_DRIVERS = {'stock': onebox.STOCK, 'ours': onebox.OURS}
_BLOCKS = ('stock', 'ours', 'stock', 'ours')
# Seconds between two looks; the figures are no better than that.
_LOOK_LIBVIRT = 0.02
_LOOK_NOVA = 0.1


def measure(box, runs):
    """Compare both drivers.

    :param box: onebox.Box
    :param runs: servers a block
    :returns: list of figures.Comparison, in seconds
    :raises BenchmarkError: when a server does not come up
    """
    seconds = {name: [] for name in _DRIVERS}
    with (
        onebox.probe_iso() as iso,
        box.cleaned_up(),
        box.driver_kept(),
    ):
        image = box.upload(iso)
        for name in _BLOCKS:
            box.use(_DRIVERS[name])
            seconds[name] += _block(box, image, runs, name)
    return [
        figures.Comparison(
            title,
            tuple(each[moment] for each in seconds['stock']),
            tuple(each[moment] for each in seconds['ours']),
        )
        for moment, title in enumerate(('guest runs', 'Nova says ACTIVE'))
    ]


def _block(box, image, runs, name):
    # The first server of a nova-compute fills the image cache and pays for
    # much that later ones find done.
    _spawn(box, image)
    block = []
    for number in range(runs):
        block.append(_spawn(box, image))
        say(
            f'{name}, server {number + 1} of {runs}: '
            'runs after %.2f s, ACTIVE after %.2f s' % block[-1]
        )
    return block


def _spawn(box, image):
    """Make a server, delete it, return the seconds it took.

    :returns: (until its guest ran, until Nova said ACTIVE)
    """
    began = time.monotonic()
    server = box.create(image)
    onebox.wait_for(
        'the guest runs', lambda: box.is_running(server), _LOOK_LIBVIRT
    )
    running = time.monotonic() - began
    onebox.wait_for(
        'the server is ACTIVE',
        lambda: box.is_built(server),
        _LOOK_NOVA,
    )
    active = time.monotonic() - began
    box.delete_servers()
    return running, active
