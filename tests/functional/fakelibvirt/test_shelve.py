# SPDX-License-Identifier: Apache-2.0
"""Shelved install servers come back with what was installed, as a disk."""

import pytest

from tests.functional.fakelibvirt import base


class ShelveBase(base.InstalledTestCase):
    def setUp(self):
        super().setUp()
        self.act(self.server, 'shelve', state='SHELVED_OFFLOADED')
        self.assertFalse(self.directory(self.server).exists())
        # Nothing of the ISOs is on the host that it comes back to.
        for path in (self.hosts.directory('compute1') / '_base').iterdir():
            path.unlink()
        self.glance.fetched.clear()
        self.act(self.server, 'unshelve')
        # That of the root disk, which Nova then deletes.
        [self.snapshot] = self.glance.fetched

    def assert_back(self):
        """The root disk is an ordinary one, and no ISO was fetched."""
        self.assertEqual([base.STOCK_ROOT], self.disks(self.server))
        self.assertEqual(['hd'], self.boot_order(self.server))
        self.assert_installed(self.server, 'disk')
        self.assertEqual([self.snapshot], self.glance.fetched)
        self.assertEqual('disk', self.layout_of(self.server).root)

    def lose_the_cache(self):
        for path in (self.hosts.directory('compute1') / '_base').iterdir():
            path.unlink()


class ShelveTestCase(ShelveBase):
    @pytest.mark.operation('shelve-unshelve')
    @pytest.mark.operation('after-unshelve')
    def test_reboot_and_stop(self):
        self.assertNotIn(self.snapshot, self.glance.images)
        self.assert_back()
        self._reboot_server(self.server, hard=True)
        self.assert_back()
        self._stop_server(self.server)
        self.lose_the_cache()
        self._start_server(self.server)
        self.assert_back()

    @pytest.mark.operation('after-unshelve')
    def test_resize(self):
        self.flags(allow_resize_to_same_host=True)
        self._resize_server(self.server, self.add_flavor(disk=2))
        self._confirm_resize(self.server)
        self.assert_back()
        info = self.qemu_img_info(self.directory(self.server) / 'disk')
        self.assertEqual(2 * 2**30, info['virtual-size'])

    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('rescue-disk-image')
    @pytest.mark.operation('rescue-own-iso', outcome='refused')
    def test_rescue(self):
        image = self.add_disk_image()
        self.act(
            self.server, 'rescue', {'rescue_image_ref': image}, state='RESCUE'
        )
        self.assertEqual(
            [
                ('disk.rescue', 'disk', 'virtio', 'vda'),
                ('disk', 'disk', 'virtio', 'vdb'),
            ],
            self.disks(self.server),
        )
        self.assertEqual([self.snapshot, image], self.glance.fetched)
        self._unrescue_server(self.server)
        self.glance.fetched.remove(image)
        self.assert_back()

        self.fails(
            self.server, 'rescue', {}, 'compute_rescue_instance', '--image'
        )
        self.wait_for(self.server, 'ERROR')
        self._reboot_server(self.server, hard=True)
        self.assert_back()

    @pytest.mark.operation('shelve-unshelve')
    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('snapshot-live')
    def test_snapshot_and_shelve_again(self):
        self.act(self.server, 'shelve', state='SHELVED_OFFLOADED')
        self.glance.fetched.clear()
        self.act(self.server, 'unshelve')
        [self.snapshot] = self.glance.fetched
        self.assert_back()

    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('rebuild-other-iso')
    @pytest.mark.operation('rebuild-to-disk-image')
    def test_rebuild(self):
        self._rebuild_server(self.server, self.iso)
        self.assertEqual(
            [base.ROOT, base.ISO, base.DRIVERS], self.disks(self.server)
        )
        self.assertTrue(self.layout_of(self.server).installs)
        self.act(self.server, 'shelve', state='SHELVED_OFFLOADED')
        self.act(self.server, 'unshelve')
        self._rebuild_server(self.server, self.add_disk_image())
        self.assertEqual([base.STOCK_ROOT], self.disks(self.server))
        self.assertIsNone(self.layout_of(self.server))


class FlatShelveTestCase(ShelveBase):
    IMAGES_TYPE = 'flat'

    test_reboot_and_stop = ShelveTestCase.test_reboot_and_stop
    test_resize = ShelveTestCase.test_resize
