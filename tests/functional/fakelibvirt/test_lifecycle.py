# SPDX-License-Identifier: Apache-2.0
"""What becomes of install servers after their creation."""

import os

from nova_newos import layout
from tests.functional.fakelibvirt import base

ROOT = ('disk.newos', 'disk', 'virtio', 'vda')
ISO = ('disk', 'cdrom', 'ide', 'hda')
DRIVERS = ('disk.virtio', 'cdrom', 'ide', 'hdb')


class LifecycleTestCase(base.ServersTestCase):
    def setUp(self):
        super().setUp()
        self.driver = self.start()
        self.drivers = self.add_image(
            data=base.iso_bytes() + b'drivers', is_public=True
        )
        self.iso = self.add_image(
            properties={'newos_virtio_image_id': self.drivers}
        )
        self.server = self.create(self.iso)
        self.root = self.directory(self.server) / 'disk.newos'
        self.root.touch()
        self.inode = os.stat(self.root).st_ino

    def assert_kept(self):
        """The server is as it was, and its root disk the same file."""
        self.assertEqual([ROOT, ISO, DRIVERS], self.disks(self.server))
        self.assertEqual(self.inode, os.stat(self.root).st_ino)
        self.assertEqual(
            layout.Layout(self.iso, 1, (('virtio', self.drivers),)),
            layout.load(self.instance(self.server).system_metadata),
        )

    def fails(self, action, body, event, advice, name=None):
        """An action fails, and the record of it says what to do.

        :param action: the key of the request
        :param body: its value
        :param event: the step that fails
        :param advice: part of the text
        :param name: of the action in the record, if not as in the request
        """
        self.admin_api.post_server_action(self.server['id'], {action: body})
        found = self._wait_for_action_fail_completion(
            self.server, name or action, event
        )
        self.assertIn(advice, found['details'])

    def base_of(self, name):
        info = self.qemu_img_info(self.directory(self.server) / name)
        return info['full-backing-filename']

    def test_hard_reboot(self):
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        self.assertEqual(['hd', 'cdrom'], self.boot_order(self.server))

    def test_stop_and_start(self):
        self._stop_server(self.server)
        self._start_server(self.server)
        self.assert_kept()

    def test_restart_of_compute(self):
        self.restart_compute_service('compute1')
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    def test_hard_reboot_fetches_each_base_from_its_own_image(self):
        """Stock code fetches the install ISO into every missing base."""
        bases = {name: self.base_of(name) for name in ('disk', 'disk.virtio')}
        for path in bases.values():
            os.remove(path)
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        with open(bases['disk'], 'rb') as cached:
            self.assertEqual(self.glance.bytes_of(self.iso), cached.read())
        with open(bases['disk.virtio'], 'rb') as cached:
            self.assertEqual(self.glance.bytes_of(self.drivers), cached.read())

    def test_hard_reboot_does_not_replace_a_lost_root_disk(self):
        self._stop_server(self.server)
        self.root.unlink()
        self.fails(
            'os-start',
            None,
            'compute_start_instance',
            'disk.newos',
            name='start',
        )
        self.assertFalse(self.root.exists())

    def test_image_cache_keeps_what_is_in_use(self):
        """Stock code removes the driver ISO's base under its overlay."""
        bases = {name: self.base_of(name) for name in ('disk', 'disk.virtio')}
        unused = os.path.join(os.path.dirname(bases['disk']), '1' * 40)
        with open(unused, 'wb') as stray:
            stray.write(b'no server has this')
        self.flags(
            remove_unused_original_minimum_age_seconds=0,
            remove_unused_resized_minimum_age_seconds=0,
            group='image_cache',
        )
        for path in (unused, *bases.values()):
            os.utime(path, (0, 0))
        manager = self.computes['compute1'].manager
        for _run in range(2):
            manager._run_image_cache_manager_pass(self.admin_context())
        self.assertFalse(os.path.exists(unused))
        for path in bases.values():
            self.assertTrue(os.path.exists(path), path)

    def test_rescue_names_the_root_disk(self):
        rescue = self.add_disk_image()
        self.api.post_server_action(
            self.server['id'], {'rescue': {'rescue_image_ref': rescue}}
        )
        self._wait_for_state_change(self.server, 'RESCUE')
        names = [name for name, *_rest in self.disks(self.server)]
        self.assertEqual(['disk.rescue', 'disk.newos'], names[:2])
        self._unrescue_server(self.server)
        self.assert_kept()

    def test_rescue_with_a_stable_device(self):
        rescue = self.add_disk_image(
            properties={'hw_rescue_device': 'disk', 'hw_rescue_bus': 'virtio'}
        )
        self.api.post_server_action(
            self.server['id'], {'rescue': {'rescue_image_ref': rescue}}
        )
        self._wait_for_state_change(self.server, 'RESCUE')
        names = [name for name, *_rest in self.disks(self.server)]
        self.assertEqual('disk.newos', names[0])
        self.assertIn('disk.rescue', names)
        self._unrescue_server(self.server)
        self.assert_kept()

    def test_rescue_with_the_install_iso_is_refused(self):
        self.fails('rescue', {}, 'compute_rescue_instance', '--image')
        self.assert_kept()

    def test_rescue_iso_does_not_make_an_install_server(self):
        server = self.create(self.add_disk_image())
        rescue = self.add_image()
        self.api.post_server_action(
            server['id'], {'rescue': {'rescue_image_ref': rescue}}
        )
        self._wait_for_state_change(server, 'RESCUE')
        self.assertNotIn('disk.newos', self.files(server))
        self.assertIsNone(self.layout(server))

    def test_rebuild_to_a_disk_image(self):
        self._rebuild_server(self.server, self.add_disk_image())
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda')], self.disks(self.server)
        )
        self.assertIsNone(self.layout(self.server))
        self.assertFalse(self.root.exists())
        self._reboot_server(self.server, hard=True)
        self.assertEqual(
            [('disk', 'disk', 'virtio', 'vda')], self.disks(self.server)
        )

    def test_rebuild_with_an_iso_installs_anew(self):
        other = self.add_image()
        self._rebuild_server(self.server, other)
        self.assertEqual([ROOT, ISO], self.disks(self.server))
        self.assertEqual(
            layout.Layout(other, 1),
            layout.load(self.instance(self.server).system_metadata),
        )

    def test_rebuild_from_a_disk_image_to_an_iso(self):
        server = self.create(self.add_disk_image())
        self._rebuild_server(server, self.add_image())
        self.assertEqual([ROOT, ISO], self.disks(server))

    def test_impossible_rebuild_keeps_the_disk(self):
        bad = self.add_image(properties={'newos_root_disk_size': '99'})
        self.api.post_server_action(
            self.server['id'], {'rebuild': {'imageRef': bad}}
        )
        server = self._wait_for_state_change(self.server, 'ERROR')
        self.assertIn('newos_root_disk_size', server['fault']['message'])
        self.assertEqual(self.inode, os.stat(self.root).st_ino)

    def test_resize_is_refused(self):
        self.flags(allow_resize_to_same_host=True)
        self.fails(
            'resize',
            {'flavorRef': self.add_flavor(disk=2)},
            'compute_resize_instance',
            'create an image',
        )
        self.assert_kept()

    def test_migration_is_refused(self):
        self.start('compute2')
        self.fails(
            'migrate', None, 'compute_resize_instance', 'create an image'
        )
        self.assert_kept()

    def test_live_migration_is_refused(self):
        self.start('compute2')
        self.fails(
            'os-migrateLive',
            {'host': None, 'block_migration': 'auto'},
            'compute_check_can_live_migrate_destination',
            'create an image',
            name='live-migration',
        )
        self.assert_kept()

    def test_suspend_and_resume(self):
        self._suspend_server(self.server)
        self._resume_server(self.server)
        self.assert_kept()

    def test_delete(self):
        self._delete_server(self.server)
        self.assertFalse(self.directory(self.server).exists())
