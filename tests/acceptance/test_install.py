# SPDX-License-Identifier: Apache-2.0
"""From an installer ISO to an installed server."""

import pytest

GIB = 2**30


@pytest.mark.operation('create')
def test_installs_on_a_blank_disk_with_both_cdroms(
    launch, install_iso, digests
):
    guest = launch(install_iso)

    assert [disk[:2] for disk in guest.disks()] == [
        ('disk.newos', 'vda'),
        ('disk', 'hda'),
        ('disk.virtio', 'hdb'),
    ]
    report = guest.wait_for_report(**{'booted-from': 'cdrom'})
    # Nova sees by itself that the installer has powered off.
    guest.wait_for_status('SHUTOFF')

    [root] = report.disks
    assert root['size'] == str(GIB)
    assert int(root['discard']) > 0
    assert [cdrom['sha256'] for cdrom in report.cdroms] == [
        digests['probe'],
        digests['drivers'],
    ]
    assert guest.boot().facts['marker'] == report.facts['marker']


def test_root_disk_sizes(launch, images, media):
    image = images(media['probe'], newos_root_disk_size='2')
    guest = launch(image, flavor='m1.small')
    assert guest.install().disks[0]['size'] == str(2 * GIB)


def test_opting_out_boots_the_iso_as_stock_does(launch, images, media):
    guest = launch(images(media['waiting'], newos_install='false'))
    assert guest.disks() == [('disk', 'hda', 'cdrom')]
    report = guest.wait_for_report(**{'booted-from': 'waiting'})
    assert report.disks == []
