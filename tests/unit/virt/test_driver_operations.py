# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import types
from unittest import mock

import ddt
from nova import exception as nova_exception
from nova import objects

from nova_newos import exception
from nova_newos.virt import capture
from nova_newos.virt import driver
from nova_newos.virt import fault
from nova_newos.virt import sealing
from tests.unit.virt import driver_base
from tests.unit.virt import fakes
from tests.unit.virt import test_snapshot


class SnapshotTestCase(driver_base.DriverTestCase):
    """
    :ivar finished: mock of what ends the event of a snapshot
    """

    def setUp(self):
        super().setUp()
        self.started = self.patch(objects.InstanceActionEvent, 'event_start')
        self.finished = self.patch(
            objects.InstanceActionEvent, 'event_finish_with_failure'
        )


@ddt.ddt
class SnapshotTest(SnapshotTestCase):
    def setUp(self):
        super().setUp()
        self.events = []
        self.under_way = self.metadata = None
        self.patch(capture, '_qemu_img')
        self.stock_method(
            '_create_snapshot_metadata',
            side_effect=lambda *_args: {'properties': {'os_type': 'linux'}},
        )
        self.stock_snapshot = self.stock_method('snapshot', self.take)
        self.glance.update.side_effect = lambda *args, **kwargs: (
            self.events.append('record')
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
            driver.snapshot.images,
            'qemu_img_info',
            return_value=types.SimpleNamespace(virtual_size=fakes.GiB + 1),
        )
        self.digest = self.patch(
            driver.snapshot.newos_images, 'digest', return_value='sha512:aa'
        )

    def take(self, made, _context, instance, *_args):
        """What Nova does."""
        self.events.append('snapshot')
        self.under_way = made._captures.of(instance)
        if self.under_way:
            self.metadata = made._create_snapshot_metadata(
                instance.image_meta, instance, 'raw', 'name'
            )
            self.under_way.extract(
                'disk', 'raw', f'{self.instances_path}/target', 'raw'
            )

    def snapshot(self, instance, *disks):
        self.driver._host = mock.Mock()
        self.driver._host.get_guest.return_value = test_snapshot.Guest(*disks)
        connection = self.driver._host.get_connection.return_value
        connection.getVersion.return_value = 7002022
        self.driver.snapshot(self.context, instance, fakes.OTHER, 'update')

    @ddt.data(
        (fakes.LAYOUT, (test_snapshot.ROOT, test_snapshot.CD)),
        (driver_base.RESTORED, (test_snapshot.RESTORED,)),
    )
    @ddt.unpack
    def test_record(self, server_layout, found):
        """A stranger can boot it, and it installs nothing."""
        instance = fakes.server(server_layout=server_layout)
        self.snapshot(instance, *found)
        self.glance.update.assert_called_once_with(
            self.context,
            fakes.OTHER,
            {'min_disk': 2, 'properties': {'os_type': 'linux'}},
            purge_props=True,
        )
        self.stock_snapshot.assert_called_once_with(
            self.driver, self.context, instance, fakes.OTHER, 'update'
        )
        self.assertEqual(['record', 'snapshot'], self.events)

    def test_provenance(self):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.snapshot(instance, test_snapshot.ROOT)
        properties = self.metadata['properties']
        self.assertEqual('linux', properties['os_type'])
        found = {
            name.removeprefix('provenance_'): value
            for name, value in properties.items()
        }
        self.assertEqual(fakes.SERVER, found['server'])
        self.assertEqual(fakes.ISO, found['iso'])
        self.assertEqual(fakes.DRIVERS, found['virtio'])
        self.assertEqual(instance.flavor.name, found['flavor'])
        self.assertEqual(
            ('sha512:aa', 'sha512:aa'),
            (found['iso_hash'], found['virtio_hash']),
        )
        self.assertIn(', qemu 7.2.22', found['versions'])
        self.digest.assert_has_calls(
            [
                mock.call(self.context, fakes.ISO),
                mock.call(self.context, fakes.DRIVERS),
            ],
            any_order=True,
        )

    def test_capture_is_under_way(self):
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.snapshot(instance, test_snapshot.ROOT)
        self.assertIsInstance(self.under_way, capture.Capture)
        self.assertIsNone(self.driver._captures.of(instance))

    def test_left_to_nova(self):
        self.flags('newos', capture_compression='none')
        self.snapshot(
            fakes.server(server_layout=fakes.LAYOUT), test_snapshot.ROOT
        )
        self.assertIs(False, self.under_way.is_wanted)

    def test_sealed(self):
        """What is found out while it is made is on the record."""
        instance = fakes.server(
            server_layout=fakes.LAYOUT,
            task_state='image_snapshot',
            metadata={'newos_seal': 'true'},
        )

        def finish(disk):
            pathlib.Path(disk.path).touch()
            return {'seal_sysprep': 'done'}

        finisher = self.patch(sealing.Sealing, 'finisher', return_value=finish)
        self.snapshot(instance, test_snapshot.ROOT)
        finisher.assert_called_once_with(mock.ANY, instance)
        self.assertEqual('done', self.metadata['properties']['seal_sysprep'])

    @ddt.data(
        (fakes.LAYOUT, test_snapshot.CD),
        (fakes.LAYOUT, test_snapshot.RESTORED),
        (driver_base.RESTORED, test_snapshot.ROOT),
    )
    @ddt.unpack
    def test_wrong_disk(self, server_layout, first):
        """Rather none than an image of the ISO."""
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.snapshot(instance, first)
        self.assertIn('reboot', caught.exception.format_message())
        self.assertEqual([], self.events)

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """No more than Nova does."""
        instance = fakes.server(fakes.image_dict(disk_format))
        self.snapshot(instance, test_snapshot.CD)
        self.driver._host.get_guest.assert_not_called()
        self.assertEqual([], self.glance.mock_calls)
        self.assertEqual(['snapshot'], self.events)
        self.started.assert_not_called()


class CaptureTest(SnapshotTestCase):
    """The methods that Nova's snapshot calls."""

    def setUp(self):
        super().setUp()
        self.instance = fakes.server(server_layout=fakes.LAYOUT)
        self.live = self.stock_method('_live_snapshot', self._write_copy)
        self.extract = self.patch(capture.Capture, 'extract')
        self.out = f'{self.instances_path}/out'

    def _write_copy(self, *args):
        with open(args[5], 'w'):
            pass

    def metadata(self, instance):
        return self.driver._create_snapshot_metadata(
            'meta', instance, 'raw', 'name'
        )

    def under_way(self):
        made = capture.Capture()
        made.is_extracted = True
        return self.driver._captures.under_way(self.instance, made)

    def test_disk_format(self):
        method = self.stock_method(
            '_create_snapshot_metadata', return_value={'properties': {}}
        )
        self.metadata(self.instance)
        with self.under_way():
            self.metadata(self.instance)
        self.assertEqual(
            ['raw', 'qcow2'], [call.args[3] for call in method.mock_calls]
        )

    def test_kernel_of_the_installer(self):
        """Nova would have all servers from the image boot it."""
        self.stock_method(
            '_create_snapshot_metadata',
            side_effect=lambda *_args: {
                'properties': {'kernel_id': 'k', 'os_type': 'linux'}
            },
        )
        with self.under_way():
            self.assertEqual(
                {'os_type': 'linux'},
                self.metadata(self.instance)['properties'],
            )
        self.assertEqual(
            {'kernel_id': 'k', 'os_type': 'linux'},
            self.metadata(self.instance)['properties'],
        )

    def take_live(self):
        self.driver._live_snapshot(
            self.context,
            self.instance,
            'guest',
            'disk',
            self.out,
            'raw',
            'raw',
            'meta',
        )

    def test_live(self):
        """Nova's copy of the running disk is what is captured."""
        with self.under_way():
            self.take_live()
        copy = f'{self.out}.copy'
        self.live.assert_called_once_with(
            self.driver,
            self.context,
            self.instance,
            'guest',
            'disk',
            copy,
            'raw',
            'raw',
            'meta',
        )
        self.extract.assert_called_once_with(
            mock.ANY, copy, 'raw', self.out, 'raw'
        )
        self.assertEqual([], os.listdir(self.instances_path))

    def test_live_left_to_nova(self):
        self.take_live()
        self.assertEqual(
            (self.out, 'raw', 'raw'), self.live.mock_calls[0].args[5:8]
        )
        self.extract.assert_not_called()

    def test_failure(self):
        """The user reads why."""
        self.stock_method(
            'snapshot', side_effect=exception.CaptureFailed(reason='why')
        )
        self.patch(self.driver, '_prepare_record')
        self.patch(self.driver, '_capture', return_value=capture.Capture())
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.driver.snapshot(
                self.context, self.instance, fakes.OTHER, 'update'
            )
        self.assertIn('(why)', caught.exception.format_message())
        self.started.assert_called_once_with(
            self.context,
            fakes.SERVER,
            'compute_capture_root_disk',
            want_result=False,
            host='host',
        )
        self.assertIs(
            caught.exception, self.finished.mock_calls[0].kwargs['exc_val']
        )


@ddt.ddt
class RescueTest(driver_base.DriverTestCase):
    def rescue(self, instance, image_id):
        meta = fakes.image_meta(image_id=image_id)
        arguments = (
            self.context,
            instance,
            'network',
            meta,
            'password',
            'info',
            'shares',
        )
        self.driver.rescue(*arguments)
        return arguments

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_rescue_with_the_iso(self, server_layout):
        """With no image named Nova takes the install ISO."""
        stock_rescue = self.stock_method('rescue')
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.rescue(instance, fakes.ISO)
        text = caught.exception.format_message()
        self.assertIn('openstack server rescue --image', text)
        # Nova cuts a fault at 255 and puts the server's id before it.
        self.assertLessEqual(len(text), 200)
        stock_rescue.assert_not_called()

    def test_default_rescue_image(self):
        """Nova's default, whatever nova-api wrote into the server."""
        self.stock_method('rescue')
        instance = fakes.server(server_layout=fakes.LAYOUT)
        instance.system_metadata['image_base_image_ref'] = fakes.OTHER
        with self.assertRaises(fault.InstanceRefused):
            self.rescue(instance, fakes.OTHER)
        del instance.system_metadata['image_base_image_ref']
        instance.image_ref = fakes.DRIVERS
        with self.assertRaises(fault.InstanceRefused):
            self.rescue(instance, fakes.DRIVERS)

    @ddt.data(
        (fakes.LAYOUT, fakes.OTHER),
        (driver_base.RESTORED, fakes.OTHER),
        (None, fakes.ISO),
    )
    @ddt.unpack
    def test_rescue(self, server_layout, image_id):
        stock_rescue = self.stock_method('rescue')
        instance = fakes.server(server_layout=server_layout)
        arguments = self.rescue(instance, image_id)
        stock_rescue.assert_called_once_with(self.driver, *arguments)

    def test_unreadable_layout(self):
        """What this host does not understand it does not touch."""
        instance = self.broken()
        for call in (
            lambda: self.driver.snapshot(self.context, instance, 'i', 'u'),
            lambda: self.rescue(instance, fakes.OTHER),
            lambda: self.driver._hard_reboot(self.context, instance),
            lambda: self.driver._create_images_and_backing(
                self.context, instance, '/i', []
            ),
        ):
            with self.assertRaises(nova_exception.NovaException) as caught:
                call()
            self.assertIn('version 99', str(caught.exception))
