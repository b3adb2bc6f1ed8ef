# SPDX-License-Identifier: Apache-2.0
"""How long an ISO server takes from its creation to a running guest."""

import time

from benchmarks import onebox
from benchmarks import turns

# Seconds between two looks; the figures are no better than that.
LOOK_LIBVIRT = 0.02
LOOK_NOVA = 0.1


def measure(box, runs):
    """Compare both drivers.

    :param box: onebox.BenchmarkBox
    :param runs: servers a block
    :returns: list of figures.Comparison, in seconds
    :raises BenchmarkError: when a server does not come up
    """
    with (
        onebox.probe_iso() as iso,
        box.cleaned_up(),
        box.settings_kept(),
    ):
        image = box.upload(iso)
        return turns.compare(
            box,
            ('guest runs', 'Nova says ACTIVE'),
            lambda: _life(box, image),
            runs,
        )


def _life(box, image):
    _server, seconds = spawn(box, image)
    box.delete_servers()
    return seconds


def spawn(box, image):
    """Make a server and wait until it is there.

    :returns: (its id, (seconds until its guest ran, until Nova said ACTIVE))
    """
    began = time.monotonic()
    server = box.create(image)
    onebox.wait_for(
        'the guest runs', lambda: box.run_number(server), LOOK_LIBVIRT
    )
    running = time.monotonic() - began
    onebox.wait_for(
        'the server is ACTIVE',
        lambda: box.is_built(server),
        LOOK_NOVA,
    )
    active = time.monotonic() - began
    return server, (running, active)
