# SPDX-License-Identifier: Apache-2.0
"""Snapshots of install servers, without Nova's own work."""

import json
import os
import pathlib
from unittest import mock

from nova import objects
import nova.privsep.qemu
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils

from nova_newos.virt import glance
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


class SnapshotTestCase(driver_base.DriverTestCase):
    """Our snapshot around a stand-in for Nova's.

    :ivar events: what happened, in order
    :ivar uploaded: metadata that came with the bytes
    :ivar finished: mock of what ends the event of a snapshot
    """

    def setUp(self):
        super().setUp()
        self.started = self.patch(objects.InstanceActionEvent, 'event_start')
        self.finished = self.patch(
            objects.InstanceActionEvent, 'event_finish_with_failure'
        )
        self.events = []
        self.uploaded = None
        self.is_live = False
        self.execute = self.patch(
            processutils, 'execute', lambda *args: self.run_tool(args)
        )
        self.stock_method(
            '_create_snapshot_metadata',
            side_effect=lambda *args: {
                'disk_format': args[3],
                'properties': {'os_type': 'linux', 'kernel_id': 'k'},
            },
        )
        self.stock_method('_live_snapshot', self.copy_running)
        self.stock_snapshot = self.stock_method('snapshot', self.take)
        self.glance.update.side_effect = lambda *args, **_kwargs: (
            self.events.append(
                'record' if 'min_disk' in args[2] else 'properties'
            )
        )
        self.glance.get.return_value = {
            'id': fakes.OTHER,
            'properties': {
                'os_type': 'linux',
                'base_image_ref': fakes.ISO,
                'newos_layout': 'x',
                'newos_root_disk_size': '5',
            },
        }
        self.patch(
            nova.privsep.qemu,
            'unprivileged_qemu_img_info',
            side_effect=lambda path, format=None: json.dumps(
                {
                    'filename': path,
                    'format': format or 'raw',
                    'virtual-size': fakes.GiB + 1,
                    'actual-size': 0,
                }
            ),
        )
        self.digest = self.patch(glance, 'digest', return_value='sha512:aa')
        self.target = f'{self.instances_path}/target'
        self.instance = self.server()
        self.disk = os.path.join(self.directory(self.instance), 'disk.newos')
        pathlib.Path(self.disk).touch()
        # Ours are named as a guest of libvirt would have them.
        self.patch(
            libvirt_utils,
            'find_disk',
            side_effect=self.first_disk,
        )
        self.first = ('disk.newos', 'raw')

    def first_disk(self, _guest):
        name, disk_format = self.first
        return os.path.join(os.path.dirname(self.disk), name), disk_format

    def run_tool(self, args):
        self.events.append(args[1])
        pathlib.Path(args[-1]).touch()
        return '', ''

    def copy_running(self, *args):
        self.events.append('copy')
        self.live = args[5:8]
        pathlib.Path(args[5]).touch()

    def take(self, made, context, instance, *_args):
        """What Nova does."""
        self.events.append('snapshot')
        self.uploaded = made._create_snapshot_metadata(
            instance.image_meta, instance, 'raw', 'name'
        )
        if self.is_live:
            made._live_snapshot(
                context,
                instance,
                'guest',
                self.disk,
                self.target,
                'raw',
                'raw',
                instance.image_meta,
            )
        else:
            made.image_backend.by_libvirt_path(
                instance, self.disk, 'raw'
            ).snapshot_extract(self.target, 'raw')
        self.events.append('upload')

    def server(self, server_layout=fakes.LAYOUT, **fields):
        return fakes.server(server_layout=server_layout, **fields)

    def sealed(self, **fields):
        return self.server(
            **{
                'task_state': 'image_snapshot',
                'metadata': {'newos_seal': 'true'},
                **fields,
            }
        )

    def snapshot(self, instance=None):
        self.driver._host = mock.Mock()
        connection = self.driver._host.get_connection.return_value
        connection.getVersion.return_value = 7002022
        self.driver.snapshot(
            self.context, instance or self.instance, fakes.OTHER, 'update'
        )
