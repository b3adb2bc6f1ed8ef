# SPDX-License-Identifier: Apache-2.0
"""Install servers that get another flavor on their host."""

from nova.tests.functional.api import client
import pytest

from tests.functional.fakelibvirt import base


class ResizeTestCase(base.InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.flags(allow_resize_to_same_host=True)

    def size_of(self, server):
        info = self.qemu_img_info(self.directory(server) / 'disk.newos')
        return info['virtual-size'] // 2**30

    def resize_fails(self, server, flavor, advice):
        """A resize fails, and the server is as it was."""
        state = self.admin_api.get_server(server['id'])['status']
        size = self.size_of(server)
        self.fails(
            server,
            'resize',
            {'flavorRef': flavor},
            'compute_resize_instance',
            advice,
        )
        self.wait_for(server, state)
        self.assertEqual(size, self.size_of(server))
        self.assert_installed(server)

    def flavor_is_refused(self, server, flavor):
        """Nova's API knows already that it cannot be."""
        self.install(server)
        size = self.size_of(server)
        error = self.assertRaises(
            client.OpenStackApiException, self._resize_server, server, flavor
        )
        self.assertEqual(400, error.response.status_code)
        self.assertEqual(size, self.size_of(server))
        self.assert_installed(server)

    @pytest.mark.operation('resize-confirm')
    def test_confirm(self):
        self._resize_server(self.server, self.add_flavor(disk=2))
        self.assert_kept(root_gb=2)
        self._confirm_resize(self.server)
        self.assert_kept(root_gb=2)
        self._reboot_server(self.server, hard=True)
        self.assert_kept(root_gb=2)
        left = [p.name for p in self.hosts.directory('compute1').iterdir()]
        self.assertNotIn(f'{self.server["id"]}_resize', left)

    @pytest.mark.operation('resize-revert')
    def test_revert(self):
        self._resize_server(self.server, self.add_flavor(disk=2))
        self._qemu_io(
            self.directory(self.server) / 'disk.newos', 'write', '0x21'
        )
        self._revert_resize(self.server)
        self.assert_kept()
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    @pytest.mark.operation('resize-confirm')
    def test_stopped(self):
        self._stop_server(self.server)
        self._resize_server(self.server, self.add_flavor(disk=2))
        self.act(self.server, 'confirmResize', state='SHUTOFF')
        self.assert_kept(root_gb=2)

    @pytest.mark.operation('resize-confirm')
    @pytest.mark.operation('volume')
    @pytest.mark.operation('ephemeral-swap')
    @pytest.mark.operation('config-drive')
    def test_with_all_disks(self):
        server = self.create(
            self.iso,
            self.add_flavor(ephemeral=1, swap=64),
            config_drive=True,
        )
        self.attach(server, self.cinder.ISCSI_BACKED_VOL)
        self.install(server)
        before = sorted(self.attached(server))
        self._resize_server(
            server, self.add_flavor(disk=2, ephemeral=1, swap=64)
        )
        self._confirm_resize(server)
        self.assertEqual(before, sorted(self.attached(server)))
        self.assert_installed(server)
        self.assertEqual(2, self.size_of(server))
        self._reboot_server(server, hard=True)
        self.assertEqual(before, sorted(self.attached(server)))

    @pytest.mark.operation('resize-down', outcome='refused')
    def test_smaller_flavor(self):
        self.flavor_is_refused(
            self.create(self.iso, self.add_flavor(disk=3)),
            self.add_flavor(disk=2),
        )

    @pytest.mark.operation('resize-down', outcome='refused')
    @pytest.mark.operation('resize-zero-disk', outcome='refused')
    def test_flavor_smaller_than_the_disk(self):
        """Nova compares flavors; the disk may be larger than its flavor."""
        iso = self.add_image(properties={'newos_root_disk_size': '3'})
        server = self.create(iso, self.add_flavor(disk=0))
        self.install(server)
        self.resize_fails(server, self.add_flavor(disk=2), 'cannot shrink')

    @pytest.mark.operation('resize-zero-disk')
    def test_zero_disk_flavors(self):
        iso = self.add_image(properties={'newos_root_disk_size': '2'})
        server = self.create(iso, self.add_flavor(disk=0))
        self.install(server)
        for flavor in (self.add_flavor(disk=0), self.add_flavor(disk=3)):
            self._resize_server(server, flavor)
            self._confirm_resize(server)
            self.assertEqual(2, self.size_of(server))
            self.assert_installed(server)

    @pytest.mark.operation('resize-zero-disk', outcome='refused')
    def test_to_a_zero_disk_flavor(self):
        self.flavor_is_refused(self.server, self.add_flavor(disk=0))

    @pytest.mark.operation('cold-migrate-same-host', outcome='refused')
    def test_migration_to_the_same_host(self):
        """As for every server of libvirt."""
        self.api.post_server_action(self.server['id'], {'migrate': None})
        self._assert_resize_migrate_action_fail(
            self.server, 'migrate', 'NoValidHost'
        )
        self.wait_for(self.server, 'ACTIVE')
        self.assert_kept(boots_installer=True)


class FlatResizeTestCase(base.InstalledTestCase):
    IMAGES_TYPE = 'flat'

    def setUp(self):
        super().setUp()
        self.flags(allow_resize_to_same_host=True)

    @pytest.mark.operation('resize-confirm')
    @pytest.mark.operation('resize-revert')
    def test_revert_and_confirm(self):
        flavor = self.add_flavor(disk=2)
        self._resize_server(self.server, flavor)
        self._revert_resize(self.server)
        self.assert_kept()
        self._resize_server(self.server, flavor)
        self._confirm_resize(self.server)
        self.assert_kept(root_gb=2)
