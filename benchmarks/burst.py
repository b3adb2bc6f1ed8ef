# SPDX-License-Identifier: Apache-2.0
"""Many servers of one ISO, asked for in one request, on one host.

None may be lost: every guest has to say what it has to say, and to power
itself off. With ours it installs itself first; under stock Nova it finds no
disk to install onto.
"""

import dataclasses
import time

from benchmarks import disk
from benchmarks import figures
from benchmarks import onebox
from benchmarks.errors import BenchmarkError
from devstack.onebox.progress import say
from nova_newos import layout

SERVERS = 20

# Emulated, all at once, guests take minutes for what takes one seconds.
_LIMIT = 3600
# Seconds between two looks; the figures are no better than that.
_LOOK = 1
# A burst is more than the processors that Nova gives out by default.
_ROOM = {'DEFAULT.cpu_allocation_ratio': '32'}
# What the probe says in the end.
_SAYS = {
    onebox.STOCK: 'probe: refused reason=no-disk',
    onebox.OURS: 'probe: installed',
}
_MIB = 2**20


@dataclasses.dataclass(frozen=True)
class Burst:
    """What one burst took.

    :ivar active: seconds until Nova called a server ACTIVE, one for each
    :ivar off: seconds until a guest had powered itself off, one for each
    :ivar read: what Glance has read meanwhile, in sizes of the ISO
    :ivar added: what disk.added() gives, of all servers together
    """

    active: tuple
    off: tuple
    read: float
    added: dict


def measure(box):
    """Compare both drivers.

    :param box: onebox.Cloud
    :returns: list of figures.Row, each with its unit
    :raises BenchmarkError: when a server is lost
    """
    with (
        onebox.probe_iso() as iso,
        box.cleaned_up(),
        box.settings_kept(),
        box.quota_for(SERVERS),
    ):
        stock = _burst(box, onebox.STOCK, iso)
        ours = _burst(box, onebox.OURS, iso)
    return compare(stock, ours)


def _burst(box, driver, iso):
    box.use(driver, **_ROOM)
    # An image of its own, which no cache holds yet.
    image = box.upload(iso)
    others = disk.present_before(box.instances)
    before = disk.usage(box.instances, others)
    read = box.read_by_glance()
    active, off = _create(box, image)
    read = box.read_by_glance() - read
    added = disk.added(before, disk.usage(box.instances, others))
    _check_consoles(box, off, _SAYS[driver])
    box.delete_servers()
    return Burst(
        tuple(active.values()),
        tuple(off.values()),
        read / iso.stat().st_size,
        added,
    )


def _create(box, image):
    """Make the servers and wait until all guests are off.

    :returns: two dicts of server id to seconds: until Nova called it ACTIVE,
        until its guest was off
    """
    began = time.monotonic()
    box.create(image, SERVERS)
    active, off = {}, {}

    def all_are_off():
        built = {server for server, done in box.built().items() if done}
        seconds = time.monotonic() - began
        known = len(active) + len(off)
        for times, servers in ((active, built), (off, built & box.off())):
            times.update({s: seconds for s in servers if s not in times})
        if len(active) + len(off) > known:
            say(
                f'after {seconds:.0f} s of {SERVERS} servers '
                f'{len(active)} built, {len(off)} off'
            )
        return len(off) == SERVERS

    onebox.wait_for('all guests are off', all_are_off, _LOOK, _LIMIT)
    return active, off


def _check_consoles(box, servers, text):
    for server in servers:
        console = box.console(server)
        if text not in console:
            raise BenchmarkError(
                f'a server has not said "{text}"; its console:\n{console}'
            )


def compare(stock, ours):
    """Lay two bursts side by side.

    :param stock: a Burst
    :param ours: the same with ours
    :returns: list of figures.Row, each with its unit
    """
    return [
        figures.Row('s until Nova says ACTIVE', stock.active, ours.active),
        figures.Row('s until the guest is off', stock.off, ours.off),
        figures.Row('ISOs that Glance has read', (stock.read,), (ours.read,)),
        *(
            figures.Row(title, (_mib(stock, without),), (_mib(ours, without),))
            for title, without in (
                ('MiB of disk a server', ()),
                (
                    f'MiB of disk a server, without {layout.INSTALL_ROOT}',
                    (layout.INSTALL_ROOT,),
                ),
            )
        ),
    ]


def _mib(burst, without):
    kept = sum(
        size for kind, size in burst.added.items() if kind not in without
    )
    return kept / SERVERS / _MIB
