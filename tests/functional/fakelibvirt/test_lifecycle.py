# SPDX-License-Identifier: Apache-2.0
"""Install servers that stay on their host: power, files, deletion."""

import os
import pathlib
import subprocess
import threading

import pytest

from tests.functional.fakelibvirt import base


class PowerTestCase(base.InstalledTestCase):
    @pytest.mark.operation('hard-reboot')
    @pytest.mark.operation('soft-reboot')
    def test_reboots(self):
        self._reboot_server(self.server, hard=False)
        self.assert_kept()
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    @pytest.mark.operation('stop-start')
    def test_stop_and_start(self):
        self._stop_server(self.server)
        self._start_server(self.server)
        self.assert_kept()

    @pytest.mark.operation('pause')
    @pytest.mark.operation('suspend')
    @pytest.mark.operation('lock')
    def test_pause_suspend_and_lock(self):
        self.act(self.server, 'pause', state='PAUSED')
        self.act(self.server, 'unpause')
        self.assert_kept(boots_installer=True)
        self._suspend_server(self.server)
        self._resume_server(self.server)
        self.assert_kept(boots_installer=True)
        self.act(self.server, 'lock')
        self.act(self.server, 'unlock')
        self.assert_kept(boots_installer=True)

    @pytest.mark.operation('host-boot')
    def test_boot_of_the_host(self):
        """Nova starts the servers anew, without a user and a token."""
        self.flags(resume_guests_state_on_host_boot=True)
        self.domain(self.server).destroy()
        self.restart_compute_service('compute1')
        self.assertTrue(self.domain(self.server).isActive())
        self.assert_kept()


class BootOrderTestCase(base.InstalledTestCase):
    """The installer is not started again behind what it has installed."""

    def setUp(self):
        super().setUp()
        self.assertEqual(['hd', 'cdrom'], self.boot_order(self.server))

    def metadata(self):
        return self.api.get_server(self.server['id'])['metadata']

    def ask(self, value='installer'):
        self.api.api_post(
            f'/servers/{self.server["id"]}/metadata',
            {'metadata': {'newos_boot': value}},
        )

    @pytest.mark.operation('hard-reboot')
    def test_said_and_asked_for(self):
        self._reboot_server(self.server, hard=True)
        self.assertEqual(['hd'], self.boot_order(self.server))
        said = self.metadata()
        self.assertEqual({'newos_boot_order'}, said.keys())
        self.assertIn('newos_boot=installer', said['newos_boot_order'])

        self.ask()
        self._reboot_server(self.server, hard=True)
        self.assertEqual(['cdrom', 'hd'], self.boot_order(self.server))
        self.assertEqual(
            {'newos_boot_order': 'installer, then disk'}, self.metadata()
        )

        self._reboot_server(self.server, hard=False)
        self.assertEqual(['hd'], self.boot_order(self.server))

    def test_nonsense_is_asked_for(self):
        """The text is for the owner; the server stays as it was."""
        self._stop_server(self.server)
        self.ask('cdrom')
        self.api.post_server_action(self.server['id'], {'os-start': None})
        self._wait_for_instance_action_event(
            self.server, 'start', 'compute_start_instance', 'error'
        )
        server = self.wait_for(self.server, 'SHUTOFF')
        self.assertIn("'cdrom'", server['metadata']['newos_error'])
        self.ask()
        self._start_server(self.server)
        self.assertEqual(
            {'newos_boot_order': 'installer, then disk'}, self.metadata()
        )

    @pytest.mark.operation('rescue-disk-image')
    def test_unrescue(self):
        """Nova keeps a description from before it."""
        self.act(
            self.server,
            'rescue',
            {'rescue_image_ref': self.add_disk_image()},
            state='RESCUE',
        )
        self.act(self.server, 'unrescue')
        self.assert_kept()


class FlatPowerTestCase(base.InstalledTestCase):
    IMAGES_TYPE = 'flat'

    @pytest.mark.operation('hard-reboot')
    @pytest.mark.operation('stop-start')
    def test_reboot_stop_and_start(self):
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        self._stop_server(self.server)
        self._start_server(self.server)
        self.assert_kept()

    @pytest.mark.operation('hard-reboot')
    @pytest.mark.operation('snapshot-cold')
    def test_guest_cannot_name_a_backing_file(self):
        """A raw disk stays one, whatever header its guest writes."""
        root = self.directory(self.server) / 'disk.newos'
        secret = pathlib.Path(self.instances_path, 'secret')
        secret.write_bytes(b'of the host'.ljust(512))
        forged = pathlib.Path(self.instances_path, 'forged')
        subprocess.check_call(
            ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw']
            + ['-b', secret, forged]
        )
        subprocess.check_call(
            ['dd', 'status=none', 'conv=notrunc', f'if={forged}', f'of={root}']
        )
        self._reboot_server(self.server, hard=True)
        disk = self.domain(self.server).disks()[0]
        self.assertEqual('raw', disk.find('driver').get('type'))
        self._stop_server(self.server)
        image = self.api.post_server_action(
            self.server['id'], {'createImage': {'name': 'golden'}}
        )['image_id']
        self._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': None}
        )
        golden = pathlib.Path(self.instances_path, 'golden')
        golden.write_bytes(self.glance.bytes_of(image))
        raw = pathlib.Path(self.instances_path, 'raw')
        subprocess.check_call(
            ['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', golden, raw]
        )
        with raw.open('rb') as file:
            taken = file.read(2**20)
        self.assertEqual(forged.read_bytes(), taken[: forged.stat().st_size])
        self.assertNotIn(b'of the host', taken)

    @pytest.mark.operation('delete-installed')
    def test_delete(self):
        self._delete_server(self.server)
        self.assertFalse(self.directory(self.server).exists())


class LostFilesTestCase(base.InstalledTestCase):
    def base_of(self, name):
        info = self.qemu_img_info(self.directory(self.server) / name)
        return info['full-backing-filename']

    def bases(self):
        return {name: self.base_of(name) for name in ('disk', 'disk.virtio')}

    @pytest.mark.operation('lost-files')
    def test_hard_reboot_fetches_each_base_from_its_own_image(self):
        """Stock code fetches the install ISO into every missing base."""
        bases = self.bases()
        for path in bases.values():
            os.remove(path)
        self._reboot_server(self.server, hard=True)
        self.assert_kept()
        with open(bases['disk'], 'rb') as cached:
            self.assertEqual(self.glance.bytes_of(self.iso), cached.read())
        with open(bases['disk.virtio'], 'rb') as cached:
            self.assertEqual(self.glance.bytes_of(self.drivers), cached.read())

    @pytest.mark.operation('lost-files')
    def test_hard_reboot_does_not_replace_a_lost_root_disk(self):
        self._stop_server(self.server)
        root = self.directory(self.server) / 'disk.newos'
        root.unlink()
        self.fails(
            self.server,
            'os-start',
            None,
            'compute_start_instance',
            'restore it, or rebuild',
            name='start',
        )
        self.assertFalse(root.exists())

    @pytest.mark.operation('image-cache')
    def test_image_cache_keeps_what_is_in_use(self):
        """Stock code removes the driver ISO's base under its overlay."""
        bases = self.bases()
        unused = os.path.join(os.path.dirname(bases['disk']), '1' * 40)
        with open(unused, 'wb') as stray:
            stray.write(b'no server has this')
        self.clean_the_cache(unused, *bases.values())
        self.assertFalse(os.path.exists(unused))
        for path in bases.values():
            self.assertTrue(os.path.exists(path), path)

    @pytest.mark.operation('delete-installed')
    @pytest.mark.operation('image-cache')
    def test_image_cache_lets_go_after_deletion(self):
        bases = self.bases()
        self._delete_server(self.server)
        for path in bases.values():
            self.assertTrue(os.path.exists(path), path)
        self.clean_the_cache(*bases.values())
        for path in bases.values():
            self.assertFalse(os.path.exists(path), path)

    def clean_the_cache(self, *paths):
        """Run Nova's cleaning, with files that are as old as can be."""
        self.flags(
            remove_unused_original_minimum_age_seconds=0,
            remove_unused_resized_minimum_age_seconds=0,
            group='image_cache',
        )
        for path in paths:
            os.utime(path, (0, 0))
        manager = self.computes['compute1'].manager
        # What is found unused in one run is removed in the next.
        for _run in range(2):
            manager._run_image_cache_manager_pass(self.admin_context())


class DeleteTestCase(base.ServersTestCase):
    """Nothing is left, in whatever phase a server is deleted."""

    def assert_gone(self, server):
        self._wait_until_deleted({**server, 'status': 'ERROR'})
        self._wait_for_assert(
            lambda: self.assertFalse(self.directory(server).exists())
        )
        connection = self.computes['compute1'].driver._host.get_connection()
        self.assertNotIn(
            server['id'], [vm.UUIDString() for vm in connection._vms.values()]
        )
        self.assertEqual(
            {}, self._get_allocations_by_server_uuid(server['id'])
        )

    def delete(self, server):
        self.api.delete_server(server['id'])
        self.assert_gone(server)

    @pytest.mark.operation('delete-building')
    def test_while_the_iso_is_fetched(self):
        fetching = threading.Event()
        go_on = threading.Event()

        def wait(image_id):
            fetching.set()
            self.assertTrue(go_on.wait(60))

        self.glance.before_download = wait
        server = self.admin_api.post_server(
            {
                'server': self._build_server(
                    image_uuid=self.add_image(),
                    flavor_id=self.add_flavor(),
                    networks='none',
                )
            }
        )
        self.assertTrue(fetching.wait(60))
        self.api.delete_server(server['id'])
        go_on.set()
        self.assert_gone(server)

    @pytest.mark.operation('delete-installing')
    @pytest.mark.operation('delete-installed')
    def test_running_and_stopped(self):
        server = self.create(self.add_image())
        self.delete(server)
        server = self.create(self.add_image())
        self._stop_server(server)
        self.delete(server)

    @pytest.mark.operation('delete-shelved')
    def test_shelved(self):
        server = self.create(self.add_image())
        self.act(server, 'shelve', state='SHELVED_OFFLOADED')
        self.delete(server)

    @pytest.mark.operation('delete-error')
    def test_in_error(self):
        refused = self.create(
            self.add_image(properties={'newos_root_disk_size': '99'}),
            state='ERROR',
        )
        self.delete(refused)
        broken = self.create(self.add_image())
        self.admin_api.post_server_action(
            broken['id'], {'os-resetState': {'state': 'error'}}
        )
        self.delete(broken)
