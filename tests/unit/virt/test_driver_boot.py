# SPDX-License-Identifier: Apache-2.0
"""The boot order of whatever starts an install server."""

import pathlib
from unittest import mock

import ddt
from lxml import etree
from nova.virt.libvirt import blockinfo as stock_blockinfo
from nova.virt.libvirt import driver as stock
from oslo_concurrency import processutils

from nova_newos.virt import exception as virt_exception
from nova_newos.virt import keys
from nova_newos.virt import qemu_img
from tests.unit.virt import driver_base
from tests.unit.virt import fakes

DISK = ['hd']
DISK_FIRST = ['hd', 'cdrom']
INSTALLER_FIRST = ['cdrom', 'hd']
XML = '<domain><os><boot dev="hd"/><boot dev="cdrom"/></os></domain>'


@ddt.ddt
class BootTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.storage = self.useFixture(fakes.Storage(self))
        self.orders = []
        for name in (
            '_hard_reboot',
            'finish_migration',
            'finish_revert_migration',
            'spawn',
        ):
            self.stock_method(name, self.describe)
        self.stock_method(
            '_get_guest_config', lambda *_args: fakes.guest_config()
        )

    def server(self, allocated=0, server_layout=fakes.LAYOUT, **fields):
        """A server with a root disk."""
        instance = fakes.server(
            server_layout=server_layout,
            # As large as the disk is.
            flavor=fakes.flavor(7),
            old_flavor=None,
            **fields,
        )
        self.metadata[instance.uuid] = dict(instance.metadata)
        path = pathlib.Path(self.directory(instance), server_layout.root)
        path.write_text(
            '{"format": "qcow2", "virtual-size": 7516192768, '
            f'"allocated": {allocated}}}'
        )
        return instance

    def describe(self, _driver, *args, **kwargs):
        """What Nova does at a start, as far as the boot order."""
        [instance] = {
            argument
            for argument in (*args, *kwargs.values())
            if hasattr(argument, 'system_metadata')
        }
        disk_info = fakes.disk_info(instance, instance.image_meta)
        self.orders.append(stock_blockinfo.get_boot_order(disk_info))
        return True

    def hard_reboot(self, instance):
        self.context.auth_token = None
        self.driver._hard_reboot(self.context, instance, 'network', 'shares')

    def finish_migration(self, instance, power_on=True):
        self.driver.finish_migration(
            self.context,
            'migration',
            instance,
            '[]',
            'network',
            'meta',
            True,
            {},
            power_on=power_on,
        )

    def finish_revert(self, instance, power_on=True):
        self.driver.finish_revert_migration(
            self.context, instance, 'network', 'migration', power_on=power_on
        )

    STARTS = ('hard_reboot', 'finish_migration', 'finish_revert')

    @ddt.data(*STARTS)
    def test_keys_are_not_typed_again(self, operation):
        """Not even onto a disk that is still blank."""
        type_into = self.patch(keys, 'type_into')
        getattr(self, operation)(
            self.server(metadata={'newos_boot_keys': '<enter>'})
        )
        self.assertEqual([DISK_FIRST], self.orders)
        type_into.assert_not_called()

    def guest_config(self, instance):
        """The domain that Nova describes for a server."""
        described = self.driver._get_guest_config(
            instance, 'network', 'meta', 'disks'
        )
        return etree.fromstring(described.to_xml())

    @ddt.data((0, 'destroy'), (5, None))
    @ddt.unpack
    def test_reboot_ends_the_installers_run(self, allocated, action):
        instance = self.server(allocated, metadata={'newos_finish': 'reboot'})
        domains = []
        stock.LibvirtDriver._hard_reboot.side_effect = lambda *_args: (
            domains.append(self.guest_config(instance))
        )
        self.hard_reboot(instance)
        self.assertEqual(action, domains[0].findtext('on_reboot'))
        # Nobody starts it: a rescue, for instance.
        domain = self.guest_config(instance)
        self.assertIsNone(domain.find('on_reboot'))

    @ddt.data(*STARTS)
    def test_installed(self, start):
        getattr(self, start)(self.server(allocated=5))
        self.assertEqual([DISK], self.orders)

    @ddt.data(*STARTS)
    def test_never_written(self, start):
        getattr(self, start)(self.server())
        self.assertEqual([DISK_FIRST], self.orders)

    @ddt.data(*STARTS)
    def test_cannot_be_told(self, start):
        """No server stays off for that."""
        instance = self.server(allocated=5)
        qemu_img.is_blank.side_effect = processutils.ProcessExecutionError()
        getattr(self, start)(instance)
        self.assertEqual([DISK], self.orders)

    @ddt.data(*STARTS)
    def test_without_cdroms(self, start):
        """It came back from an image, and is an ordinary server to boot."""
        instance = self.server(5, server_layout=driver_base.RESTORED)
        getattr(self, start)(instance)
        self.assertEqual({}, instance.metadata)
        qemu_img.is_blank.assert_not_called()

    @ddt.data(*STARTS)
    def test_asked_for(self, start):
        """For one start, and said."""
        instance = self.server(5, metadata={'newos_boot': 'installer'})
        getattr(self, start)(instance)
        self.assertNotIn('newos_boot', self.metadata[instance.uuid])
        getattr(self, start)(instance)
        self.assertEqual([INSTALLER_FIRST, DISK], self.orders)

    @ddt.data('finish_migration', 'finish_revert')
    def test_moved_while_off(self, move):
        instance = self.server(5, metadata={'newos_boot': 'installer'})
        getattr(self, move)(instance, power_on=False)
        self.hard_reboot(instance)
        self.assertEqual([INSTALLER_FIRST] * 2, self.orders)
        self.assertNotIn('newos_boot', instance.metadata)

    def test_nonsense_is_asked_for(self):
        """Nova destroys the domain before it describes the next one."""
        instance = self.server(5, metadata={'newos_boot': 'cdrom'})
        self.context.auth_token = 'token'
        with self.assertRaisesRegex(virt_exception.Refused, 'newos_boot'):
            self.driver._hard_reboot(
                self.context, instance, 'network', 'shares'
            )
        self.assertIn('newos_boot', instance.metadata['newos_error'])
        self.assertEqual([], self.orders)

    @ddt.data(*STARTS)
    def test_nonsense_where_it_is_too_late(self, start):
        """After a boot of the host, or with the disks moved already."""
        instance = self.server(5, metadata={'newos_boot': 'cdrom'})
        getattr(self, start)(instance)
        self.assertEqual([DISK], self.orders)

    def test_evacuated(self):
        """On shared storage, which has what was installed."""
        instance = self.server(
            5, task_state='rebuild_spawning', host='failed-host'
        )
        self.driver.spawn(
            self.context, instance, instance.image_meta, [], None, {}
        )
        self.assertEqual([DISK], self.orders)

    def test_rebuilt_with_a_disk_image(self):
        """What was said of the installer holds no more."""
        image = fakes.image_dict('qcow2', fakes.OTHER)
        said = {'newos_boot_order': 'x', 'newos_warning': 'y', 'theirs': 'z'}
        instance = fakes.server(
            image, fakes.LAYOUT, task_state='rebuild_spawning', metadata=said
        )
        self.metadata[instance.uuid] = dict(said)
        self.driver.spawn(
            self.context,
            instance,
            instance.image_meta,
            [],
            None,
            {},
            block_device_info={},
        )
        self.assertEqual({'theirs': 'z'}, self.metadata[instance.uuid])

    def soft_reboot(self, instance, has_rebooted=True):
        self.driver._host = mock.Mock()
        guest = self.driver._host.get_guest.return_value
        guest.get_xml_desc.return_value = XML
        self.stock_method('_soft_reboot', return_value=has_rebooted)
        self.assertIs(has_rebooted, self.driver._soft_reboot(instance))
        # What is next, with its secrets, not what runs.
        guest.get_xml_desc.assert_called_once_with(
            dump_inactive=True, dump_sensitive=True
        )
        [call] = self.driver._host.write_instance_config.mock_calls
        return call.args[0]

    def test_soft_reboot(self):
        """Nova starts the domain as it is described to libvirt."""
        instance = self.server(allocated=5)
        self.assertNotIn('cdrom', self.soft_reboot(instance))
        self.assertIn('disk alone', instance.metadata['newos_boot_order'])

    def test_soft_reboot_of_a_blank_disk(self):
        self.assertIn('cdrom', self.soft_reboot(self.server()))

    def test_soft_reboot_that_fails(self):
        """Nova goes on with a hard reboot, which is asked for as well."""
        asked = {'newos_boot': 'installer'}
        instance = self.server(5, metadata=dict(asked))
        self.assertIn('cdrom', self.soft_reboot(instance, False))
        self.assertEqual(asked, instance.metadata)

    @ddt.data((5, False), (0, True))
    @ddt.unpack
    def test_unrescue(self, allocated, boots_installer):
        """Nova starts what it has described before the rescue."""
        instance = self.server(allocated)
        kept = pathlib.Path(self.directory(instance), 'unrescue.xml')
        kept.write_text(XML)
        read = []
        self.stock_method(
            'unrescue', lambda *_arguments: read.append(kept.read_text())
        )
        self.driver.unrescue(self.context, instance)
        self.assertEqual([boots_installer], ['cdrom' in xml for xml in read])
