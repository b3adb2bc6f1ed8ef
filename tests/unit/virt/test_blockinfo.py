# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import blockinfo as stock

from nova_newos.virt import boot
from tests.unit.virt import blockinfo_base
from tests.unit.virt import fakes


@ddt.ddt
class MatrixTest(blockinfo_base.BlockinfoTestCase):
    """Every bus, every number of CD-ROMs, whatever else there is."""

    def check(self, disk_bus, cdrom_bus, media, extras):
        image = self.image(disk_bus, cdrom_bus)
        extras = dict(extras)
        config_drive = extras.pop('config_drive', False)
        instance = self.install_server(
            image, media, config_drive='True' if config_drive else ''
        )
        disks = 1 + sum(int(number) for number in extras.values())
        cdroms = 1 + media + config_drive
        on_ide = (disk_bus == 'ide') * disks + (cdrom_bus == 'ide') * cdroms
        bdms = self.bdms(instance, **extras)
        for bdm in bdms:
            if bdm.is_volume:
                bdm.disk_bus = disk_bus
        if on_ide > 4:
            with self.assertRaises(nova_exception.TooManyDiskDevices):
                self.mapping(instance, bdms)
            return
        mapping = self.mapping(instance, bdms)
        root = mapping['disk.newos']

        self.assertEqual(mapping['root'], root)
        self.assertEqual(
            {
                'bus': disk_bus,
                'dev': blockinfo_base.PREFIX[disk_bus] + 'a',
                'type': 'disk',
                'boot_index': '1',
            },
            root,
        )
        self.assertEqual(
            disks + cdroms, len(set(blockinfo_base.names(mapping)))
        )
        self.assertEqual(
            len(blockinfo_base.names(mapping)),
            len(set(blockinfo_base.names(mapping))),
        )

        ours = blockinfo_base.CDROMS[: media + 1]
        for name in ours:
            self.assertEqual(
                ('cdrom', cdrom_bus),
                (mapping[name]['type'], mapping[name]['bus']),
            )
        promised = [mapping[name]['dev'] for name in ours]
        self.assertEqual(sorted(promised), promised)
        on_bus = [
            info['dev']
            for name, info in mapping.items()
            if info['bus'] == cdrom_bus and info['type'] == 'cdrom'
        ]
        self.assertEqual(promised, sorted(on_bus)[: media + 1])
        self.assertEqual(['hd'], stock.get_boot_order({'mapping': mapping}))
        self.assertEqual(
            [],
            [n for n in ours if mapping[n].get('boot_index') is not None],
        )
        if config_drive:
            self.assertEqual('cdrom', mapping['disk.config']['type'])

    @ddt.data(*blockinfo_base.BUSES)
    @ddt.unpack
    def test_matrix(self, disk_bus, cdrom_bus, media):
        for extras in blockinfo_base.EXTRAS:
            with self.subTest(**extras):
                self.check(disk_bus, cdrom_bus, media, extras)

    @ddt.data(*blockinfo_base.BUSES)
    @ddt.unpack
    def test_root_is_lowest(self, disk_bus, cdrom_bus, media):
        """Libvirt sorts a bus by name, Nova snapshots the first."""
        instance = self.install_server(self.image(disk_bus, cdrom_bus), media)
        if disk_bus == cdrom_bus == 'ide' and media == 3:
            return
        mapping = self.mapping(instance, self.bdms(instance))
        prefix = blockinfo_base.PREFIX[disk_bus]
        self.assertEqual(
            mapping['disk.newos']['dev'],
            min(
                dev
                for dev in blockinfo_base.names(mapping)
                if dev.startswith(prefix)
            ),
        )

    def test_defaults(self):
        instance = self.install_server(self.image(), media=2)
        mapping = self.mapping(instance, self.bdms(instance))
        self.assertEqual(
            {
                'disk.newos': 'vda',
                'disk': 'hda',
                'disk.virtio': 'hdb',
                'disk.answers': 'hdc',
            },
            {n: info['dev'] for n, info in mapping.items() if n != 'root'},
        )

    def test_boot_order(self):
        """Libvirt boots the first disk and the first CD-ROM."""
        instance = self.install_server(self.image(), media=3)
        server = fakes.install_server(instance)
        with boot.Start(server, bool, is_first=True).under_way():
            mapping = self.mapping(instance, self.bdms(instance))
        self.assertEqual(
            ['hd', 'cdrom'], stock.get_boot_order({'mapping': mapping})
        )
        self.assertEqual(
            {'disk.newos': '1', 'disk': '2'},
            {
                name: info['boot_index']
                for name, info in mapping.items()
                if 'boot_index' in info and name != 'root'
            },
        )

    def test_default_ephemeral_and_swap(self):
        """Disks of the flavor, which no BDM names."""
        instance = self.install_server(
            self.image('sata', 'sata'),
            flavor=fakes.flavor(ephemeral_gb=1, swap=1),
        )
        mapping = self.mapping(instance, [fakes.root_bdm(instance)])
        self.assertEqual(
            {
                'root': 'sda',
                'disk.newos': 'sda',
                'disk': 'sdb',
                'disk.virtio': 'sdc',
                'disk.local': 'sdd',
                'disk.swap': 'sde',
            },
            {name: info['dev'] for name, info in mapping.items()},
        )

    def test_limit_of_devices(self):
        self.flags('compute', max_disk_devices_to_attach=2)
        instance = self.install_server(self.image('scsi', 'scsi'))
        with self.assertRaises(nova_exception.TooManyDiskDevices):
            self.mapping(instance, self.bdms(instance))

    def test_without_block_device_info(self):
        instance = self.install_server(self.image())
        mapping = fakes.disk_info(instance, instance.image_meta)['mapping']
        self.assertEqual('vda', mapping['root']['dev'])
        self.assertEqual('hda', mapping['disk']['dev'])

    def test_one_prefix_for_all(self):
        self.flags('libvirt', disk_prefix='sd')
        instance = self.install_server(self.image())
        mapping = self.mapping(instance, self.bdms(instance))
        self.assertEqual(['sda', 'sdb', 'sdc'], blockinfo_base.names(mapping))
