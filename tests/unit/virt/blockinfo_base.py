# SPDX-License-Identifier: Apache-2.0
"""Servers with all kinds of devices, and what becomes of their names."""

import itertools

from nova_newos import layout
from nova_newos.virt import blockinfo
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
