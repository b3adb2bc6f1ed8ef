# SPDX-License-Identifier: Apache-2.0
"""Shelve: the installed system comes back as an ordinary disk."""

import pytest

from tests.acceptance import golden
from tests.acceptance import onebox
from tests.acceptance import storage
from tests.acceptance.cache import base_file

GIB = 2**30
RESTORED = [('disk', 'vda', 'disk')]


@pytest.mark.usefixtures('pty_consoles')
@storage.on(*storage.ALL, sees=('shelve-unshelve', 'after-unshelve'))
def test_shelve_and_all_that_follows(
    box,
    launch,
    images,
    media,
    driver_iso,
    disk_files,
    flavor,
    cloud,
    images_type,
):
    iso = images(media['probe'], newos_virtio_image_id=driver_iso)
    guest = launch(iso)
    marker = guest.install().facts['marker']
    guest.boot()
    guest.ask('note kept')

    guest.call('shelve_server', expect='SHELVED_OFFLOADED')
    guest.assert_nothing_left()
    image = golden.named(cloud, 'newos-test-shelved')
    golden.check(image)

    # There is nothing to fetch the ISO from, and nobody may want to.
    cloud.image.delete_image(iso)
    base_file(box, iso).unlink()

    def check(report, gib=1):
        assert report.facts['marker'] == marker
        [root] = report.devices
        assert (root['size'], root['note']) == (str(gib * GIB), 'kept')
        assert guest.disks() == RESTORED
        assert not base_file(box, iso).exists()

    guest.call('unshelve_server')
    check(guest.wait_for_report(**{'booted-from': 'disk'}))
    check(guest.hard_reboot())

    if images_type == storage.QCOW2:
        rescue = images(disk_files['rescue'], disk_format='qcow2')
        guest.call('rescue_server', image_ref=rescue, expect='RESCUE')
        report = guest.wait_for_report(**{'booted-from': 'rescue'})
        assert [d['marker'] for d in report.devices] == ['rescue', marker]
        guest.call('unrescue_server')
        check(guest.wait_for_report(**{'booted-from': 'disk'}))

    guest.call('resize_server', flavor(disk=2), expect='VERIFY_RESIZE')
    check(guest.wait_for_report(**{'booted-from': 'disk'}), gib=2)
    guest.call('confirm_server_resize')

    again = cloud.compute.create_server_image(
        guest.id, 'newos-test-again', wait=True, timeout=onebox.LIMIT
    )
    images.adopt(again.id)
    golden.check(cloud.image.get_image(again.id), min_disk=2)
