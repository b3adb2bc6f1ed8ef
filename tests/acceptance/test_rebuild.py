# SPDX-License-Identifier: Apache-2.0
"""Rebuild: what a server is depends on the image it is rebuilt with."""

from tests.acceptance import storage

INSTALL_DISKS = [
    ('disk.newos', 'vda', 'disk'),
    ('disk', 'hda', 'cdrom'),
    ('disk.virtio', 'hdb', 'cdrom'),
]


def _rebuild(guest, image, expect='ACTIVE'):
    guest.call('rebuild_server', image=image, expect=expect)


def _refused(guest, iso, marker):
    """A disk that cannot be had: the server keeps the one it has."""
    _rebuild(guest, iso, expect='ERROR')
    assert 'newos_root_disk_size=50' in guest.server().fault['message']
    report = guest.hard_reboot()
    assert report.facts['marker'] == marker
    assert guest.disks() == INSTALL_DISKS


def _with_same_iso(guest, iso, marker):
    """Installs anew, onto a blank disk."""
    _rebuild(guest, iso)
    assert guest.install().facts['marker'] != marker
    assert guest.disks() == INSTALL_DISKS


def _with_other_iso(guest, iso, digests):
    """A stopped server is stopped afterwards."""
    _rebuild(guest, iso, expect='SHUTOFF')
    guest.call('start_server')
    report = guest.wait_for_report()
    assert report.facts['booted-from'] == 'waiting'
    assert guest.disks() == INSTALL_DISKS
    assert [cdrom['sha256'] for cdrom in report.cdroms] == [
        digests['waiting'],
        digests['drivers'],
    ]
    assert 'marker' not in report.disks[0]


def _with_disk_image(guest, image, device='vda', bus='virtio'):
    """An ordinary server, on the bus that its image asks for."""
    _rebuild(guest, image)
    report = guest.wait_for_report(**{'booted-from': 'disk'})
    assert report.facts['marker'] == 'installed'
    assert report.cdroms == []
    assert guest.disks() == [('disk', device, 'disk')]
    assert [disk['bus'] for disk in report.disks] == [bus]
    assert not list(guest.directory.glob('disk.newos*'))


def _with_iso(guest, iso):
    """An install server."""
    _rebuild(guest, iso)
    assert guest.wait_for_report().facts['booted-from'] == 'waiting'
    assert guest.disks() == INSTALL_DISKS


@storage.on(
    storage.QCOW2,
    sees=(
        'rebuild-same-iso',
        'rebuild-other-iso',
        'rebuild-to-disk-image',
        'rebuild-to-iso',
    ),
)
def test_rebuild(
    launch,
    install_iso,
    waiting_iso,
    disk_image,
    images,
    media,
    disk_files,
    digests,
):
    too_large = images(media['probe'], newos_root_disk_size='50')

    def on_bus(**properties):
        return images(
            disk_files['installed'], disk_format='qcow2', **properties
        )

    guest = launch(install_iso)
    marker = guest.install().facts['marker']
    _refused(guest, too_large, marker)
    _with_same_iso(guest, install_iso, marker)
    _with_other_iso(guest, waiting_iso, digests)
    # Of the buses that the kernel on this disk knows: not sata.
    _with_disk_image(guest, on_bus(hw_disk_bus='ide'), 'hda', 'ata')
    _with_iso(guest, waiting_iso)
    _with_disk_image(
        guest,
        on_bus(hw_disk_bus='scsi', hw_scsi_model='virtio-scsi'),
        'sda',
        'virtio-scsi',
    )
    guest.hard_reboot()
    assert guest.disks() == [('disk', 'sda', 'disk')]
    _with_iso(guest, waiting_iso)
    _with_disk_image(guest, disk_image)


@storage.on(storage.FLAT, sees=('rebuild-to-disk-image', 'rebuild-to-iso'))
def test_rebuild_on_other_storage(launch, waiting_iso, disk_image):
    guest = launch(disk_image)
    _with_iso(guest, waiting_iso)
    guest.install_now()
    guest.boot()
    _with_disk_image(guest, disk_image)
