# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import objects

from nova_newos.virt import rebuild
from tests.unit.virt import fakes


@ddt.ddt
class ResetRootDeviceTest(fakes.TestCase):
    """What the install ISO asked for is not what its successor does."""

    def reset(self, server_layout=None, before=fakes.LAYOUT, **fields):
        instance = fakes.server(
            fakes.image_dict('qcow2', hw_disk_bus='scsi'),
            before,
            **{
                'task_state': 'rebuild_spawning',
                'root_device_name': '/dev/vda',
                **fields,
            },
        )
        self.bdm = fakes.root_bdm(
            instance, disk_bus='virtio', device_name='/dev/vda'
        )
        self.save = self.patch(objects.BlockDeviceMapping, 'save')
        self.info = fakes.block_device_info(
            instance,
            self.bdm,
            fakes.volume(instance, device_name='/dev/sda', disk_bus='scsi'),
        )
        rebuild.reset_root_device(
            instance, server_layout, instance.image_meta, self.info
        )
        return instance

    def test_bus_of_the_new_image(self):
        instance = self.reset()
        self.assertEqual(
            ('scsi', '/dev/sdb', 'disk'),
            (self.bdm.disk_bus, self.bdm.device_name, self.bdm.device_type),
        )
        self.assertEqual('/dev/sdb', instance.root_device_name)
        self.save.assert_called_once()
        found = fakes.disk_info(
            fakes.server(fakes.image_dict('qcow2')),
            instance.image_meta,
            self.info,
        )
        self.assertEqual('scsi', found['mapping']['root']['bus'])
        self.assertEqual('sdb', found['mapping']['root']['dev'])

    @ddt.data(
        {'server_layout': fakes.LAYOUT},
        {'before': None},
        {'task_state': 'spawning'},
    )
    def test_others_are_left_alone(self, fields):
        """An ordinary server is rebuilt as by Nova."""
        instance = self.reset(**fields)
        self.assertEqual('/dev/vda', instance.root_device_name)
        self.save.assert_not_called()
