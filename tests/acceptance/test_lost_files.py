# SPDX-License-Identifier: Apache-2.0
"""Files of the image cache that install servers stand on."""

import hashlib

import pytest

from tests.acceptance import onebox
from tests.acceptance import storage
from tests.acceptance.cache import base_file
from tests.acceptance.cache import lose


@pytest.fixture
def eager_cache(box):
    """An image cache that removes what is unused within seconds."""
    eager = {
        'image_cache.manager_interval': '5',
        'image_cache.remove_unused_original_minimum_age_seconds': '1',
    }
    with box.configured(eager):
        yield


@pytest.mark.operation('image-cache')
@pytest.mark.operation('delete-installed')
def test_the_cache_keeps_what_a_server_stands_on(
    eager_cache, box, launch, images, media, digests
):
    driver_iso = images(media['drivers'])
    iso = images(media['probe'], newos_virtio_image_id=driver_iso)
    bases = [base_file(box, image) for image in (iso, driver_iso)]
    # Nothing uses this one: when it is gone, the cache was looked through.
    unused = base_file(box, 'unused')
    guest = launch(iso)
    marker = guest.install().facts['marker']

    unused.write_bytes(b'')
    onebox.wait_for('the unused file is removed', lambda: not unused.exists())
    assert all(base.exists() for base in bases)

    report = guest.boot()
    assert report.facts['marker'] == marker
    assert [c['sha256'] for c in report.cdroms] == [
        digests['probe'],
        digests['drivers'],
    ]
    guest.delete()
    onebox.wait_for(
        'the images of the deleted server age out',
        lambda: not any(base.exists() for base in bases),
    )


@storage.on(*storage.ALL, sees=('lost-files',))
def test_lost_bases_and_then_deleted_images(
    box, launch, images, media, digests, cloud, images_type
):
    """Each base comes back from its own image, or its drive stays empty.

    Flat disks are copies of the bases and need them no more.
    """
    driver_iso = images(media['drivers'])
    iso = images(media['waiting'], newos_virtio_image_id=driver_iso)
    guest = launch(iso)
    spawned = guest.wait_for_report()
    both = [digests['waiting'], digests['drivers']]
    assert spawned.discs == both

    lose(box, iso, driver_iso)
    guest.call('reboot_server', 'HARD')
    assert guest.wait_for_report().hardware == spawned.hardware
    if images_type == storage.QCOW2:
        assert [_digest(base_file(box, i)) for i in (iso, driver_iso)] == both

    cloud.image.delete_image(driver_iso)
    lose(box, iso, driver_iso)
    guest.call('reboot_server', 'HARD')
    report = guest.wait_for_report()
    assert report.facts['booted-from'] == 'waiting'
    lost = both if images_type == 'flat' else [digests['waiting'], None]
    assert report.discs == lost
    assert report.drives == spawned.drives

    marker = guest.install_now().facts['marker']
    cloud.image.delete_image(iso)
    lose(box, iso, driver_iso)
    report = guest.boot()
    assert report.facts['marker'] == marker
    lost = both if images_type == 'flat' else [None, None]
    assert report.discs == lost
    assert report.drives == spawned.drives
    _lose_root_disk(guest)


def _lose_root_disk(guest):
    """It is not made anew."""
    guest.call('stop_server', expect='SHUTOFF')
    root = guest.directory / 'disk.newos'
    root.unlink()

    guest.cloud.compute.start_server(guest.id)
    event = onebox.wait_for('the start fails', guest.last_event)

    assert root.name in event
    assert guest.server().status != 'ACTIVE'
    assert not root.exists()


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
