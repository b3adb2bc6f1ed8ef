# SPDX-License-Identifier: Apache-2.0
"""What the tests of the driver stand on."""

from unittest import mock

from nova.virt.libvirt import driver as stock

from nova_newos import layout
from tests.unit.virt import fakes

RESTORED = fakes.LAYOUT.restored()
BROKEN = '{"v":99}'


class DriverTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.driver = fakes.make_driver(fakes.VIRTIO)
        self.context = fakes.context()
        self.glance = self.driver._image_api = mock.Mock(
            spec_set=['get', 'update']
        )

    def stock_method(self, name, *args, **kwargs):
        """Replace a method of Nova's driver."""
        return self.patch(stock.LibvirtDriver, name, *args, **kwargs)

    def broken(self):
        """A server whose layout only a later release can read."""
        instance = fakes.server()
        instance.system_metadata[layout.KEY] = BROKEN
        return instance
