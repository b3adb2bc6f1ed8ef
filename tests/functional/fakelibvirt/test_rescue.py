# SPDX-License-Identifier: Apache-2.0
"""Rescue of install servers, and with ISOs."""

import pytest

from tests.functional.fakelibvirt import base

STABLE_DISK = {'hw_rescue_device': 'disk', 'hw_rescue_bus': 'virtio'}
STABLE_CDROM = {'hw_rescue_device': 'cdrom', 'hw_rescue_bus': 'sata'}


class RescueBase(base.InstalledTestCase):
    def rescue(self, image, server=None):
        """Rescue a server; returns its disks meanwhile."""
        server = server or self.server
        self.act(server, 'rescue', {'rescue_image_ref': image}, state='RESCUE')
        return self.disks(server)

    def unrescue(self):
        self._unrescue_server(self.server)
        self.assert_kept()
        self.assertNotIn('disk.rescue', self.files(self.server))


class RescueTestCase(RescueBase):
    @pytest.mark.operation('rescue-disk-image')
    def test_disk_image(self):
        rescue, root, *cdroms = self.rescue(self.add_disk_image())
        self.assertEqual(('disk.rescue', 'disk', 'virtio', 'vda'), rescue)
        self.assertEqual(('disk.newos', 'disk', 'virtio', 'vdb'), root)
        self.assertNotIn('disk', [name for name, *_rest in cdroms])
        self.assert_installed(self.server)
        self.unrescue()

    @pytest.mark.operation('rescue-iso')
    def test_iso(self):
        """The root disk is there to be repaired, and is not made anew."""
        rescue, root, *_cdroms = self.rescue(self.add_image())
        self.assertEqual('disk.rescue', rescue[0])
        self.assertEqual(('disk.newos', 'disk'), root[:2])
        self.assert_installed(self.server)
        self.unrescue()

    @pytest.mark.operation('rescue-stable-device')
    def test_stable_disk(self):
        disks = self.rescue(self.add_disk_image(properties=STABLE_DISK))
        self.assertEqual([base.ROOT, base.ISO, base.DRIVERS], disks[:3])
        self.assertEqual([('disk.rescue', 'disk', 'virtio', 'vdb')], disks[3:])
        self.unrescue()

    @pytest.mark.operation('rescue-stable-device')
    @pytest.mark.operation('rescue-iso')
    def test_stable_iso(self):
        disks = self.rescue(self.add_image(properties=STABLE_CDROM))
        self.assertEqual([base.ROOT, base.ISO, base.DRIVERS], disks[:3])
        self.assertEqual([('disk.rescue', 'cdrom', 'sata', 'sda')], disks[3:])
        self.unrescue()

    @pytest.mark.operation('rescue-own-iso', outcome='refused')
    def test_default_is_not_the_install_iso(self):
        self.fails(
            self.server, 'rescue', {}, 'compute_rescue_instance', '--image'
        )
        # Nova has powered the server off and takes any refusal for an error.
        self.wait_for(self.server, 'ERROR')
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    @pytest.mark.operation('rescue-disk-image')
    @pytest.mark.operation('rescue-stable-device')
    @pytest.mark.operation('volume')
    def test_with_a_volume(self):
        self.attach(self.server, self.cinder.ISCSI_BACKED_VOL)
        before = sorted(self.attached(self.server))
        disks = self.rescue(self.add_disk_image(properties=STABLE_DISK))
        names = [target for *_rest, target in disks]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(
            before, sorted(disk for disk in disks if disk[0] != 'disk.rescue')
        )
        self._unrescue_server(self.server)
        self.assertEqual(before, sorted(self.attached(self.server)))

        self.rescue(self.add_disk_image())
        self._unrescue_server(self.server)
        self.assertEqual(before, sorted(self.attached(self.server)))
        self.assert_installed(self.server)

    @pytest.mark.operation('rescue-iso')
    def test_iso_does_not_make_an_install_server(self):
        server = self.create(self.add_disk_image())
        self.rescue(self.add_image(), server)
        self.assertNotIn('disk.newos', self.files(server))
        self.assertIsNone(self.layout_of(server))
        self._unrescue_server(server)
        self.assertEqual([base.STOCK_ROOT], self.disks(server))


class FlatRescueTestCase(RescueBase):
    IMAGES_TYPE = 'flat'

    test_disk_image = RescueTestCase.test_disk_image
    test_iso = RescueTestCase.test_iso
