# SPDX-License-Identifier: Apache-2.0
"""From an installer ISO to an installed server."""

import pytest

GIB = 2**30


@pytest.mark.operation('create')
def test_installs_on_a_blank_disk_with_both_cdroms(
    launch, images, media, driver_iso, digests
):
    """Of the size that the image asks for, which is less than the flavor's."""
    iso = images(
        media['probe'],
        newos_root_disk_size='2',
        newos_virtio_image_id=driver_iso,
    )
    guest = launch(iso, flavor='m1.small')

    assert [disk[:2] for disk in guest.disks()] == [
        ('disk.newos', 'vda'),
        ('disk', 'hda'),
        ('disk.virtio', 'hdb'),
    ]
    report = guest.wait_for_report(**{'booted-from': 'cdrom'})
    # Nova sees by itself that the installer has powered off.
    guest.wait_for_status('SHUTOFF')

    [root] = report.disks
    assert root['size'] == str(2 * GIB)
    assert int(root['discard']) > 0
    assert report.discs == [digests['probe'], digests['drivers']]
    assert guest.boot().facts['marker'] == report.facts['marker']


def test_opting_out_boots_the_iso_as_stock_does(
    launch_admin, admin, images, media, flavor
):
    """With a flavor that leaves the CD-ROM as large as the ISO."""
    iso = images(media['waiting'], owner=admin, newos_install='false')
    guest = launch_admin(iso, flavor=flavor(disk=0))
    assert guest.disks() == [('disk', 'hda', 'cdrom')]
    report = guest.wait_for_report(**{'booted-from': 'waiting'})
    assert report.disks == []
