# SPDX-License-Identifier: Apache-2.0
"""Golden images: the root disk, and a record that a stranger can boot."""

import pathlib
import subprocess

from nova_newos import layout
from tests.functional.fakelibvirt import base

# What an installer writes at the beginning of the root disk.
INSTALLED = b'an installed operating system'


class SnapshotTestCase(base.ServersTestCase):
    def setUp(self):
        super().setUp()
        self.driver = self.start()

    def installed_server(self, properties=None, flavor=None, **fields):
        """An install server that was installed and is stopped."""
        drivers = self.add_image(is_public=True)
        iso = self.add_image(
            properties={
                'newos_virtio_image_id': drivers,
                'os_distro': 'debian',
                **(properties or {}),
            }
        )
        server = self.create(iso, flavor, **fields)
        root = self.directory(server) / 'disk.newos'
        content = pathlib.Path(self.instances_path, 'installed')
        content.write_bytes(INSTALLED.ljust(512, b'\0'))
        subprocess.check_call(
            [
                'qemu-img',
                'dd',
                '-f',
                'raw',
                '-O',
                'qcow2',
                'bs=512',
                'count=1',
                'if=%s' % content,
                'of=%s' % root,
            ]
        )
        subprocess.check_call(
            [
                'qemu-img',
                'resize',
                '-q',
                '-f',
                'qcow2',
                root,
                '%dG' % self.layout_of(server).root_gb,
            ]
        )
        self._stop_server(server)
        return server

    def layout_of(self, server):
        return layout.load(self.instance(server).system_metadata)

    def take(self, server, action='createImage', **fields):
        """Have an image taken and wait for the end of it; returns its id."""
        response = self.api.post_server_action(
            server['id'], {action: {'name': 'golden', **fields}}
        )
        self._wait_for_server_parameter(
            server, {'OS-EXT-STS:task_state': None}
        )
        return response['image_id']

    def golden_image(self, *args, **fields):
        """Take an image of a server; returns its record."""
        image = self.glance.images[self.take(*args, **fields)]
        self.assertEqual('active', image['status'])
        return image

    def read(self, image):
        """The first bytes of the disk in an image."""
        data = pathlib.Path(self.instances_path, 'golden')
        data.write_bytes(self.glance.bytes_of(image['id']))
        raw = pathlib.Path(self.instances_path, 'golden.raw')
        subprocess.check_call(
            [
                'qemu-img',
                'convert',
                '-f',
                image['disk_format'],
                '-O',
                'raw',
                data,
                raw,
            ]
        )
        with raw.open('rb') as disk:
            return disk.read(len(INSTALLED))

    def test_root_disk_is_taken(self):
        image = self.golden_image(self.installed_server())
        self.assertEqual('qcow2', image['disk_format'])
        self.assertEqual(INSTALLED, self.read(image))

    def test_record(self):
        image = self.golden_image(
            self.installed_server(
                {
                    'newos_root_disk_size': '2',
                    'trait:CUSTOM_NOVA_NEWOS': 'required',
                },
                self.add_flavor(disk=3),
            )
        )
        self.assertEqual(2, image['min_disk'])
        properties = image['properties']
        self.assertEqual('debian', properties['os_distro'])
        self.assertEqual(
            [],
            [
                name
                for name in properties
                if name.startswith('newos_')
                or name in ('base_image_ref', 'trait:CUSTOM_NOVA_NEWOS')
            ],
        )

    def test_server_from_it_is_ordinary(self):
        image = self.golden_image(self.installed_server())
        server = self.create(image['id'])
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda')], self.disks(server)
        )
        self.assertEqual(['hd'], self.boot_order(server))
        self.assertIsNone(self.layout(server))

    def test_backup(self):
        # Nova's fake Glance takes every image for a backup when old ones
        # are removed.
        image = self.golden_image(
            self.installed_server(),
            'createBackup',
            backup_type='daily',
            rotation=100,
        )
        self.assertEqual('qcow2', image['disk_format'])
        self.assertEqual(INSTALLED, self.read(image))

    def test_shelve_and_unshelve(self):
        """The installed disk comes back as a disk, and stays one."""
        server = self.installed_server()
        self.api.post_server_action(server['id'], {'shelve': {}})
        self.wait_for(server, 'SHELVED_OFFLOADED')
        self.api.post_server_action(server['id'], {'unshelve': None})
        self.wait_for(server, 'ACTIVE')
        self._reboot_server(server, hard=True)
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda')], self.disks(server)
        )
        raw = pathlib.Path(self.instances_path, 'back.raw')
        subprocess.check_call(
            [
                'qemu-img',
                'convert',
                '-O',
                'raw',
                self.directory(server) / 'disk',
                raw,
            ]
        )
        with raw.open('rb') as disk:
            self.assertEqual(INSTALLED, disk.read(len(INSTALLED)))
        self.assertFalse(self.layout_of(server).installs)

    def test_wrong_first_disk_is_refused(self):
        """libvirt sorts the disks of a bus; what is first is checked."""
        server = self.installed_server()
        connection = self.driver._host.get_connection()
        domain = connection.lookupByUUIDString(server['id'])
        domain._disks.reverse()
        self.assertIsNone(self.glance.bytes_of(self.take(server)))
