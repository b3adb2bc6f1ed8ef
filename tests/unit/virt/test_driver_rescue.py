# SPDX-License-Identifier: Apache-2.0


import ddt
from nova import exception as nova_exception

from nova_newos.virt import exception as virt_exception
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


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
        with self.assertRaises(virt_exception.Refused) as caught:
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
        with self.assertRaises(virt_exception.Refused):
            self.rescue(instance, fakes.OTHER)
        del instance.system_metadata['image_base_image_ref']
        instance.image_ref = fakes.DRIVERS
        with self.assertRaises(virt_exception.Refused):
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
            lambda: self.driver._hard_reboot(
                self.context, instance, 'network', 'shares'
            ),
            lambda: self.driver._create_images_and_backing(
                self.context, instance, '/i', []
            ),
        ):
            with self.assertRaises(nova_exception.NovaException) as caught:
                call()
            self.assertIn('version 99', str(caught.exception))
