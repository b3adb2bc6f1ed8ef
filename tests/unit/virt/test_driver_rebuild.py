# SPDX-License-Identifier: Apache-2.0

import inspect
import os
from unittest import mock

import ddt
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import driver as stock
from nova.virt.libvirt import imagecache as stock_imagecache

from nova_newos import layout
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import glance as newos_glance
from tests.unit.virt import driver_base
from tests.unit.virt import fakes


@ddt.ddt
class RebuildTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.stock_rebuild = self.stock_method('rebuild', NotImplementedError)
        self.check = self.patch(newos_glance, 'check')
        self.bdms = []
        self.request = mock.Mock(spec_set=['image', 'save'])
        self.patch(
            objects.RequestSpec,
            'get_by_instance_uuid',
            return_value=self.request,
        )

    def rebuild(self, instance, evacuate=False, image_meta=None):
        """As ComputeManager._do_rebuild_instance calls it."""
        arguments = {
            'context': self.context,
            'instance': instance,
            'image_meta': image_meta or instance.image_meta,
            'injected_files': [],
            'admin_password': 'password',
            'allocations': {},
            'bdms': self.bdms,
            'detach_block_devices': 'detach',
            'attach_block_devices': 'attach',
            'block_device_info': None,
            'network_info': 'network',
            'preserve_ephemeral': False,
            'evacuate': evacuate,
            'accel_uuids': [],
            'reimage_boot_volume': False,
        }
        try:
            self.driver.rebuild(**arguments)
        finally:
            self.arguments = arguments

    def test_layout_of_the_future(self):
        """Its disks are still there: nothing is destroyed for a spawn."""
        instance = self.broken()
        before = dict(instance.system_metadata)
        with self.assertRaisesRegex(
            nova_exception.InstanceUnacceptable, 'version 99'
        ):
            self.rebuild(instance)
        self.stock_rebuild.assert_not_called()
        self.assertEqual(before, instance.system_metadata)

    def test_manager_goes_on(self):
        """Nova destroys and spawns when told that there is no other way."""
        instance = fakes.server(task_state='rebuilding')
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance)
        self.check.assert_called_once()
        self.assertEqual([], self.saved)
        self.assertNotIn(layout.KEY, instance.system_metadata)

    def refused(self, server_layout, image=None):
        """Rebuild a server with an image that asks for too much."""
        instance = fakes.server(
            fakes.image_dict(
                image_id=fakes.OTHER,
                newos_root_disk_size='21',
                hw_disk_bus='sata',
                os_type='windows',
            ),
            server_layout,
            task_state='rebuilding',
            os_type='windows',
        )
        if isinstance(image, Exception):
            self.glance.get.side_effect = image
        else:
            self.glance.get.return_value = image
        with self.assertRaises(virt_exception.Refused) as caught:
            self.rebuild(instance)
        self.assertIn('newos_root_disk_size=21', str(caught.exception))
        self.stock_rebuild.assert_not_called()
        return instance

    def test_refused_before_disks_are_deleted(self):
        """nova-api has written the refused image into the server by then."""
        image = fakes.image_dict(hw_disk_bus='scsi', os_type='linux')
        instance = self.refused(fakes.LAYOUT, image)
        expected = fakes.server(image, fakes.LAYOUT)
        self.assertEqual([expected.system_metadata], self.saved)
        self.assertEqual(fakes.ISO, instance.image_ref)
        self.assertEqual('linux', instance.os_type)
        self.assertEqual(fakes.ISO, self.request.image.id)
        self.request.save.assert_called_once_with()

    def test_refused_where_the_request_is_out_of_reach(self):
        """A cell's conductor may have no access to the API's database."""
        self.request.save.side_effect = RuntimeError
        instance = self.refused(fakes.LAYOUT, fakes.image_dict())
        self.assertEqual(fakes.ISO, instance.image_ref)

    def test_refused_and_the_image_is_gone(self):
        instance = self.refused(
            fakes.LAYOUT, nova_exception.ImageNotFound(image_id=fakes.ISO)
        )
        self.assertEqual(fakes.ISO, instance.image_ref)
        [saved] = self.saved
        self.assertEqual(fakes.ISO, saved['image_base_image_ref'])

    def ordinary(self, images_type, base=None):
        """The disk of an ordinary server, and its root's mapping."""
        self.flags('libvirt', images_type=images_type)
        storage = self.useFixture(fakes.Storage(self))
        self.driver.image_backend = storage.backend()
        instance = fakes.server()
        if base:
            base = os.path.join(
                self.instances_path,
                '_base',
                stock_imagecache.get_cache_fname(base),
            )
        fakes.write_disk(
            os.path.join(self.directory(instance), 'disk'),
            'qcow2' if base else 'raw',
            fakes.GiB,
            base,
        )
        self.bdms = objects.BlockDeviceMappingList(
            objects=[fakes.root_bdm(instance, image_id=fakes.DRIVERS)]
        )

    @ddt.data(('qcow2', fakes.DRIVERS), ('flat', None))
    @ddt.unpack
    def test_refused_for_an_ordinary_server(self, images_type, base):
        """Or its disk would be a CD-ROM from the next start on."""
        self.ordinary(images_type, base)
        image = fakes.image_dict('vmdk', fakes.DRIVERS, kernel_id='k')
        instance = self.refused(None, image)
        [saved] = self.saved
        self.assertEqual('vmdk', saved['image_disk_format'])
        self.assertNotIn(layout.KEY, saved)
        self.assertEqual(fakes.DRIVERS, instance.image_ref)
        self.assertEqual('k', instance.kernel_id)

    def test_glance_cannot_be_asked(self):
        """Neither about the new image nor about the one that it had."""
        self.ordinary('qcow2', fakes.DRIVERS)
        self.glance.get.side_effect = self.check.side_effect = (
            nova_exception.GlanceConnectionFailed(server='s', reason='down')
        )
        instance = fakes.server(
            fakes.image_dict(image_id=fakes.OTHER), task_state='rebuilding'
        )
        with self.assertRaises(nova_exception.GlanceConnectionFailed):
            self.rebuild(instance)
        self.stock_rebuild.assert_not_called()
        [saved] = self.saved
        self.assertEqual('qcow2', saved['image_disk_format'])
        self.assertEqual(fakes.DRIVERS, saved['image_base_image_ref'])
        self.assertEqual(fakes.DRIVERS, instance.image_ref)

    def test_refused_for_a_server_rebuilt_before(self):
        """The mapping names its first image only."""
        self.ordinary('qcow2', fakes.ISO)
        instance = self.refused(None)
        [saved] = self.saved
        self.assertEqual('qcow2', saved['image_disk_format'])
        self.assertEqual(fakes.OTHER, instance.image_ref)
        self.glance.get.assert_not_called()

    def test_refused_after_an_unshelve(self):
        self.useFixture(fakes.Storage(self))
        instance = self.refused(driver_base.RESTORED, fakes.image_dict())
        self.assertEqual(fakes.ISO, instance.image_ref)
        [saved] = self.saved
        self.assertEqual('qcow2', saved['image_disk_format'])

    def test_refused_for_a_volume(self):
        instance = fakes.server(task_state='rebuilding')
        self.patch(
            stock.LibvirtDriver, '_is_booted_from_volume', return_value=True
        )
        with self.assertRaises(virt_exception.Refused):
            self.rebuild(instance)
        [saved] = self.saved
        self.assertEqual('iso', saved['image_disk_format'])

    def evacuated(self, server_layout, task_state='rebuilding', **fields):
        """A server whose host failed."""
        self.useFixture(fakes.Storage(self))
        self.patch(
            stock.LibvirtDriver, 'instance_on_disk', return_value='answer'
        )
        return fakes.server(
            fakes.image_dict(newos_root_disk_size='junk'),
            server_layout,
            task_state=task_state,
            **{'host': 'failed-host', **fields},
        )

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_evacuate_without_the_root_disk(self, server_layout):
        """The ISO would silently be installed again.

        Said before Nova moves the ports, and the server is as it was.
        """
        instance = self.evacuated(server_layout)
        with self.assertRaises(nova_exception.InstanceFaultRollback) as caught:
            self.driver.instance_on_disk(instance)
        text = caught.exception.inner_exception.format_message()
        self.assertIn('bring the host back', text)

    @ddt.data(fakes.LAYOUT, driver_base.RESTORED)
    def test_evacuate_on_shared_storage(self, server_layout):
        """Whatever the image is now, no layout is decided."""
        instance = self.evacuated(server_layout)
        path = os.path.join(self.directory(instance), server_layout.root)
        fakes.write_disk(path, 'qcow2', fakes.GiB)
        self.assertEqual('answer', self.driver.instance_on_disk(instance))
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance, evacuate=True)
        self.check.assert_not_called()

    @ddt.data(
        {'server_layout': None},
        {'server_layout': fakes.LAYOUT, 'host': 'host'},
        {'server_layout': fakes.LAYOUT, 'task_state': None},
    )
    def test_other_questions_about_the_disk(self, fields):
        """nova-compute asks as well when it starts."""
        instance = self.evacuated(**fields)
        self.assertEqual('answer', self.driver.instance_on_disk(instance))

    def test_disk_of_a_server_that_is_hardly_known(self):
        self.patch(
            stock.LibvirtDriver, 'instance_on_disk', return_value='answer'
        )
        instance = objects.Instance(uuid=fakes.SERVER)
        self.assertEqual('answer', self.driver.instance_on_disk(instance))

    @ddt.data('iso', 'qcow2')
    def test_evacuate_others(self, disk_format):
        """That is Nova's affair, ISO or not."""
        instance = fakes.server(
            fakes.image_dict(disk_format, newos_root_disk_size='junk'),
            task_state='rebuilding',
        )
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance, evacuate=True)
        self.check.assert_not_called()

    def test_arguments(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        meta = fakes.image_meta('qcow2')
        with self.assertRaises(NotImplementedError):
            self.rebuild(instance, image_meta=meta)
        [call] = self.stock_rebuild.mock_calls
        bound = inspect.signature(stock.LibvirtDriver.rebuild).bind(
            *call.args, **call.kwargs
        )
        self.assertEqual(
            {'self': self.driver, **self.arguments}, bound.arguments
        )
