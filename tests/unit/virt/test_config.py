# SPDX-License-Identifier: Apache-2.0

import ddt
from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_newos.virt import config
from tests.unit.virt import fakes


def disk(path, dev, bus='scsi', unit=None, device='disk'):
    """A disk as nova.virt.libvirt.imagebackend describes it."""
    made = vconfig.LibvirtConfigGuestDisk()
    made.source_type = 'file'
    made.source_path = path
    made.source_device = device
    made.target_dev = dev
    made.target_bus = bus
    made.driver_name = 'qemu'
    made.driver_format = 'qcow2'
    made.driver_cache = 'none'
    if unit is not None:
        made.device_addr = vconfig.LibvirtConfigGuestDeviceAddressDrive()
        made.device_addr.controller = 0
        made.device_addr.unit = unit
    return made


class InstallerTest(fakes.TestCase):
    def test_xml(self):
        guest = fakes.guest_config()
        expected = etree.fromstring(guest.to_xml())
        etree.SubElement(expected, 'on_reboot').text = 'destroy'
        made = config.LibvirtConfigInstaller.of(guest)
        self.assertEqual(
            *(
                etree.canonicalize(xml, strip_text=True)
                for xml in (
                    etree.tostring(expected, encoding='unicode'),
                    made.to_xml(),
                )
            )
        )


@ddt.ddt
class RootDiskTest(fakes.TestCase):
    def test_xml(self):
        """Room of zeroed blocks comes back to the host."""
        root = config.LibvirtConfigRootDisk.of(disk('/i/disk.newos', 'sda'))
        driver = etree.fromstring(root.to_xml()).find('driver')
        self.assertEqual(
            {
                'name': 'qemu',
                'type': 'qcow2',
                'cache': 'none',
                'discard': 'unmap',
                'detect_zeroes': 'unmap',
            },
            dict(driver.attrib),
        )

    @ddt.data(
        ('none', None, 'unmap', 'unmap'),
        ('none', 'unmap', 'unmap', 'unmap'),
        ('none', 'ignore', 'ignore', None),
        ('space', None, None, None),
        ('space', 'ignore', 'ignore', None),
        # Asked for in so many words.
        ('space', 'unmap', 'unmap', 'unmap'),
    )
    @ddt.unpack
    def test_what_the_operator_decides(
        self, preallocate_images, hw_disk_discard, discard, detect_zeroes
    ):
        self.flags(preallocate_images=preallocate_images)
        plain = disk('/i/disk.newos', 'sda')
        # As Nova's driver has it from [libvirt] hw_disk_discard.
        plain.driver_discard = hw_disk_discard
        root = config.LibvirtConfigRootDisk.of(plain)
        driver = etree.fromstring(root.to_xml()).find('driver')
        self.assertEqual(
            (discard, detect_zeroes),
            (driver.get('discard'), driver.get('detect_zeroes')),
        )

    def test_the_rest_is_novas(self):
        plain = disk('/i/disk.newos', 'sda', unit=3)
        plain.disk_read_bytes_sec = 1000
        plain.serial = 'serial'
        root = config.LibvirtConfigRootDisk.of(plain)
        self.assertIsInstance(root, vconfig.LibvirtConfigGuestDisk)
        expected = etree.fromstring(plain.to_xml())
        expected.find('driver').set('discard', 'unmap')
        expected.find('driver').set('detect_zeroes', 'unmap')
        self.assertEqual(
            etree.tostring(expected, method='c14n'),
            etree.tostring(etree.fromstring(root.to_xml()), method='c14n'),
        )
        self.assertIsNone(plain.driver_discard)


@ddt.ddt
class InsertTest(fakes.TestCase):
    def insert(self, *stock, cdroms=1, units=(None, None, None)):
        configs = list(stock)
        root = config.LibvirtConfigRootDisk.of(
            disk('/i/disk.newos', 'sda', unit=units[0])
        )
        more = [
            disk(f'/i/cd{n}', f'sd{n}', unit=units[n], device='cdrom')
            for n in range(1, cdroms + 1)
        ]
        mapping = {'disk': {'dev': 'sdx'}, 'disk.newos': {'dev': 'sda'}}
        config.insert(configs, mapping, root, more)
        return configs

    def paths(self, configs):
        return [
            getattr(config, 'source_path', type(config).__name__)
            for config in configs
        ]

    def iso(self, unit=None):
        return disk('/i/disk', 'sdx', unit=unit, device='cdrom')

    @ddt.data(0, 1, 2)
    def test_order(self, cdroms):
        """Root, ISO, further CD-ROMs, then what Nova adds."""
        configs = self.insert(
            self.iso(), disk('/i/disk.eph0', 'sdy'), cdroms=cdroms
        )
        self.assertEqual(
            [
                '/i/disk.newos',
                '/i/disk',
                *(f'/i/cd{n}' for n in range(1, cdroms + 1)),
                '/i/disk.eph0',
            ],
            self.paths(configs),
        )

    def test_other_devices_stay_last(self):
        controller = vconfig.LibvirtConfigGuestController()
        configs = self.insert(self.iso(), controller)
        self.assertIs(controller, configs[-1])

    def test_units(self):
        """The root is LUN 0, the others follow in their order."""
        volume = disk('/dev/volume', 'sdz', unit=2)
        configs = self.insert(
            self.iso(unit=0),
            disk('/i/disk.eph0', 'sdy', unit=1),
            volume,
            units=(3, 4, None),
        )
        self.assertEqual(
            [
                ('/i/disk.newos', 0),
                ('/i/disk', 1),
                ('/i/cd1', 2),
                ('/i/disk.eph0', 3),
                ('/dev/volume', 4),
            ],
            [(c.source_path, c.device_addr.unit) for c in configs],
        )

    def test_units_only_where_nova_gave_one(self):
        """Disks of other buses have no address of a SCSI drive."""
        configs = self.insert(
            disk('/i/disk', 'sdx', 'ide', device='cdrom'),
            disk('/i/disk.eph0', 'sdy', unit=0),
            units=(1, None, None),
        )
        self.assertEqual(
            [0, None, None, 1],
            [c.device_addr and c.device_addr.unit for c in configs],
        )

    def test_units_of_others_are_theirs(self):
        """A controller's address is none of ours."""
        controller = vconfig.LibvirtConfigGuestController()
        controller.device_addr = 'untouched'
        self.insert(self.iso(unit=0), controller, units=(1, 2, None))
        self.assertEqual('untouched', controller.device_addr)
