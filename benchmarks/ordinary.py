# SPDX-License-Identifier: Apache-2.0
"""How long an ordinary server takes to spawn, and to reboot hard.

Its image is a disk, so ours has nothing to do but to find that out.
"""

import time

from benchmarks import guest
from benchmarks import onebox
from benchmarks import spawn
from benchmarks import turns

_TITLES = (
    'spawn: guest runs',
    'spawn: Nova says ACTIVE',
    'hard reboot: guest runs',
    'hard reboot: Nova says ACTIVE',
)


def measure(box, runs):
    """Compare both drivers.

    :param box: onebox.BenchmarkBox
    :param runs: servers a block
    :returns: list of figures.Comparison, in seconds
    :raises BenchmarkError: when a server does not come up
    """
    with box.cleaned_up(), box.settings_kept():
        with guest.image() as path:
            image = box.upload(path, 'qcow2')
        return turns.compare(box, _TITLES, lambda: _life(box, image), runs)


def _life(box, image):
    server, spawned = spawn.spawn(box, image)
    rebooted = _reboot(box, server)
    box.delete_servers()
    return spawned + rebooted


def _reboot(box, server):
    before = box.run_number(server)
    began = time.monotonic()
    box.hard_reboot(server)
    onebox.wait_for(
        'the guest runs again',
        lambda: box.run_number(server) not in (None, before),
        spawn.LOOK_LIBVIRT,
    )
    running = time.monotonic() - began
    onebox.wait_for(
        'the server is ACTIVE again',
        lambda: box.is_built(server),
        spawn.LOOK_NOVA,
    )
    return running, time.monotonic() - began
