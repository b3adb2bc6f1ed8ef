# SPDX-License-Identifier: Apache-2.0
"""Names, buses and order of an install server's devices."""

import itertools

from lxml import etree
from oslo_utils import uuidutils
from oslo_utils.fixture import uuidsentinel as uuids
import pytest

from tests.functional.fakelibvirt import base


class DevicesMixin:
    def targets(self, server):
        """Names of the devices by the files, and by the ids of volumes."""
        return {name: dev for name, *_rest, dev in self.attached(server)}

    def units(self, server):
        """SCSI units by the names of the devices."""
        tree = etree.fromstring(self.xml(server))
        return {
            disk.find('target').get('dev'): disk.find('address').get('unit')
            for disk in tree.findall('devices/disk[address]')
        }

    def assert_lasts(self, server):
        """A hard reboot gives every disk the name that it had."""
        before = self.attached(server)
        self._reboot_server(server, hard=True)
        self.assertEqual(sorted(before), sorted(self.attached(server)))
        self.assert_unique(server)

    def assert_unique(self, server):
        targets = [target for *_rest, target in self.attached(server)]
        self.assertEqual(len(targets), len(set(targets)), targets)

    def assert_root_is_lowest(self, server):
        """Also as libvirt sorts them, and so for a snapshot."""
        disks = self.attached(server)
        self.assertEqual('disk.newos', disks[0][0])
        on_its_bus = [dev for *_r, bus, dev in disks if bus == disks[0][2]]
        self.assertEqual(min(on_its_bus), disks[0][3])


class AttachTestCase(DevicesMixin, base.InstalledTestCase):
    def setUp(self):
        super().setUp()
        # The fake sends no event when a device is gone.
        self.flags(device_detach_timeout=1, group='libvirt')

    def detach(self, server, volume):
        self.api.delete_server_volume(server['id'], volume)
        self._wait_for_volume_detach(server['id'], volume)

    @pytest.mark.operation('volume')
    def test_volumes(self):
        for volume in (uuids.one, uuids.two):
            self.attach(self.server, volume)
        targets = self.targets(self.server)
        self.assertEqual('vdb', targets[uuids.one])
        self.assertEqual('vdc', targets[uuids.two])
        self.assert_lasts(self.server)
        self.assert_root_is_lowest(self.server)

        self.detach(self.server, uuids.one)
        self.assert_lasts(self.server)
        self.assertEqual('vdc', self.targets(self.server)[uuids.two])
        self.attach(self.server, uuids.three)
        self.assertEqual('vdb', self.targets(self.server)[uuids.three])
        self.assert_lasts(self.server)
        for volume in (uuids.two, uuids.three):
            self.detach(self.server, volume)
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    @pytest.mark.operation('volume')
    @pytest.mark.operation('buses')
    def test_volumes_where_all_names_begin_alike(self):
        server = self.create(
            self.add_image(
                properties={
                    'hw_machine_type': 'q35',
                    'hw_disk_bus': 'scsi',
                    'hw_scsi_model': 'virtio-scsi',
                    'hw_cdrom_bus': 'scsi',
                    'newos_virtio_image_id': self.drivers,
                }
            )
        )
        for volume in (uuids.one, uuids.two):
            self.attach(server, volume)
        wanted = {
            'disk.newos': 'sda',
            'disk': 'sdb',
            'disk.virtio': 'sdc',
            uuids.one: 'sdd',
            uuids.two: 'sde',
        }
        self.assertEqual(wanted, self.targets(server))
        self.assert_lasts(server)
        self.assert_root_is_lowest(server)
        units = self.units(server)
        self.assertEqual(set(wanted.values()), set(units))
        self.assertEqual(len(units), len(set(units.values())))
        self.assertEqual('0', units['sda'])

        self.detach(server, uuids.one)
        self.attach(server, uuids.three)
        self.assertEqual('sdd', self.targets(server)[uuids.three])
        self.assert_lasts(server)

    @pytest.mark.operation('interface')
    def test_interfaces(self):
        port = self.neutron.port_1['id']
        self._attach_interface(self.server, port)
        self.assertEqual(
            1, len(self.api.get_port_interfaces(self.server['id']))
        )
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        self.assertIn(
            self.neutron.port_1['mac_address'], self.xml(self.server)
        )
        self._detach_interface(self.server, port)
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        self.assertNotIn('<interface', self.xml(self.server))


class BusesTestCase(DevicesMixin, base.ServersTestCase):
    """Each disk bus with each CD-ROM bus and machine type.

    With all that a server can have: driver ISO, ephemeral disk, swap, config
    drive and a volume.
    """

    ORDER = (
        'disk.newos',
        'disk',
        'disk.virtio',
        'disk.eph0',
        'disk.swap',
        'disk.config',
    )

    def setUp(self):
        super().setUp()
        self.drivers = self.add_image(is_public=True)
        self.flavor = self.add_flavor(ephemeral=1, swap=64)

    def check_bus(self, disk_bus):
        for machine, cdrom_bus in itertools.product(
            ('pc', 'q35'), ('ide', 'sata', 'scsi')
        ):
            self.check(machine, disk_bus, cdrom_bus)

    def check(self, machine, disk_bus, cdrom_bus):
        image = self.add_image(
            properties={
                'hw_machine_type': machine,
                'hw_disk_bus': disk_bus,
                'hw_cdrom_bus': cdrom_bus,
                'hw_scsi_model': 'virtio-scsi',
                'newos_virtio_image_id': self.drivers,
            }
        )
        refusal = self.refusal(machine, disk_bus, cdrom_bus)
        if refusal:
            self.refused(image, refusal)
            return
        volume = uuidutils.generate_uuid()
        server = self.create(
            image, self.flavor, **self.all_disks(image, volume)
        )
        self.assertEqual(
            (*self.ORDER, volume),
            tuple(name for name, *_rest in self.disks(server)),
        )
        buses = [bus for _name, _device, bus, _target in self.disks(server)]
        self.assertEqual([disk_bus, cdrom_bus, cdrom_bus], buses[:3])
        self.assert_unique(server)
        self.assert_lasts(server)
        self.assert_root_is_lowest(server)
        units = self.units(server)
        self.assertEqual(len(units), len(set(units.values())))
        if disk_bus == 'scsi':
            self.assertEqual('0', units['sda'])

    @staticmethod
    def all_disks(image, volume):
        """What of a create request gives a config drive and a volume."""
        return {
            'config_drive': True,
            'block_device_mapping_v2': [
                {
                    'uuid': image,
                    'source_type': 'image',
                    'destination_type': 'local',
                    'boot_index': 0,
                },
                {
                    'uuid': volume,
                    'source_type': 'volume',
                    'destination_type': 'volume',
                    'boot_index': -1,
                },
            ],
        }

    @staticmethod
    def refusal(machine, disk_bus, cdrom_bus):
        """Part of the fault of a combination that cannot be, else None."""
        if machine == 'q35' and 'ide' in (disk_bus, cdrom_bus):
            return 'has no ide bus'
        if disk_bus == cdrom_bus == 'ide':
            return 'do not fit'
        return None

    def refused(self, image, text):
        """A server is refused before anything was made or fetched."""
        self.glance.fetched.clear()
        server = self.create(
            image,
            self.flavor,
            state='ERROR',
            **self.all_disks(image, uuidutils.generate_uuid()),
        )
        self.assertIn(text, server['fault']['message'])
        self.assertFalse(self.directory(server).exists())
        connection = self.computes['compute1'].driver._host.get_connection()
        self.assertNotIn(server['id'], connection.defined)
        self.assertEqual([], self.glance.fetched)

    @pytest.mark.operation('buses')
    @pytest.mark.operation('config-drive')
    @pytest.mark.operation('ephemeral-swap')
    @pytest.mark.operation('volume')
    def test_virtio(self):
        self.check_bus('virtio')

    @pytest.mark.operation('buses')
    def test_scsi(self):
        self.check_bus('scsi')

    @pytest.mark.operation('buses')
    def test_sata(self):
        self.check_bus('sata')

    @pytest.mark.operation('buses')
    @pytest.mark.operation('bus-refusals', outcome='refused')
    def test_ide(self):
        self.check_bus('ide')

    @pytest.mark.operation('bus-refusals', outcome='refused')
    def test_what_no_machine_has(self):
        for properties, text in (
            ({'hw_cdrom_bus': 'virtio'}, 'hw_cdrom_bus'),
            ({'hw_cdrom_bus': 'fdc'}, 'hw_cdrom_bus'),
            ({'hw_disk_bus': 'fdc'}, 'hw_disk_bus'),
        ):
            self.refused(self.add_image(properties=properties), text)
