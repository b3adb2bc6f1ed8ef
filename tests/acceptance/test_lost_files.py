# SPDX-License-Identifier: Apache-2.0
"""Files of the image cache that install servers stand on."""

import hashlib
import time

import pytest

from tests.acceptance import onebox


def base_file(box, image_id):
    """Where Nova caches an image."""
    digest = hashlib.sha1(image_id.encode()).hexdigest()  # noqa: S324
    return box.base / digest


@pytest.fixture
def eager_cache(box):
    """An image cache that removes what is unused within seconds."""
    eager = {
        'image_cache.manager_interval': '5',
        'image_cache.remove_unused_original_minimum_age_seconds': '1',
    }
    box.up(*_options(eager))
    yield
    box.up(*_options(dict.fromkeys(eager, '')))


def _options(values):
    return [f'--set={name}={value}' for name, value in values.items()]


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


def test_lost_bases_come_back_from_their_own_images(
    box, launch, images, media, digests
):
    driver_iso = images(media['drivers'])
    iso = images(media['probe'], newos_virtio_image_id=driver_iso)
    guest = launch(iso)
    marker = guest.install().facts['marker']
    for image in (iso, driver_iso):
        base_file(box, image).unlink()

    report = guest.hard_reboot()

    assert report.facts['marker'] == marker
    assert [c['sha256'] for c in report.cdroms] == [
        digests['probe'],
        digests['drivers'],
    ]
    assert _digest(base_file(box, iso)) == digests['probe']
    assert _digest(base_file(box, driver_iso)) == digests['drivers']


def test_a_lost_root_disk_is_not_made_anew(launch, install_iso):
    guest = launch(install_iso)
    guest.install()
    root = guest.directory / 'disk.newos'
    root.rename(root.with_suffix('.away'))

    onebox.openstack('server', 'start', guest.id)
    time.sleep(15)

    assert guest.server().status != 'ACTIVE'
    assert not root.exists()
    root.with_suffix('.away').rename(root)


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
