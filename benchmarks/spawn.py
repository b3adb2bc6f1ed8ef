# SPDX-License-Identifier: Apache-2.0
"""How long a server takes to spawn, and an ordinary one also to reboot hard.

An ordinary server's image is a disk, so ours has nothing to do there but to
find that out.
"""

import time

from benchmarks import figures
from benchmarks import guest
from benchmarks import onebox
from devstack.onebox.progress import say

_SPAWN = ('guest runs', 'Nova says ACTIVE')
_LIFE = tuple(
    f'{what}: {until}' for what in ('spawn', 'hard reboot') for until in _SPAWN
)
# Stock first and ours, twice: what else a machine does changes over minutes.
_BLOCKS = (onebox.STOCK, onebox.OURS) * 2
# Seconds between two looks; the figures are no better than that.
_LOOK_LIBVIRT = 0.02
_LOOK_NOVA = 0.1


def measure(cloud, runs):
    """Compare both drivers, with servers of an ISO.

    :param cloud: onebox.Cloud
    :param runs: servers a block
    :returns: list of figures.Row, in seconds
    :raises BenchmarkError: when a server does not come up
    """

    def life():
        _server, seconds = _spawn(cloud, image)
        cloud.delete_servers()
        return seconds

    with onebox.probe_iso() as iso, cloud.cleaned_up(), cloud.settings_kept():
        image = cloud.upload(iso)
        return compare(cloud, _SPAWN, life, runs)


def measure_ordinary(cloud, runs):
    """Compare both drivers, with servers of a disk image; see measure."""

    def life():
        server, spawned = _spawn(cloud, image)
        rebooted = _reboot(cloud, server)
        cloud.delete_servers()
        return spawned + rebooted

    with guest.image() as path, cloud.cleaned_up(), cloud.settings_kept():
        image = cloud.upload(path, 'qcow2')
        return compare(cloud, _LIFE, life, runs)


def compare(cloud, titles, life, runs):
    """Measure one thing again and again, in blocks of both drivers.

    :param cloud: what has ``use(driver)``
    :param titles: what is measured
    :param life: called without an argument, returns seconds, one for each
        title
    :param runs: measurements a block
    :returns: list of figures.Row, one for each title
    """
    seconds = {driver: [] for driver in _BLOCKS}
    for driver in _BLOCKS:
        cloud.use(driver)
        # The first server of a nova-compute fills the image cache and pays
        # for much that later ones find done.
        life()
        for number in range(runs):
            seconds[driver].append(life())
            took = ', '.join(f'{one:.2f} s' for one in seconds[driver][-1])
            say(f'{driver}, server {number + 1} of {runs}: {took}')
    stock, ours = (
        zip(*seconds[driver], strict=True)
        for driver in (onebox.STOCK, onebox.OURS)
    )
    return list(map(figures.Row, titles, stock, ours))


def _spawn(cloud, image):
    """Make a server and wait until it is there.

    :returns: (its id, (seconds until its guest ran, until Nova said ACTIVE))
    """
    began = time.monotonic()
    server = cloud.create(image)
    return server, _await(cloud, server, began, None)


def _reboot(cloud, server):
    before = cloud.run_number(server)
    began = time.monotonic()
    cloud.hard_reboot(server)
    return _await(cloud, server, began, before)


def _await(cloud, server, began, before):
    """Seconds until a guest runs that did not before, and Nova says so."""
    onebox.wait_for(
        'the guest runs',
        lambda: cloud.run_number(server) not in (None, before),
        _LOOK_LIBVIRT,
    )
    running = time.monotonic() - began
    onebox.wait_for(
        'the server is ACTIVE', lambda: cloud.is_built(server), _LOOK_NOVA
    )
    return running, time.monotonic() - began
