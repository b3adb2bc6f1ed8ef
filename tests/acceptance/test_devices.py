# SPDX-License-Identifier: Apache-2.0
"""Buses, machine types and further disks: names that stay."""

import pytest

from tests.acceptance import storage


@pytest.fixture
def devices(launch, images, media, driver_iso, digests):
    """Installs onto a bus and boots from it; see its arguments below."""

    def check(properties, bus, targets):
        machine = properties.get('hw_machine_type')
        iso = 'q35' if machine == 'q35' else 'probe'
        image = images(
            media[iso], newos_virtio_image_id=driver_iso, **properties
        )
        guest = launch(image, '--config-drive', 'True')

        found = [target for _name, target, _device in guest.disks()]
        assert found[:3] == targets
        report = guest.install()
        assert report.disks[0]['bus'] == bus
        seen = [cdrom['sha256'] for cdrom in report.cdroms]
        expected = [digests[iso], digests['drivers']]
        if bus == 'virtio-scsi':
            # QEMU reports LUNs in no order that a guest's names could follow.
            assert set(expected) < set(seen)
        else:
            assert seen[:2] == expected
        assert guest.boot().facts['marker'] == report.facts['marker']

    return check


@pytest.mark.operation('buses')
@pytest.mark.operation('config-drive')
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
def test_every_bus_installs_and_boots(devices, properties, bus, targets):
    devices(properties, bus, targets)


@pytest.mark.slow
def test_usb_installs_and_boots(devices):
    """Firmware takes minutes to read a kernel from an emulated USB disk."""
    properties = {
        'hw_machine_type': 'q35',
        'hw_disk_bus': 'usb',
        'hw_cdrom_bus': 'scsi',
    }
    devices(properties, 'usb', ['sda', 'sdb', 'sdc'])


def test_uefi_installs_where_stock_boots_it(
    launch, images, media, flavor, plain, tmp_path
):
    """Nova 33 and newer define no UEFI domain on libvirt 9.0, for anyone."""
    uefi = {'hw_machine_type': 'q35', 'hw_firmware_type': 'uefi'}
    blank = tmp_path / 'disk.raw'
    blank.write_bytes(b'\0' * 2**20)
    either = ('ACTIVE', 'ERROR')
    # The firmware wants more than the probe.
    sizes = {'flavor': flavor(ram=512), 'expect': either}
    ordinary = launch(images(blank, disk_format='raw', **uefi), **sizes)
    installer = launch(images(plain(media['q35']), **uefi), **sizes)

    assert installer.server().status == ordinary.server().status
    if installer.server().status == 'ACTIVE':
        marker = installer.install().facts['marker']
        assert installer.boot().facts['marker'] == marker
        installer.call('stop_server', expect='SHUTOFF')
        # By the fallback path, which an image is booted by as well.
        installer.lose_uefi_variables()
        assert installer.boot().facts['marker'] == marker
        installer.call('stop_server', expect='SHUTOFF')
        installer.lose_uefi_variables()
        installer.lose_boot_sectors(2**20)
        installer.call('start_server')
        installer.assert_does_not_boot()


@storage.on(
    *storage.ALL,
    sees=('ephemeral-swap', 'config-drive', 'hard-reboot', 'stop-start'),
)
def test_further_disks_come_after_and_stay(launch, install_iso, flavor):
    """Ephemeral disk, swap and config drive, through reboot and start."""
    sizes = flavor(ephemeral=1, swap=64)
    guest = launch(install_iso, '--config-drive', 'True', flavor=sizes)

    # libvirt puts together what is on one bus.
    assert guest.disks() == [
        ('disk.newos', 'vda', 'disk'),
        ('disk.eph0', 'vdb', 'disk'),
        ('disk.swap', 'vdc', 'disk'),
        ('disk', 'hda', 'cdrom'),
        ('disk.virtio', 'hdb', 'cdrom'),
        ('disk.config', 'hdc', 'cdrom'),
    ]
    wiring = guest.wiring()
    spawned = guest.install()
    assert [disk['size'] for disk in spawned.disks] == [
        str(2**30),
        str(2**30),
        str(64 * 2**20),
    ]
    assert spawned.cdroms[2]['label'] == 'config-2'

    def check(report):
        assert report.facts['device'] == 'vda'
        assert report.facts['marker'] == spawned.facts['marker']
        assert report.hardware == spawned.hardware
        assert guest.wiring() == wiring

    check(guest.boot())
    check(guest.hard_reboot())
    guest.call('stop_server', expect='SHUTOFF')
    check(guest.boot())
