# SPDX-License-Identifier: Apache-2.0
"""Rebuild: what a server is follows its new image."""

import pytest

from nova_newos import layout
from tests.functional.fakelibvirt import base


class RebuildBase(base.InstalledTestCase):
    def rebuild(self, image, server=None):
        """Rebuild a server; returns its disks, which last."""
        server = server or self.server
        self._rebuild_server(server, image)
        disks = self.disks(server)
        self._reboot_server(server, hard=True)
        self.assertEqual(disks, self.disks(server))
        return disks

    def assert_blank(self, server, name='disk.newos'):
        self._qemu_io(self.directory(server) / name, 'read', '0')


class RebuildTestCase(RebuildBase):
    @pytest.mark.operation('rebuild-same-iso')
    def test_same_iso(self):
        self.assertEqual(
            [base.ROOT, base.ISO, base.DRIVERS], self.rebuild(self.iso)
        )
        self.assert_blank(self.server)
        self.install(self.server)
        self.assert_kept(boots_installer=True)

    @pytest.mark.operation('rebuild-other-iso')
    def test_other_iso(self):
        other = self.add_image()
        self.assertEqual([base.ROOT, base.ISO], self.rebuild(other))
        self.assert_blank(self.server)
        self.assertEqual(layout.Layout(other, 1), self.layout_of(self.server))
        self.assertNotIn('disk.virtio', self.files(self.server))

    @pytest.mark.operation('rebuild-other-iso')
    @pytest.mark.operation('buses')
    def test_other_iso_with_other_buses(self):
        """Nova keeps the bus that the first image had."""
        other = self.add_image(
            properties={
                'hw_disk_bus': 'sata',
                'hw_cdrom_bus': 'scsi',
                'hw_scsi_model': 'virtio-scsi',
                'newos_virtio_image_id': self.drivers,
            }
        )
        self.assertEqual(
            [
                ('disk.newos', 'disk', 'sata', 'sda'),
                ('disk', 'cdrom', 'scsi', 'sdb'),
                ('disk.virtio', 'cdrom', 'scsi', 'sdc'),
            ],
            self.rebuild(other),
        )

    @pytest.mark.operation('rebuild-to-disk-image')
    def test_disk_image(self):
        self.assertEqual(
            [base.STOCK_ROOT], self.rebuild(self.add_disk_image())
        )
        self.assertIsNone(self.layout_of(self.server))
        self.assertEqual(['hd'], self.boot_order(self.server))
        self.assertFalse(
            {'disk.newos', 'disk.virtio'} & self.files(self.server)
        )
        # An ordinary server in all that follows, its rescue for one.
        self.act(self.server, 'rescue', {}, state='RESCUE')
        self.assertEqual(
            ['disk.rescue', 'disk'],
            [name for name, *_rest in self.disks(self.server)],
        )

    @pytest.mark.operation('rebuild-to-disk-image')
    @pytest.mark.operation('buses')
    def test_disk_image_with_another_bus(self):
        image = self.add_disk_image(
            properties={
                'hw_disk_bus': 'scsi',
                'hw_scsi_model': 'virtio-scsi',
            }
        )
        self.assertEqual(
            [('disk', 'disk', 'scsi', 'sda')], self.rebuild(image)
        )

    @pytest.mark.operation('rebuild-to-disk-image')
    @pytest.mark.operation('buses')
    def test_disk_image_after_an_iso_with_another_bus(self):
        iso = self.add_image(
            properties={'hw_disk_bus': 'sata', 'hw_cdrom_bus': 'sata'}
        )
        server = self.create(iso)
        self.assertEqual('sda', self.disks(server)[0][-1])
        self.assertEqual(
            [base.STOCK_ROOT], self.rebuild(self.add_disk_image(), server)
        )

    @pytest.mark.operation('rebuild-to-iso')
    def test_ordinary_server_to_an_iso(self):
        server = self.create(self.add_disk_image())
        self.install(server, 'disk')
        self.assertEqual(
            [base.ROOT, base.ISO, base.DRIVERS],
            self.rebuild(self.iso, server),
        )
        self.assert_blank(server)
        self.assertEqual(
            layout.Layout(self.iso, 1, (('virtio', self.drivers),)),
            self.layout_of(server),
        )

    @pytest.mark.operation('rebuild-to-iso')
    @pytest.mark.operation('buses')
    def test_ordinary_server_to_an_iso_with_another_bus(self):
        server = self.create(self.add_disk_image())
        iso = self.add_image(
            properties={'hw_disk_bus': 'sata', 'hw_cdrom_bus': 'sata'}
        )
        self.assertEqual(
            [
                ('disk.newos', 'disk', 'sata', 'sda'),
                ('disk', 'cdrom', 'sata', 'sdb'),
            ],
            self.rebuild(iso, server),
        )

    @pytest.mark.operation('rebuild-other-iso')
    @pytest.mark.operation('volume')
    def test_with_a_volume(self):
        volume = self.cinder.ISCSI_BACKED_VOL
        self.attach(self.server, volume)
        disks = self.rebuild(self.iso)
        self.assertEqual(
            [base.ROOT, base.ISO, base.DRIVERS, (volume, 'disk', 'virtio')],
            [*disks[:3], disks[3][:3]],
        )

    @pytest.mark.operation('rebuild-other-iso', outcome='refused')
    def test_impossible_rebuild_keeps_the_disk(self):
        bad = self.add_image(properties={'newos_root_disk_size': '99'})
        server = self.act(
            self.server, 'rebuild', {'imageRef': bad}, state='ERROR'
        )
        self.assertIn('newos_root_disk_size', server['fault']['message'])
        self.assert_installed(self.server)


class FlatRebuildTestCase(RebuildBase):
    IMAGES_TYPE = 'flat'

    test_same_iso = RebuildTestCase.test_same_iso
    test_disk_image = RebuildTestCase.test_disk_image
    test_ordinary_server_to_an_iso = (
        RebuildTestCase.test_ordinary_server_to_an_iso
    )
