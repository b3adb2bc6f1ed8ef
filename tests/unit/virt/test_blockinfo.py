# SPDX-License-Identifier: Apache-2.0

from concurrent import futures
import copy
import itertools

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import blockinfo as stock
from nova.virt.libvirt import driver as stock_driver

from nova_newos import layout
from nova_newos.virt import blockinfo
from nova_newos.virt import boot
from tests.unit.virt import fakes

PREFIX = {'virtio': 'vd', 'scsi': 'sd', 'sata': 'sd', 'ide': 'hd'}
MEDIA = ('virtio', 'answers', 'third')
BUSES = tuple(
    itertools.product(
        ('virtio', 'scsi', 'sata', 'ide'),
        ('ide', 'sata', 'scsi'),
        range(len(MEDIA) + 1),
    )
)
EXTRAS = (
    {},
    {'ephemerals': 1},
    {'ephemerals': 2, 'swap': True},
    {'config_drive': True},
    {'volumes': 2},
    {'ephemerals': 1, 'swap': True, 'config_drive': True, 'volumes': 1},
)
#: The functions of Nova that blockinfo.install() wraps.
WRAPPED = (
    'get_root_info',
    '_get_disk_mapping',
    '_get_rescue_disk_mapping',
    'find_disk_dev_for_disk_bus',
)
CDROMS = ['disk', *(f'disk.{name}' for name in MEDIA)]


def names(mapping):
    """Device names of a mapping, root and disk.newos once."""
    return [info['dev'] for name, info in mapping.items() if name != 'root']


class BlockinfoTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        blockinfo.install()

    def image(self, disk_bus=None, cdrom_bus=None, **kwargs):
        properties = {'hw_disk_bus': disk_bus, 'hw_cdrom_bus': cdrom_bus}
        kwargs.update({k: v for k, v in properties.items() if v})
        return fakes.image_dict(**kwargs)

    def install_server(self, image, media=1, **fields):
        server_layout = layout.Layout(
            iso=fakes.ISO,
            root_gb=7,
            media=tuple((name, 'r') for name in MEDIA[:media]),
        )
        return fakes.server(image, server_layout, **fields)

    def bdms(self, instance, ephemerals=0, swap=False, volumes=0, **root):
        return [
            fakes.root_bdm(instance, **root),
            *(fakes.ephemeral(instance) for _ in range(ephemerals)),
            *([fakes.swap(instance)] if swap else []),
            *(fakes.volume(instance) for _ in range(volumes)),
        ]

    def mapping(self, instance, bdms, **kwargs):
        meta = instance.image_meta
        info = fakes.block_device_info(instance, *bdms)
        return fakes.disk_info(instance, meta, info, **kwargs)['mapping']


@ddt.ddt
class MatrixTest(BlockinfoTestCase):
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
                'dev': PREFIX[disk_bus] + 'a',
                'type': 'disk',
                'boot_index': '1',
            },
            root,
        )
        self.assertEqual(disks + cdroms, len(set(names(mapping))))
        self.assertEqual(len(names(mapping)), len(set(names(mapping))))

        ours = CDROMS[: media + 1]
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

    @ddt.data(*BUSES)
    @ddt.unpack
    def test_matrix(self, disk_bus, cdrom_bus, media):
        for extras in EXTRAS:
            with self.subTest(**extras):
                self.check(disk_bus, cdrom_bus, media, extras)

    @ddt.data(*BUSES)
    @ddt.unpack
    def test_root_is_lowest(self, disk_bus, cdrom_bus, media):
        """Libvirt sorts a bus by name, Nova snapshots the first."""
        instance = self.install_server(self.image(disk_bus, cdrom_bus), media)
        if disk_bus == cdrom_bus == 'ide' and media == 3:
            return
        mapping = self.mapping(instance, self.bdms(instance))
        prefix = PREFIX[disk_bus]
        self.assertEqual(
            mapping['disk.newos']['dev'],
            min(dev for dev in names(mapping) if dev.startswith(prefix)),
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
        self.assertEqual(['sda', 'sdb', 'sdc'], names(mapping))


@ddt.ddt
class AskedAgainTest(BlockinfoTestCase):
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

    @ddt.data(*BUSES)
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
        self.assertEqual([], sorted(set(attached) & set(names(before))))
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
        self.assertEqual(len(names(mapping)), len(set(names(mapping))))

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
class RescueTest(BlockinfoTestCase):
    @ddt.data(*itertools.product(('virtio', 'scsi', 'sata', 'ide'), (0, 3)))
    @ddt.unpack
    def test_legacy(self, disk_bus, media):
        """The disk to repair is disk.newos, not the ISO."""
        instance = self.install_server(self.image(disk_bus), media)
        mapping = self.mapping(instance, self.bdms(instance), rescue=True)
        prefix = PREFIX[disk_bus]
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
        self.assertNotIn(rescue['dev'], names(usual))
        self.assertEqual((device, 'sata'), (rescue['type'], rescue['bus']))

    def test_is_legacy_rescue(self):
        instance = self.install_server(self.image())
        self.assertFalse(
            blockinfo.is_legacy_rescue(
                self.mapping(instance, self.bdms(instance))
            )
        )


@ddt.ddt
class StockTest(fakes.TestCase):
    """Servers without a layout, and those that an unshelve restored."""

    def servers(self):
        for (
            disk_format,
            disk_bus,
            cdrom_bus,
            config_drive,
        ) in itertools.product(
            ('qcow2', 'iso'), (None, 'scsi'), (None, 'sata'), ('', 'True')
        ):
            buses = {'hw_disk_bus': disk_bus, 'hw_cdrom_bus': cdrom_bus}
            image = fakes.image_dict(
                disk_format, **{k: v for k, v in buses.items() if v}
            )
            yield fakes.server(
                image,
                config_drive=config_drive,
                flavor=fakes.flavor(ephemeral_gb=1, swap=1),
            )

    def block_devices(self, instance):
        root = fakes.root_bdm(instance)
        stock_iso = fakes.root_bdm(
            instance,
            device_type='cdrom',
            disk_bus='ide',
            device_name='/dev/hda',
        )
        volume_root = fakes.volume(
            instance, boot_index=0, device_type='disk', disk_bus='virtio'
        )
        volume = fakes.volume(
            instance, device_name='/dev/vdc', disk_bus='virtio'
        )
        more = (fakes.ephemeral(instance), fakes.swap(instance), volume)
        yield None
        for bdms in ((root,), (stock_iso,), (volume_root,), (root, *more)):
            yield fakes.block_device_info(instance, *bdms)

    def everything(self):
        """All answers of Nova's functions, and what they did to the BDMs."""
        for instance in self.servers():
            meta = instance.image_meta
            for info in self.block_devices(instance):
                for rescue in (
                    {},
                    {'rescue': True},
                    {
                        'rescue': True,
                        'rescue_image_meta': fakes.image_meta(
                            hw_rescue_device='cdrom', hw_rescue_bus='ide'
                        ),
                    },
                ):
                    changed = copy.deepcopy(info)
                    yield (
                        fakes.disk_info(instance, meta, changed, **rescue),
                        changed
                        and {
                            key: str(value) for key, value in changed.items()
                        },
                    )

    def test_exactly_stock(self):
        """Ordinary and older ISO servers get what stock Nova gives."""
        without = list(self.everything())
        self.assertEqual(16 * 5 * 3, len(without))
        blockinfo.install()
        for expected, actual in zip(without, self.everything(), strict=True):
            self.assertEqual(expected, actual)

    def test_arguments_reach_the_stock_function(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        calls = []

        def record(*args, **kwargs):
            calls.append((args, kwargs))
            return 'theirs'

        self.assertEqual(
            'theirs',
            blockinfo._get_root_info(
                record,
                instance,
                'kvm',
                'meta',
                'bdm',
                'virtio',
                'ide',
                root_device_name='vda',
            ),
        )
        self.assertEqual(
            [
                (
                    (instance, 'kvm', 'meta', 'bdm', 'virtio', 'ide'),
                    {'root_device_name': 'vda'},
                )
            ],
            calls,
        )

    def test_pre_driver_iso_server(self):
        """An ISO server without the key keeps its ISO as the root."""
        blockinfo.install()
        instance = fakes.server()
        root = fakes.root_bdm(
            instance,
            device_type='cdrom',
            disk_bus='ide',
            device_name='/dev/hda',
        )
        info = fakes.block_device_info(instance, root)
        mapping = fakes.disk_info(instance, instance.image_meta, info)[
            'mapping'
        ]
        self.assertEqual({'root', 'disk'}, set(mapping))
        self.assertEqual(
            {
                'bus': 'ide',
                'dev': 'hda',
                'type': 'cdrom',
                'boot_index': '1',
            },
            mapping['disk'],
        )

    @ddt.data('iso', 'qcow2')
    def test_restored(self, disk_format):
        """After an unshelve the root is a disk, whatever the image."""
        blockinfo.install()
        instance = fakes.server(
            fakes.image_dict(disk_format), fakes.LAYOUT.restored()
        )
        meta = instance.image_meta
        info = fakes.block_device_info(instance, fakes.root_bdm(instance))
        mapping = fakes.disk_info(instance, meta, info)['mapping']
        self.assertEqual({'root', 'disk'}, set(mapping))
        self.assertEqual(
            ('vda', 'disk'), (mapping['root']['dev'], mapping['root']['type'])
        )
        self.assertEqual(disk_format, meta.disk_format)

    def test_restored_legacy_rescue(self):
        """Here Nova's 'disk' is the disk to repair."""
        blockinfo.install()
        instance = fakes.server(server_layout=fakes.LAYOUT.restored())
        mapping = fakes.disk_info(instance, instance.image_meta, rescue=True)[
            'mapping'
        ]
        self.assertEqual({'root', 'disk.rescue', 'disk'}, set(mapping))


class InstallTest(fakes.TestCase):
    def functions(self):
        return {name: getattr(stock, name) for name in WRAPPED}

    def test_idempotent(self):
        stocks = self.functions()
        blockinfo.install()
        once = self.functions()
        blockinfo.install()
        self.assertEqual(once, self.functions())
        for name, function in once.items():
            self.assertIsNot(stocks[name], function)
            self.assertEqual(name, function.__name__)

    def test_inverse(self):
        stocks = self.functions()
        blockinfo.install()
        blockinfo.uninstall()
        self.assertEqual(stocks, self.functions())
        blockinfo.uninstall()
        self.assertEqual(stocks, self.functions())
