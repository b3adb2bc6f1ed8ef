# SPDX-License-Identifier: Apache-2.0

import os
import pathlib

import ddt
from lxml import etree
from nova import objects
import nova.privsep.utils
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver as stock

from nova_newos import layout
from nova_newos.virt import blockinfo
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import glance as newos_glance
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


def disks(configs):
    """The <disk> elements, parsed."""
    return [
        etree.fromstring(config.to_xml())
        for config in configs
        if isinstance(config, vconfig.LibvirtConfigGuestDisk)
    ]


def summary(element):
    """(file name, device, bus, target, LUN) of a <disk>."""
    target = element.find('target')
    address = element.find('address')
    return (
        os.path.basename(element.find('source').get('file')),
        element.get('device'),
        target.get('bus'),
        target.get('dev'),
        None if address is None else address.get('unit'),
    )


@ddt.ddt
class StorageConfigTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fakes.Storage(self))
        self.patch(nova.privsep.utils, 'supports_direct_io', return_value=True)
        self.stock_method('_connect_volume')
        self.stock_method('_get_volume_config', self.volume_config)
        self.patch(objects.BlockDeviceMapping, 'save')
        self.present = ['disk', 'disk.virtio']

    @staticmethod
    def volume_config(_self, *args):
        """As the volume drivers do; the arguments differ by release."""
        info = args[-1]
        config = vconfig.LibvirtConfigGuestDisk()
        config.source_type = 'file'
        config.source_path = '/volumes/' + info['dev']
        config.target_dev = info['dev']
        config.target_bus = info['bus']
        if 'unit' in info:
            config.device_addr = vconfig.LibvirtConfigGuestDeviceAddressDrive()
            config.device_addr.unit = info['unit']
        return config

    def configs(self, instance, *bdms, made_by=None, **rescue):
        info = fakes.block_device_info(
            instance, fakes.root_bdm(instance), *bdms
        )
        if rescue == {'rescue': True}:
            # LibvirtDriver.rescue: only a stable rescue has the others.
            info = None
        meta = instance.image_meta
        disk_info = fakes.disk_info(instance, meta, info, **rescue)
        for name in self.present:
            path = pathlib.Path(self.directory(instance), name)
            path.write_bytes(b'')
        return (made_by or self.driver)._get_guest_storage_config(
            self.context,
            instance,
            meta,
            disk_info,
            bool(rescue),
            info,
            instance.flavor,
            'hvm',
        )

    def server(self, server_layout=fakes.LAYOUT, **properties):
        fields = {
            name: properties.pop(name)
            for name in ('config_drive',)
            if name in properties
        }
        return fakes.server(
            fakes.image_dict(**properties), server_layout, **fields
        )

    def test_order(self):
        """Root disk, ISO, driver ISO, then what Nova adds."""
        instance = self.server(config_drive='True')
        found = [
            summary(disk)
            for disk in disks(
                self.configs(
                    instance,
                    fakes.ephemeral(instance),
                    fakes.volume(instance, disk_bus='virtio'),
                )
            )
        ]
        self.assertEqual(
            [
                ('disk.newos', 'disk', 'virtio', 'vda', None),
                ('disk', 'cdrom', 'ide', 'hda', None),
                ('disk.virtio', 'cdrom', 'ide', 'hdb', None),
                ('disk.eph0', 'disk', 'virtio', 'vdb', None),
                ('disk.config', 'cdrom', 'ide', 'hdc', None),
                ('vdc', 'disk', 'virtio', 'vdc', None),
            ],
            found,
        )

    def test_cdroms_may_be_missing(self):
        """A server that is installed starts without its media."""
        self.present = ['disk']
        root, iso, drivers = disks(self.configs(self.server()))
        self.assertIsNone(root.find('source').get('startupPolicy'))
        self.assertEqual('optional', iso.find('source').get('startupPolicy'))
        self.assertIsNone(drivers.find('source'))
        self.assertEqual('hdb', drivers.find('target').get('dev'))

    def test_units(self):
        """On virtio-scsi the root disk is LUN 0, whatever comes after."""
        instance = self.server(
            hw_scsi_model='virtio-scsi',
            hw_disk_bus='scsi',
            hw_cdrom_bus='scsi',
            config_drive='True',
        )
        found = [
            summary(disk)
            for disk in disks(
                self.configs(
                    instance,
                    fakes.ephemeral(instance),
                    fakes.volume(instance, disk_bus='scsi'),
                )
            )
        ]
        self.assertEqual(
            [
                ('disk.newos', 'sda', '0'),
                ('disk', 'sdb', '1'),
                ('disk.virtio', 'sdc', '2'),
                ('disk.eph0', 'sdd', '3'),
                ('disk.config', 'sdf', '4'),
                ('sde', 'sde', '5'),
            ],
            [(name, dev, unit) for name, _type, _bus, dev, unit in found],
        )

    def test_driver_attributes(self):
        """Behaviour 4: discard and zero detection, of the root disk only."""
        root, iso, drivers = disks(self.configs(self.server()))
        self.assertEqual(
            {
                'name': 'qemu',
                'type': 'qcow2',
                'cache': 'none',
                'discard': 'unmap',
                'detect_zeroes': 'unmap',
            },
            dict(root.find('driver').attrib),
        )
        for cdrom in (iso, drivers):
            self.assertIsNone(cdrom.find('driver').get('detect_zeroes'))
            self.assertIsNone(cdrom.find('driver').get('discard'))

    @ddt.data(('qcow2', 'none'), ('raw', 'none'))
    @ddt.unpack
    def test_cache_mode(self, images_type, mode):
        """Devices that are added after Nova's get its cache mode, too."""
        self.flags('libvirt', images_type=images_type)
        self.assertEqual(
            [mode] * 3,
            [
                disk.find('driver').get('cache')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_operators_cache_mode(self):
        """[libvirt] disk_cachemodes holds for all of them."""
        self.flags('libvirt', disk_cachemodes=['file=writeback'])
        self.driver = fakes.make_driver(fakes.VIRTIO)
        self.assertEqual(
            ['writeback'] * 3,
            [
                disk.find('driver').get('cache')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_raw(self):
        self.flags('libvirt', images_type='raw')
        self.assertEqual(
            ['raw'] * 3,
            [
                disk.find('driver').get('type')
                for disk in disks(self.configs(self.server()))
            ],
        )

    def test_glance_is_not_asked(self):
        """A host that boots has no token."""
        get = self.patch(newos_glance, 'check')
        self.configs(self.server())
        self.assertEqual([], self.glance.mock_calls)
        get.assert_not_called()

    @ddt.data((), ('true',))
    def test_legacy_rescue(self, config_drive):
        """The disk to repair is disk.newos."""
        instance = self.server(config_drive=''.join(config_drive))
        found = disks(self.configs(instance, rescue=True))
        self.assertEqual(
            [
                ('disk.rescue', 'disk', 'virtio', 'vda', None),
                ('disk.newos', 'disk', 'virtio', 'vdb', None),
            ],
            [summary(disk) for disk in found][:2],
        )
        self.assertEqual(2 + len(config_drive), len(found))

    def test_stable_rescue(self):
        """All disks stay, and the rescue disk comes last."""
        rescue_image = fakes.image_meta(
            'qcow2', hw_rescue_device='disk', hw_rescue_bus='virtio'
        )
        found = disks(
            self.configs(
                self.server(), rescue=True, rescue_image_meta=rescue_image
            )
        )
        self.assertEqual(
            ['disk.newos', 'disk', 'disk.virtio', 'disk.rescue'],
            [summary(disk)[0] for disk in found],
        )

    def test_medium_that_was_uninstalled(self):
        """The user reads which one it is."""
        instance = self.server(
            layout.Layout(iso=fakes.ISO, root_gb=1, media=(('gone', 'r'),))
        )
        self.driver = fakes.make_driver()
        with self.assertRaises(virt_exception.Refused) as caught:
            self.configs(instance)
        self.assertIn("medium 'gone'", caught.exception.format_message())

    @ddt.data('qcow2', 'iso')
    def test_exactly_stock(self, disk_format):
        """The XML of ordinary and of older ISO servers."""
        theirs = stock.LibvirtDriver(None)
        for properties in (
            {},
            {'hw_scsi_model': 'virtio-scsi', 'hw_disk_bus': 'scsi'},
        ):
            for rescue in (
                {},
                {'rescue': True},
                {
                    'rescue': True,
                    'rescue_image_meta': fakes.image_meta(
                        'qcow2', hw_rescue_device='disk', hw_rescue_bus='usb'
                    ),
                },
            ):
                image = fakes.image_dict(disk_format, **properties)

                def xml(made_by, image=image, rescue=rescue):
                    instance = fakes.server(image, config_drive='True')
                    return [
                        config.to_xml()
                        for config in self.configs(
                            instance,
                            fakes.ephemeral(instance),
                            fakes.volume(instance, disk_bus='scsi'),
                            made_by=made_by,
                            **rescue,
                        )
                    ]

                blockinfo.install()
                ours = xml(self.driver)
                blockinfo.uninstall()
                self.assertEqual(xml(theirs), ours)

    def test_restored(self):
        """One ordinary disk and no CD-ROM."""
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda', None)],
            [
                summary(disk)
                for disk in disks(
                    self.configs(self.server(driver_base.RESTORED))
                )
            ],
        )
