# SPDX-License-Identifier: Apache-2.0

import types
from unittest import mock

import ddt
from nova import exception as nova_exception

from nova_newos.virt import driver
from nova_newos.virt import fault
from tests.unit.virt import driver_base
from tests.unit.virt import fakes
from tests.unit.virt import test_snapshot


@ddt.ddt
class SnapshotTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.events = []
        self.stock_snapshot = self.stock_method(
            'snapshot', lambda *args: self.events.append('snapshot')
        )
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

    def snapshot(self, instance, *disks):
        self.driver._host = mock.Mock()
        self.driver._host.get_guest.return_value = test_snapshot.Guest(*disks)
        self.driver.snapshot(self.context, instance, fakes.OTHER, 'update')

    @ddt.data(
        (fakes.LAYOUT, (test_snapshot.ROOT, test_snapshot.CD)),
        (driver_base.RESTORED, (test_snapshot.RESTORED,)),
    )
    @ddt.unpack
    def test_record(self, server_layout, found):
        """B5: a stranger can boot it, and it installs nothing."""
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

    @ddt.data(
        (fakes.LAYOUT, test_snapshot.CD),
        (fakes.LAYOUT, test_snapshot.RESTORED),
        (driver_base.RESTORED, test_snapshot.ROOT),
    )
    @ddt.unpack
    def test_wrong_disk(self, server_layout, first):
        """A11: rather none than an image of the ISO."""
        instance = fakes.server(server_layout=server_layout)
        with self.assertRaises(fault.InstanceRefused) as caught:
            self.snapshot(instance, first)
        self.assertIn('reboot', caught.exception.format_message())
        self.assertEqual([], self.events)

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """A4: no more than Nova does."""
        instance = fakes.server(fakes.image_dict(disk_format))
        self.snapshot(instance, test_snapshot.CD)
        self.driver._host.get_guest.assert_not_called()
        self.assertEqual([], self.glance.mock_calls)
        self.assertEqual(['snapshot'], self.events)


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
        """B2: with no image named Nova takes the install ISO."""
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
