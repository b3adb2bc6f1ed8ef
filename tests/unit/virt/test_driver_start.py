# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt
from nova.compute import provider_tree
from nova.virt.libvirt import blockinfo as stock_blockinfo

from nova_newos import exception
from nova_newos.virt import imagecache
from tests.unit.virt import driver_base
from tests.unit.virt import fakes
from tests.unit.virt import test_blockinfo_stock


@ddt.ddt
class StartTest(driver_base.DriverTestCase):
    def test_image_cache(self):
        """The periodic task of the compute manager uses ours."""
        self.assertIsInstance(
            self.driver.image_cache_manager, imagecache.ImageCacheManager
        )

    def test_blockinfo(self):
        """From the first question on."""
        for name in test_blockinfo_stock.WRAPPED:
            self.assertTrue(
                hasattr(getattr(stock_blockinfo, name), '__wrapped__'), name
            )

    @ddt.data('rbd', 'lvm')
    def test_images_type(self, images_type):
        init_host = self.stock_method('init_host')
        self.flags('libvirt', images_type=images_type)
        with self.assertRaises(exception.ImagesTypeUnsupported) as caught:
            self.driver.init_host('host')
        for part in (images_type, 'qcow2', 'libvirt.LibvirtDriver'):
            self.assertIn(part, str(caught.exception))
        init_host.assert_not_called()

    @ddt.data('default', 'qcow2', 'flat', 'raw')
    def test_supported_images_type(self, images_type):
        init_host = self.stock_method('init_host')
        self.flags('libvirt', images_type=images_type)
        self.driver.init_host('host')
        init_host.assert_called_once_with(self.driver, 'host')

    def test_malformed_driver_iso(self):
        """It would refuse every installation."""
        init_host = self.stock_method('init_host')
        self.flags('newos', virtio_image_id='http://images/1')
        with self.assertRaisesRegex(
            exception.ImageIdInvalid, 'virtio_image_id must be the UUID'
        ):
            self.driver.init_host('host')
        init_host.assert_not_called()

    @ddt.data('none', fakes.OTHER)
    def test_driver_iso(self, value):
        init_host = self.stock_method('init_host')
        self.flags('newos', virtio_image_id=value)
        self.driver.init_host('host')
        init_host.assert_called_once_with(self.driver, 'host')

    def test_unknown_medium(self):
        init_host = self.stock_method('init_host')
        self.flags('newos', media=['virtio', 'floppy'])
        with self.assertRaises(exception.MediumLoadError) as caught:
            fakes.make_driver().init_host('host')
        self.assertEqual('floppy', caught.exception.name)
        init_host.assert_not_called()

    def test_installed_media(self):
        self.stock_method('init_host')
        made = fakes.make_driver()
        made.init_host('host')
        self.assertEqual(
            ['virtio', 'answers'], [m.name for m in made._media.enabled]
        )

    def test_trait(self):
        """Moves of install servers stay on hosts with this driver."""
        tree = provider_tree.ProviderTree()
        tree.new_root('node', fakes.OTHER)
        tree.update_traits(
            'node',
            # Of a medium that was installed once, and of the operator.
            ['CUSTOM_NOVA_NEWOS_MEDIUM_FLOPPY', 'CUSTOM_NOVA_NEWOS_GOLD'],
        )
        self.stock_method(
            'update_provider_tree',
            lambda _self, tree, nodename, allocations=None: tree.add_traits(
                nodename, 'HW_CPU_X86_VMX'
            ),
        )
        self.driver.update_provider_tree(tree, 'node')
        self.assertEqual(
            {
                'HW_CPU_X86_VMX',
                'CUSTOM_NOVA_NEWOS',
                'CUSTOM_NOVA_NEWOS_GOLD',
                'CUSTOM_NOVA_NEWOS_MEDIUM_ANSWERS',
                'CUSTOM_NOVA_NEWOS_MEDIUM_VIRTIO',
            },
            tree.data('node').traits,
        )

    def test_allocations_of_a_reshape(self):
        update = self.stock_method('update_provider_tree')
        tree = mock.Mock()
        tree.data.return_value.traits = set()
        self.driver.update_provider_tree(tree, 'node', {'consumer': {}})
        update.assert_called_once_with(
            self.driver, tree, 'node', allocations={'consumer': {}}
        )
