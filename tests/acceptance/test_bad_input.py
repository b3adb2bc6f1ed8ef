# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a fault that says what to change, and leaves nothing."""

import os
import subprocess
import uuid

import pytest

from tests.acceptance import cache
from tests.acceptance import onebox


@pytest.fixture
def refused(launch):
    """Launches a server that must fail, and returns the fault's text."""

    def make(image, *options, **kwargs):
        guest = launch(image, *options, expect=('ERROR',), **kwargs)
        guest.assert_nothing_left()
        return guest.server().fault['message']

    return make


@pytest.mark.parametrize(
    ('properties', 'words'),
    [
        (
            {'newos_root_disk_size': '50'},
            ['newos_root_disk_size=50', 'larger', '1 GiB'],
        ),
        ({'newos_root_disk_size': 'big'}, ['newos_root_disk_size', "'big'"]),
        ({'newos_install': 'perhaps'}, ['newos_install', "'perhaps'"]),
        (
            {'newos_virtio_image_id': 'http://169.254.169.254/x'},
            ['newos_virtio_image_id', 'UUID'],
        ),
        (
            {'newos_virtio_image_id': str(uuid.UUID(int=7))},
            [str(uuid.UUID(int=7)), 'does not exist'],
        ),
        pytest.param(
            {'hw_machine_type': 'q35', 'hw_cdrom_bus': 'ide'},
            ['hw_cdrom_bus', 'sata'],
            marks=pytest.mark.operation('bus-refusals', outcome='refused'),
        ),
    ],
    ids=['large', 'size', 'flag', 'url', 'missing', 'q35-ide'],
)
def test_bad_properties(refused, images, media, properties, words):
    message = refused(images(media['probe'], **properties))
    for word in words:
        assert word in message


def test_no_size_at_all(launch_admin, images, media, admin, flavor):
    """Only an administrator may use a flavor without a root disk."""
    image = images(media['probe'], owner=admin)
    guest = launch_admin(image, flavor=flavor(disk=0), expect=('ERROR',))
    assert 'newos_root_disk_size' in guest.server().fault['message']
    guest.assert_nothing_left()


def test_driver_image_that_is_no_iso(refused, images, media, tmp_path):
    disk = _qcow2(tmp_path)
    driver = images(disk, disk_format='qcow2')
    message = refused(images(media['probe'], newos_virtio_image_id=driver))
    assert 'disk format qcow2' in message


def test_driver_images_that_cannot_be_had(
    box, refused, launch, images, media, tmp_path
):
    """An ISO insists on its own; of the operator's the owner is told."""
    missing = str(uuid.UUID(int=7))
    large = tmp_path / 'large.iso'
    large.write_bytes(media['drivers'].read_bytes())
    os.truncate(large, 2**30 + 1)
    too_large = images(large)
    with box.configured(
        {'newos.media_max_size': '1', 'newos.virtio_image_id': missing}
    ):
        message = refused(
            images(media['probe'], newos_virtio_image_id=too_large)
        )
        guest = launch(images(media['waiting']))
    assert too_large in message
    assert 'media_max_size=1' in message
    # Told by its size: nothing of it is fetched.
    assert not cache.base_file(box, too_large).exists()
    assert [name for name, *_rest in guest.disks()] == ['disk.newos', 'disk']
    assert missing in guest.server().metadata['newos_warning']


def test_deleted_driver_image(refused, images, media, cloud):
    driver = images(media['drivers'])
    iso = images(media['probe'], newos_virtio_image_id=driver)
    cloud.image.delete_image(driver)
    message = refused(iso)
    assert driver in message
    assert 'does not exist' in message


def test_iso_that_is_a_qcow2(images, refused, tmp_path):
    """Glance refuses it, or Nova does, depending on the release."""
    disk = _qcow2(tmp_path)
    process = onebox.openstack(
        'image',
        'create',
        '--format=json',
        '--disk-format',
        'iso',
        '--file',
        disk,
        'newos-test-liar',
        check=False,
    )
    if process.returncode:
        assert 'Unsupported Media Type' in process.stderr
        return
    image = onebox.openstack(
        'image', 'show', '--format=json', 'newos-test-liar'
    )
    images.adopt(image['id'])
    assert '--disk-format iso' in refused(image['id'])


@pytest.mark.operation('bus-refusals', outcome='refused')
def test_too_many_cdroms_for_the_bus(
    refused, images, media, driver_iso, flavor
):
    image = images(
        media['probe'],
        newos_virtio_image_id=driver_iso,
        hw_disk_bus='ide',
    )
    message = refused(
        image,
        '--config-drive',
        'True',
        flavor=flavor(ephemeral=1),
    )
    assert 'hw_cdrom_bus' in message


def test_boot_from_volume(refused, install_iso):
    """There is no block storage here: the refusal comes before it is asked."""
    message = refused(install_iso, '--boot-from-volume', '1')
    assert 'volume' in message
    assert 'newos_install=false' in message


@pytest.mark.parametrize(
    ('option', 'value', 'words'),
    [
        ('newos.media', 'virtio,floppy', "medium 'floppy'"),
        ('libvirt.images_type', 'lvm', "images_type='lvm'"),
    ],
    ids=['medium', 'storage'],
)
def test_compute_does_not_start(box, option, value, words):
    process = box.try_up('--set', f'{option}={value}')
    try:
        assert process.returncode != 0
        assert words in process.stdout + process.stderr
    finally:
        box.up('--set', f'{option}=')


def _qcow2(directory):
    path = directory / 'disk.qcow2'
    subprocess.run(
        ['qemu-img', 'create', '-q', '-f', 'qcow2', path, '16M'], check=True
    )
    return path
