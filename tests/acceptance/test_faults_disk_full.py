# SPDX-License-Identifier: Apache-2.0
"""What comes of servers in each phase when the host's disk is full."""

import concurrent.futures
import contextlib

import libvirt
import pytest

from tests.acceptance import faults
from tests.acceptance import golden
from tests.acceptance import onebox

MIB = 2**20


@pytest.fixture
def disk(box, tmp_path):
    """The disk that the instances are on."""
    services = faults.Services(box)
    disk = faults.InstancesDisk(box.state.instances, tmp_path / 'disk.img')
    before = onebox.disk_gb()
    with _host_changed(services):
        disk.mount()
    # Nova fails what it finds half built when it starts, without a word.
    onebox.wait_for('the disk of now', lambda: onebox.disk_gb() != before)
    yield disk
    with _host_changed(services):
        disk.unmount()
    # Until then Placement gives the host no servers.
    onebox.wait_for('the disk of before', lambda: onebox.disk_gb() == before)


@contextlib.contextmanager
def _host_changed(services):
    """Change the mounts of the host and have everybody see it."""
    # Nova gives no servers to a host that has just lost its libvirtd.
    services.kill('nova-compute')
    try:
        yield
    finally:
        # libvirtd sees the mounts that were there when it was started.
        services.restart('libvirtd')
        services.start('nova-compute')


@pytest.mark.operation('disk-full')
def test_the_disk_of_the_host_is_full(
    disk, box, launch, images, media, digests, driver_iso
):
    iso = images(media['waiting'], newos_virtio_image_id=driver_iso)

    disk.leave(8 * MIB)
    _assert_refused(launch(iso, expect=('ERROR',)))
    assert [path.name for path in box.state.base.iterdir()] == []

    disk.leave(256 * MIB)
    guest = launch(iso)
    report = guest.wait_for_report(**{'booted-from': 'waiting'})
    assert [cdrom['sha256'] for cdrom in report.cdroms] == [
        digests['waiting'],
        digests['drivers'],
    ]

    disk.leave(MIB // 16)
    _assert_refused(launch(iso, expect=('ERROR',)))

    disk.leave(4 * MIB)
    _install_with_an_interruption(guest, disk)
    disk.leave(4 * MIB)
    golden.assert_cannot_be_made(guest)
    disk.leave(256 * MIB)
    image = guest.cloud.compute.create_server_image(
        guest.id, 'newos-test-golden', wait=True, timeout=onebox.LIMIT
    )
    images.adopt(image.id)
    golden.check(guest.cloud.image.get_image(image.id))
    guest.delete()


def _assert_refused(guest):
    """Another host may have room, and there is none."""
    assert 'Exhausted all hosts' in guest.server().fault['message']
    assert 'the compute host has no room left' in guest.told()
    guest.delete()


def _install_with_an_interruption(guest, disk):
    """QEMU pauses a guest that finds no room, and nothing is lost."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        installation = pool.submit(guest.install_now)
        onebox.wait_for('QEMU finds no room', lambda: _waits_for_room(guest))
        disk.leave(256 * MIB)
        guest.call('pause_server', expect='PAUSED')
        guest.call('unpause_server')
        installation.result()


def _waits_for_room(guest):
    with libvirt.openReadOnly() as connection:
        return connection.lookupByUUIDString(guest.id).state() == [
            libvirt.VIR_DOMAIN_PAUSED,
            libvirt.VIR_DOMAIN_PAUSED_IOERROR,
        ]
