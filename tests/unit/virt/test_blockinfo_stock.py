# SPDX-License-Identifier: Apache-2.0

import copy
import itertools

import ddt
from nova.virt.libvirt import blockinfo as stock

from nova_newos.virt import blockinfo
from tests.unit.virt import fakes

#: The functions of Nova that blockinfo.install() wraps.
WRAPPED = (
    'get_root_info',
    '_get_disk_mapping',
    '_get_rescue_disk_mapping',
    'find_disk_dev_for_disk_bus',
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
