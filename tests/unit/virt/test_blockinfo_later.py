# SPDX-License-Identifier: Apache-2.0

from concurrent import futures
import itertools

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import driver as stock_driver

from nova_newos.virt import blockinfo
from tests.unit.virt import blockinfo_base
from tests.unit.virt import fakes


@ddt.ddt
class AskedAgainTest(blockinfo_base.BlockinfoTestCase):
    """Names must not move while a server lives."""

    def attach(self, instance, bdms):
        """Name a volume as nova-compute does when one is hot-plugged."""
        new = fakes.volume(instance, disk_bus=None, device_type=None)
        new.device_name = (
            stock_driver.LibvirtDriver.get_device_name_for_instance(
                None, instance, bdms, new
            )
        )
        return new

    @ddt.data(*blockinfo_base.BUSES)
    @ddt.unpack
    def test_names_are_stable(self, disk_bus, cdrom_bus, media):
        image = self.image(disk_bus, cdrom_bus)
        instance = self.install_server(image, media)
        bdms = self.bdms(instance)
        if disk_bus == cdrom_bus == 'ide' and media > 2:
            return
        first = self.mapping(instance, bdms)
        info = fakes.block_device_info(instance, *bdms)
        meta = instance.image_meta
        for _ in range(2):
            self.assertEqual(
                first, fakes.disk_info(instance, meta, info)['mapping']
            )

    @ddt.data(
        # disk bus, CD-ROM bus, media; as many as fit on each bus
        ('virtio', 'ide', 2),
        ('sata', 'sata', 2),
        ('scsi', 'scsi', 2),
        ('scsi', 'sata', 2),
        ('ide', 'sata', 2),
        ('ide', 'ide', 0),
    )
    @ddt.unpack
    def test_hot_plugged_volumes(self, disk_bus, cdrom_bus, media):
        """An attached volume keeps its name, and nobody takes it."""
        image = self.image(disk_bus, cdrom_bus)
        instance = self.install_server(image, media)
        bdms = self.bdms(instance)
        before = self.mapping(instance, bdms)
        for _ in range(2):
            bdms.append(self.attach(instance, bdms))
        after = self.mapping(instance, bdms)
        attached = [bdm.device_name.removeprefix('/dev/') for bdm in bdms[1:]]
        self.assertEqual(
            [], sorted(set(attached) & set(blockinfo_base.names(before)))
        )
        self.assertEqual(before, {name: after[name] for name in before})
        self.assertEqual(
            attached, [after[bdm.device_name]['dev'] for bdm in bdms[1:]]
        )

    def test_more_media_than_before(self):
        """A rebuild with more CD-ROMs leaves volumes where they are."""
        instance = self.install_server(self.image('sata', 'sata'), 0)
        bdms = self.bdms(instance)
        volume = fakes.volume(
            instance,
            device_name='/dev/sdc',
            disk_bus='sata',
            device_type='disk',
        )
        instance = self.install_server(self.image('sata', 'sata'), 2)
        mapping = self.mapping(instance, [*bdms, volume])
        self.assertEqual('sdc', mapping['/dev/sdc']['dev'])
        self.assertEqual(
            ['sda', 'sdb', 'sdd', 'sde'],
            [
                mapping[name]['dev']
                for name in (
                    'disk.newos',
                    'disk',
                    'disk.virtio',
                    'disk.answers',
                )
            ],
        )

    @ddt.data(('ephemeral', 'disk.eph0'), ('swap', 'disk.swap'))
    @ddt.unpack
    def test_named_local_disk(self, kind, name):
        """A disk that was named keeps its name when CD-ROMs are counted."""
        instance = self.install_server(self.image('sata', 'sata'), 2)
        local = getattr(fakes, kind)(
            instance, device_name='/dev/sdb', disk_bus='sata', volume_size=1
        )
        mapping = self.mapping(instance, [fakes.root_bdm(instance), local])
        self.assertEqual('sdb', mapping[name]['dev'])
        self.assertEqual(
            len(blockinfo_base.names(mapping)),
            len(set(blockinfo_base.names(mapping))),
        )

    @ddt.data(
        {'device_type': 'cdrom', 'disk_bus': 'ide', 'device_name': '/dev/hda'},
        {'device_type': 'cdrom', 'disk_bus': 'sata', 'device_name': None},
        {'device_type': 'disk', 'disk_bus': 'scsi', 'device_name': '/dev/sda'},
    )
    def test_bdm_of_another_image(self, remembered):
        """What the root's BDM was once does not decide."""
        instance = self.install_server(
            self.image(), 1, root_device_name=remembered['device_name']
        )
        mapping = self.mapping(
            instance, [fakes.root_bdm(instance, **remembered)]
        )
        self.assertEqual(
            {
                'bus': 'virtio',
                'dev': 'vda',
                'type': 'disk',
                'boot_index': '1',
            },
            mapping['root'],
        )
        self.assertEqual(
            ('hda', 'ide', 'cdrom'),
            tuple(mapping['disk'][key] for key in ('dev', 'bus', 'type')),
        )

    def test_bdm_is_told(self):
        """The database then says of the root what the guest has."""
        instance = self.install_server(self.image())
        info = fakes.block_device_info(instance, fakes.root_bdm(instance))
        fakes.disk_info(instance, instance.image_meta, info)
        [root] = info['image']
        self.assertEqual('/dev/vda', root['device_name'])
        self.assertEqual(
            ('virtio', 'disk'), (root['disk_bus'], root['device_type'])
        )

    def test_default_root_name(self):
        instance = self.install_server(self.image())
        self.assertEqual(
            '/dev/vda',
            stock_driver.LibvirtDriver.default_root_device_name(
                None, instance, instance.image_meta, fakes.root_bdm(instance)
            ),
        )

    def test_other_thread_meanwhile(self):
        """Names that are reserved in one thread bind no other."""
        ordinary = fakes.server(fakes.image_dict('qcow2'))

        def ask():
            meta = ordinary.image_meta
            return fakes.disk_info(ordinary, meta)['mapping']['root']['dev']

        with (
            blockinfo._reserve(['vda']),
            futures.ThreadPoolExecutor(1) as pool,
        ):
            self.assertEqual('vda', pool.submit(ask).result())

    def test_nothing_stays_reserved_after_an_error(self):
        instance = self.install_server(self.image('ide', 'ide'), 2)
        with self.assertRaises(nova_exception.TooManyDiskDevices):
            self.mapping(instance, self.bdms(instance, ephemerals=2))
        self.assertEqual((), blockinfo._reserved.get())


@ddt.ddt
class RescueTest(blockinfo_base.BlockinfoTestCase):
    @ddt.data(*itertools.product(('virtio', 'scsi', 'sata', 'ide'), (0, 3)))
    @ddt.unpack
    def test_legacy(self, disk_bus, media):
        """The disk to repair is disk.newos, not the ISO."""
        instance = self.install_server(self.image(disk_bus), media)
        mapping = self.mapping(instance, self.bdms(instance), rescue=True)
        prefix = blockinfo_base.PREFIX[disk_bus]
        self.assertTrue(blockinfo.is_legacy_rescue(mapping))
        self.assertEqual(mapping['root'], mapping['disk.rescue'])
        self.assertEqual(prefix + 'a', mapping['disk.rescue']['dev'])
        self.assertEqual(prefix + 'b', mapping['disk.newos']['dev'])
        self.assertEqual('disk', mapping['disk.newos']['type'])
        self.assertEqual(mapping['disk'], mapping['disk.newos'])
        self.assertNotIn('disk.virtio', mapping)

    def test_legacy_config_drive(self):
        instance = self.install_server(self.image(), config_drive='True')
        mapping = self.mapping(instance, self.bdms(instance), rescue=True)
        self.assertEqual('hda', mapping['disk.config.rescue']['dev'])

    @ddt.data('disk', 'cdrom')
    def test_stable(self, device):
        """The rescue disk comes last, all the others stay."""
        instance = self.install_server(self.image(), 2)
        bdms = self.bdms(instance, ephemerals=1)
        usual = self.mapping(instance, bdms)
        rescue_image = fakes.image_meta(
            hw_rescue_device=device, hw_rescue_bus='sata'
        )
        mapping = self.mapping(
            instance, bdms, rescue=True, rescue_image_meta=rescue_image
        )
        self.assertFalse(blockinfo.is_legacy_rescue(mapping))
        rescue = mapping.pop('disk.rescue')
        self.assertEqual(usual, mapping)
        self.assertNotIn(rescue['dev'], blockinfo_base.names(usual))
        self.assertEqual((device, 'sata'), (rescue['type'], rescue['bus']))

    def test_is_legacy_rescue(self):
        instance = self.install_server(self.image())
        self.assertFalse(
            blockinfo.is_legacy_rescue(
                self.mapping(instance, self.bdms(instance))
            )
        )
