# SPDX-License-Identifier: Apache-2.0
"""Servers created from install ISOs."""

import base64
import hashlib

from lxml import etree
from oslo_utils import units
import pytest

from nova_newos import layout
from tests.functional.fakelibvirt import base
from tests.functional.fakelibvirt import glance
from tests.unit.media.answers import readback
from tests.unit.media.answers import samples

ROOT = base.ROOT
ISO = base.ISO


class CreateTestCase(base.ServersTestCase):
    def create_iso(self, flavor=None, properties=None, **fields):
        self.iso = self.add_image(properties=properties or {})
        return self.create(self.iso, flavor, **fields)

    @pytest.mark.operation('create')
    def test_devices_and_boot_order(self):
        server = self.create_iso()
        self.assertEqual([ROOT, ISO], self.disks(server))
        self.assertEqual(['hd', 'cdrom'], self.boot_order(server))

    @pytest.mark.operation('create')
    def test_layout_is_persisted(self):
        server = self.create_iso(self.add_flavor(disk=2))
        self.assertEqual(
            layout.Layout(self.iso, 2),
            self.layout_of(server),
        )

    @pytest.mark.operation('create')
    def test_root_disk(self):
        server = self.create_iso(self.add_flavor(disk=3))
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        self.assertEqual(3 * units.Gi, info['virtual-size'])
        self.assertEqual('qcow2', info['format'])
        self.assertNotIn('backing-filename', info)

    @pytest.mark.operation('create')
    def test_root_disk_discards(self):
        server = self.create_iso()
        root, iso = etree.fromstring(self.xml(server)).findall('devices/disk')
        self.assertEqual('unmap', root.find('driver').get('discard'))
        self.assertEqual('unmap', root.find('driver').get('detect_zeroes'))
        self.assertIsNone(root.find('readonly'))
        self.assertEqual('qcow2', root.find('driver').get('type'))

    @pytest.mark.operation('create', images_type='raw')
    def test_root_disk_raw(self):
        self.flags(images_type='raw', group='libvirt')
        self.flags(force_raw_images=True)
        server = self.create_iso()
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        self.assertEqual(
            ('raw', units.Gi), (info['format'], info['virtual-size'])
        )

    @pytest.mark.operation('create')
    def test_iso_is_an_overlay_of_its_own_size(self):
        server = self.create_iso()
        info = self.qemu_img_info(self.directory(server) / 'disk')
        self.assertEqual('qcow2', info['format'])
        self.assertEqual(len(glance.iso_bytes()), info['virtual-size'])
        with open(info['full-backing-filename'], 'rb') as cached:
            self.assertEqual(glance.iso_bytes(), cached.read())

    @pytest.mark.operation('create')
    def test_size_by_property(self):
        server = self.create_iso(
            self.add_flavor(disk=9), properties={'newos_root_disk_size': '4'}
        )
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        self.assertEqual(4 * units.Gi, info['virtual-size'])

    @pytest.mark.operation('create')
    def test_size_by_option(self):
        self.flags(root_disk_size=2, group='newos')
        server = self.create_iso(self.add_flavor(disk=9))
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        self.assertEqual(2 * units.Gi, info['virtual-size'])

    @pytest.mark.operation('create')
    def test_size_without_flavor_disk(self):
        server = self.create_iso(
            self.add_flavor(disk=0), properties={'newos_root_disk_size': '5'}
        )
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        self.assertEqual(5 * units.Gi, info['virtual-size'])

    @pytest.mark.operation('create')
    def test_driver_iso_by_property(self):
        drivers = self.add_image(
            data=glance.iso_bytes(3 * units.Mi), is_public=True
        )
        server = self.create_iso(properties={'newos_virtio_image_id': drivers})
        self.assertEqual(
            [ROOT, ISO, ('disk.virtio', 'cdrom', 'ide', 'hdb')],
            self.disks(server),
        )
        self.assertEqual(
            (('virtio', drivers),),
            self.layout_of(server).media,
        )
        info = self.qemu_img_info(self.directory(server) / 'disk.virtio')
        self.assertEqual(3 * units.Mi, info['virtual-size'])

    @pytest.mark.operation('create')
    def test_driver_iso_by_option(self):
        drivers = self.add_image(is_public=True)
        self.flags(virtio_image_id=drivers, group='newos')
        self.assertIn(
            ('disk.virtio', 'cdrom', 'ide', 'hdb'),
            self.disks(self.create_iso()),
        )

    @pytest.mark.operation('create')
    def test_driver_iso_switched_off(self):
        drivers = self.add_image(is_public=True)
        self.flags(virtio_image_id=drivers, group='newos')
        server = self.create_iso(properties={'newos_virtio_image_id': 'none'})
        self.assertEqual([ROOT, ISO], self.disks(server))

    @pytest.mark.operation('create')
    @pytest.mark.operation('config-drive')
    @pytest.mark.operation('ephemeral-swap')
    def test_stock_disks_come_after(self):
        drivers = self.add_image(is_public=True)
        self.flags(virtio_image_id=drivers, group='newos')
        server = self.create_iso(
            self.add_flavor(ephemeral=1, swap=64), config_drive=True
        )
        self.assertEqual(
            [
                'disk.newos',
                'disk',
                'disk.virtio',
                'disk.eph0',
                'disk.swap',
                'disk.config',
            ],
            [name for name, *_rest in self.disks(server)],
        )
        targets = [target for *_rest, target in self.disks(server)]
        self.assertEqual(len(targets), len(set(targets)))

    @pytest.mark.operation('buses')
    def test_root_has_the_lowest_name_of_a_shared_bus(self):
        server = self.create_iso(
            properties={
                'hw_machine_type': 'q35',
                'hw_disk_bus': 'sata',
                'hw_cdrom_bus': 'sata',
            }
        )
        self.assertEqual(
            [
                ('disk.newos', 'disk', 'sata', 'sda'),
                ('disk', 'cdrom', 'sata', 'sdb'),
            ],
            self.disks(server),
        )

    @pytest.mark.operation('buses')
    def test_scsi_root_is_unit_0(self):
        server = self.create_iso(
            properties={
                'hw_disk_bus': 'scsi',
                'hw_scsi_model': 'virtio-scsi',
                'hw_cdrom_bus': 'scsi',
            }
        )
        root, iso = etree.fromstring(self.xml(server)).findall('devices/disk')
        self.assertEqual('0', root.find('address').get('unit'))
        self.assertEqual('1', iso.find('address').get('unit'))

    @pytest.mark.operation('create')
    def test_hybrid_iso(self):
        """An ISO that also begins like a disk, for memory sticks."""
        data = bytearray(glance.iso_bytes())
        data[446:462] = bytes((0x80, 0, 2, 0, 0xEE, 0, 0, 0, 1, 0, 0, 0)) + (
            4095
        ).to_bytes(4, 'little')
        data[510:512] = b'\x55\xaa'
        data[512:520] = b'EFI PART'
        server = self.create(self.add_image(data=bytes(data)))
        self.assertEqual([ROOT, ISO], self.disks(server))

    def test_live_cd(self):
        """newos_install=false: as stock Nova boots an ISO."""
        server = self.create_iso(properties={'newos_install': 'false'})
        self.assertIsNone(self.layout_of(server))
        self.assertEqual(
            ['disk'], [name for name, *_rest in self.disks(server)]
        )

    def test_ordinary_user_data(self):
        data = base64.b64encode(b'#cloud-config\n').decode()
        server = self.create_iso(user_data=data)
        self.assertEqual([ROOT, ISO], self.disks(server))

    @pytest.mark.operation('create')
    def test_answers(self):
        server = self.create_iso(
            user_data=base64.b64encode(samples.KICKSTART).decode()
        )
        self.assertEqual(
            [ROOT, ISO, ('disk.answers', 'cdrom', 'ide', 'hdb')],
            self.disks(server),
        )
        digest = hashlib.sha256(samples.KICKSTART).hexdigest()[:32]
        self.assertEqual((('answers', digest),), self.layout_of(server).media)
        path = self.directory(server) / 'disk.answers'
        self.assertEqual(('OEMDRV', 'OEMDRV'), readback.labels(path))
        self.assertEqual(
            {'ks.cfg': samples.KICKSTART}, readback.contents(path)
        )
        before = path.read_bytes()
        path.unlink()
        self._reboot_server(server, hard=True)
        self.assertEqual(before, path.read_bytes())

    def test_trait(self):
        self._run_periodics()
        self.assertIn(
            layout.TRAIT,
            self._get_provider_traits(self.compute_rp_uuids['compute1']),
        )

    @pytest.mark.operation('delete-installing')
    def test_delete_leaves_nothing(self):
        server = self.create_iso()
        self.assertTrue(self.directory(server).exists())
        self._delete_server(server)
        self.assertFalse(self.directory(server).exists())
