# SPDX-License-Identifier: Apache-2.0
"""From an installer ISO to a golden image that boots."""

import pytest

from tests.acceptance import onebox

GIB = 2**30


def test_installs_on_a_blank_disk_with_both_cdroms(
    launch, install_iso, digests
):
    guest = launch(install_iso)

    assert [disk[:2] for disk in guest.disks()] == [
        ('disk.newos', 'vda'),
        ('disk', 'hda'),
        ('disk.virtio', 'hdb'),
    ]
    report = guest.install()

    [root] = report.disks
    assert root['size'] == str(GIB)
    assert int(root['discard']) > 0
    assert [cdrom['sha256'] for cdrom in report.cdroms] == [
        digests['probe'],
        digests['drivers'],
    ]
    assert guest.boot().facts['marker'] == report.facts['marker']


@pytest.mark.parametrize(
    ('properties', 'bus', 'targets'),
    [
        (
            {'hw_machine_type': 'q35'},
            'virtio',
            ['vda', 'sda', 'sdb'],
        ),
        (
            {'hw_machine_type': 'q35', 'hw_disk_bus': 'sata'},
            'ata',
            ['sda', 'sdb', 'sdc'],
        ),
        ({'hw_disk_bus': 'ide'}, 'ata', ['hda', 'hdb', 'hdc']),
        (
            {
                'hw_disk_bus': 'scsi',
                'hw_cdrom_bus': 'scsi',
                'hw_scsi_model': 'virtio-scsi',
            },
            'virtio-scsi',
            ['sda', 'sdb', 'sdc'],
        ),
    ],
    ids=['q35', 'sata', 'ide', 'scsi'],
)
def test_every_bus_installs_and_boots(
    launch, images, media, driver_iso, digests, properties, bus, targets
):
    image = images(
        media['probe'], newos_virtio_image_id=driver_iso, **properties
    )
    guest = launch(image, '--config-drive', 'True')

    assert [target for _name, target, _device in guest.disks()][:3] == targets
    report = guest.install()
    assert report.disks[0]['bus'] == bus
    seen = [cdrom['sha256'] for cdrom in report.cdroms]
    expected = [digests['probe'], digests['drivers']]
    if bus == 'virtio-scsi':
        # QEMU reports LUNs in no order that a guest's names could follow.
        assert set(expected) < set(seen)
    else:
        assert seen[:2] == expected
    assert guest.boot().facts['marker'] == report.facts['marker']


def test_uefi_installs_where_stock_boots_it(launch, images, media, tmp_path):
    """Nova 33 and newer define no UEFI domain on libvirt 9.0, for anyone."""
    uefi = {'hw_machine_type': 'q35', 'hw_firmware_type': 'uefi'}
    blank = tmp_path / 'disk.raw'
    blank.write_bytes(b'\0' * 2**20)
    either = ('ACTIVE', 'ERROR')
    ordinary = launch(images(blank, disk_format='raw', **uefi), expect=either)
    installer = launch(images(media['probe'], **uefi), expect=either)

    assert installer.server().status == ordinary.server().status
    if installer.server().status == 'ACTIVE':
        marker = installer.install().facts['marker']
        assert installer.boot().facts['marker'] == marker


def test_the_golden_image_boots_an_ordinary_server(
    launch, images, install_iso, cloud
):
    installer = launch(install_iso)
    marker = installer.install().facts['marker']
    image = _image_of(installer)
    images.adopt(image.id)

    assert image.disk_format == 'qcow2'
    assert image.min_disk == 1
    assert not [
        name
        for name in image.properties
        if name.startswith(('newos', 'base_image', 'owner_specified'))
    ]
    server = launch(image.id)
    report = server.wait_for_report(**{'booted-from': 'disk'})
    assert report.facts['marker'] == marker
    assert server.disks() == [('disk', 'vda', 'disk')]
    assert report.cdroms == []


def test_a_live_snapshot_takes_the_root_disk(launch, images, install_iso):
    installer = launch(install_iso)
    installer.install()
    marker = installer.boot().facts['marker']
    image = _image_of(installer)
    images.adopt(image.id)

    assert installer.server().status == 'ACTIVE'
    server = launch(image.id)
    assert (
        server.wait_for_report(**{'booted-from': 'disk'}).facts['marker']
        == marker
    )


def test_flat_storage(box, launch, images, install_iso, digests):
    box.up('--set', 'libvirt.images_type=flat')
    try:
        guest = launch(install_iso)
        report = guest.install()
        assert guest.boot().facts['marker'] == report.facts['marker']
        assert [c['sha256'] for c in report.cdroms] == [
            digests['probe'],
            digests['drivers'],
        ]
        image = _image_of(guest)
        images.adopt(image.id)
        assert image.disk_format == 'raw'
        guest.delete()
    finally:
        box.up('--set', 'libvirt.images_type=')


def test_root_disk_sizes(box, launch, images, media):
    image = images(media['probe'], newos_root_disk_size='2')
    guest = launch(image, flavor='m1.small')
    assert guest.install().disks[0]['size'] == str(2 * GIB)


def test_opting_out_boots_the_iso_as_stock_does(launch, images, media):
    guest = launch(images(media['probe'], newos_install='false'))
    assert guest.disks() == [('disk', 'hda', 'cdrom')]
    report = guest.wait_for_report(**{'booted-from': 'cdrom'})
    assert report.disks == []


def _image_of(guest):
    answer = onebox.openstack(
        'server',
        'image',
        'create',
        '--format=json',
        '--wait',
        '--name',
        'newos-test-golden',
        guest.id,
    )
    return guest.cloud.image.get_image(answer['id'])
