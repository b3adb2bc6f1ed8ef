# SPDX-License-Identifier: Apache-2.0
"""An image of another project is no driver ISO."""

import pytest


@pytest.fixture
def cached_private_iso(images, alt, media, box, launch_alt):
    """A private ISO of another project that is in this host's cache."""
    driver_iso = images(media['drivers'], owner=alt)
    iso = images(media['probe'], owner=alt, newos_virtio_image_id=driver_iso)
    launch_alt(iso).delete()
    return driver_iso


def test_a_private_driver_iso_is_refused_until_it_is_shared(
    launch, images, media, cached_private_iso, alt, cloud, digests
):
    iso = images(media['probe'], newos_virtio_image_id=cached_private_iso)

    refused = launch(iso, expect=('ERROR',))

    message = refused.server().fault['message']
    assert cached_private_iso in message
    assert 'may not be read' in message
    refused.assert_nothing_left()

    alt.image.update_image(cached_private_iso, visibility='shared')
    project = cloud.current_project_id
    alt.image.add_member(cached_private_iso, member_id=project)
    report = launch(iso).wait_for_report(**{'booted-from': 'cdrom'})
    assert report.cdroms[1]['sha256'] == digests['drivers']
