# SPDX-License-Identifier: Apache-2.0
"""Servers that move between compute hosts."""

import importlib.metadata
import pathlib

import fixtures
from nova.virt.libvirt import imagecache
import pytest

from nova_newos import media
from nova_newos.media import base as media_base
from tests.functional.fakelibvirt import base
from tests.functional.fakelibvirt import glance
from tests.functional.fakelibvirt import libvirtd

HOSTS = {'compute1': base.NEWOS, 'compute2': base.NEWOS}


class MovesMixin:
    """What moves a server, and looks at what it left and found."""

    def cached(self, image, host='compute2'):
        """The bytes that a host has cached of an image."""
        name = imagecache.get_cache_fname(image)
        return (self.hosts.directory(host) / '_base' / name).read_bytes()

    def fail_host(self, host='compute1'):
        """The host is dead, and an operator has said so."""
        self.use_up()
        compute = self.computes[host]
        compute.stop()
        self.api.put_service_force_down(compute.service_ref.uuid, True)

    def repair_host(self, host='compute1'):
        """The host is back, with its files and without its guests."""
        service = self.computes[host].service_ref
        self.restart_compute_service(host)
        self.api.put_service_force_down(service.uuid, False)

    def host_of(self, server):
        server = self.admin_api.get_server(server['id'])
        return server['OS-EXT-SRV-ATTR:host']


class OrdinaryMovesTestCase(MovesMixin, base.ServersTestCase):
    """What the other tests here stand on, seen with ordinary servers."""

    HOSTS = HOSTS
    SHARED_STORAGE = False

    def setUp(self):
        super().setUp()
        self.image = self.add_disk_image()
        self.server = self.create(self.image)
        self.install(self.server, 'disk')

    def assert_moved(self):
        self.assertEqual(
            self.glance.bytes_of(self.image), self.cached(self.image)
        )
        self.assert_installed(self.server, 'disk', 'compute2')
        self.assertFalse(self.directory(self.server).exists())

    def test_cold_migration(self):
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assert_moved()

    def test_live_migration(self):
        self._live_migrate(self.server)
        self.assert_moved()

    def test_evacuation(self):
        """Without shared storage, Nova starts anew from the image."""
        self.fail_host()
        self._evacuate_server(self.server, expected_host='compute2')
        self.assertEqual(
            self.glance.bytes_of(self.image), self.cached(self.image)
        )
        self.assertRaises(
            self.failureException,
            self.assert_installed,
            self.server,
            'disk',
            'compute2',
        )


class MovesBase(MovesMixin, base.InstalledTestCase):
    HOSTS = HOSTS
    SHARED_STORAGE = False

    def assert_moved(self, root_gb=1, **kwargs):
        """The server is whole on the other host, and gone from its own."""
        self.assert_kept(root_gb, host='compute2', **kwargs)
        self.assert_bases()
        self.assertFalse(self.directory(self.server).exists())
        self._reboot_server(self.server, hard=True)
        self.assert_kept(root_gb, host='compute2')

    def assert_bases(self):
        for image in (self.iso, self.drivers):
            self.assertEqual(self.image_bytes[image], self.cached(image))

    def setUp(self):
        super().setUp()
        self.image_bytes = {
            image: self.glance.bytes_of(image)
            for image in (self.iso, self.drivers)
        }


class MovesTestCase(MovesBase):
    @pytest.mark.operation('cold-migrate')
    def test_cold_migration(self):
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assert_moved()

    @pytest.mark.operation('cold-migrate')
    def test_cold_migration_reverted(self):
        self._migrate_server(self.server)
        self.assert_kept(host='compute2')
        self._revert_resize(self.server)
        self.assert_kept()
        self.assertFalse(self.directory(self.server, 'compute2').exists())
        self._reboot_server(self.server, hard=True)
        self.assert_kept()

    @pytest.mark.operation('resize-confirm')
    @pytest.mark.operation('cold-migrate')
    def test_resize(self):
        self._resize_server(self.server, self.add_flavor(disk=2))
        self._confirm_resize(self.server)
        self.assert_moved(root_gb=2)

    @pytest.mark.operation('cold-migrate')
    @pytest.mark.operation('lost-files')
    def test_cold_migration_without_images(self):
        """What Glance has no more is copied from the host that has it."""
        for image in (self.iso, self.drivers):
            self.glance.delete(None, image)
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assertEqual('compute2', self.host_of(self.server))
        self.assert_bases()
        self.assert_installed(self.server, host='compute2')

    @pytest.mark.operation('live-migrate')
    def test_live_migration(self):
        """It is the same run of the guest."""
        self._live_migrate(self.server)
        self.assert_moved(boots_installer=True)

    @pytest.mark.operation('live-migrate')
    @pytest.mark.operation('lost-files')
    def test_live_migration_without_images(self):
        for image in (self.iso, self.drivers):
            self.glance.delete(None, image)
        self._live_migrate(self.server)
        self.assertEqual('compute2', self.host_of(self.server))
        self.assert_bases()
        self.assert_installed(self.server, host='compute2')

    @pytest.mark.operation('evacuate', outcome='refused')
    def test_evacuation_does_not_install_anew(self):
        self.fail_host()
        self.admin_api.post_server_action(self.server['id'], {'evacuate': {}})
        found = self._wait_for_action_fail_completion(
            self.server, 'evacuate', 'compute_rebuild_instance'
        )
        self.assertIn('failed host', found['details'])
        self.assertFalse(
            (self.directory(self.server, 'compute2') / 'disk.newos').exists()
        )
        self.assert_installed(self.server)
        self.repair_host()
        self._reboot_server(self.server, hard=True)
        self.assert_kept()


class FlatMovesTestCase(MovesBase):
    IMAGES_TYPE = 'flat'

    def assert_bases(self):
        """There are none below a raw disk."""

    test_cold_migration = MovesTestCase.test_cold_migration
    test_live_migration = MovesTestCase.test_live_migration


class SharedMovesTestCase(MovesMixin, base.InstalledTestCase):
    """The hosts have one directory of servers."""

    HOSTS = HOSTS

    def assert_moved(self, to='compute2', **kwargs):
        self.assertEqual(to, self.host_of(self.server))
        self.assert_kept(host=to, **kwargs)

    @pytest.mark.operation('cold-migrate')
    def test_cold_migration(self):
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assert_moved()

    @pytest.mark.operation('live-migrate')
    def test_live_migration(self):
        self._live_migrate(self.server)
        self.assert_moved(boots_installer=True)

    @pytest.mark.operation('evacuate-shared')
    def test_evacuation(self):
        self.fail_host()
        self._evacuate_server(self.server, expected_host='compute2')
        self._start_server(self.server)
        self.assert_moved()
        # What the old host does when it is back must not hurt.
        self.repair_host()
        self.assert_moved()

    @pytest.mark.operation('evacuate-shared')
    def test_failed_evacuation(self):
        """Nova deletes the disks that a failed start has made."""
        self.fail_host()
        with fixtures.MonkeyPatch(
            'tests.functional.fakelibvirt.libvirtd.Connection.defineXML',
            lambda connection, xml: libvirtd.refuse('no such machine'),
        ):
            self.fails(
                self.server,
                'evacuate',
                {},
                'compute_rebuild_instance',
                'libvirtError',
            )
        self.assert_installed(self.server)
        self.repair_host()
        self._reboot_server(self.server, hard=True)
        self.assert_moved(to='compute1')


class UnshelvedMovesTestCase(MovesMixin, base.InstalledTestCase):
    """The server's image is the install ISO, but its disk is none."""

    HOSTS = HOSTS
    SHARED_STORAGE = False

    def setUp(self):
        super().setUp()
        self.act(self.server, 'shelve', state='SHELVED_OFFLOADED')
        self.act(self.server, 'unshelve', {'host': 'compute1'}, api=self.api)
        self.glance.fetched.clear()

    def assert_moved(self):
        self.assertEqual('compute2', self.host_of(self.server))
        for _start in range(2):
            self.assertEqual(
                [base.STOCK_ROOT], self.disks(self.server, 'compute2')
            )
            self.assert_installed(self.server, 'disk', 'compute2')
            self.assertEqual([], self.glance.fetched)
            self._reboot_server(self.server, hard=True)

    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('cold-migrate')
    def test_cold_migration(self):
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assert_moved()

    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('live-migrate')
    def test_live_migration(self):
        self._live_migrate(self.server)
        self.assert_moved()

    @pytest.mark.operation('after-unshelve')
    @pytest.mark.operation('evacuate', outcome='refused')
    def test_evacuation_does_not_start_the_installer(self):
        self.fail_host()
        self.fails(
            self.server,
            'evacuate',
            {},
            'compute_rebuild_instance',
            'failed host',
        )
        self.assertEqual([], self.glance.fetched)
        self.assert_installed(self.server, 'disk')
        self.repair_host()
        self._reboot_server(self.server, hard=True)
        self.assert_installed(self.server, 'disk')


class Notes(media_base.Medium):
    """A CD-ROM that is made on the host."""

    name = 'notes'

    def reference(self, server):
        return 'text'

    def contents(self, server, reference):
        def write(path):
            pathlib.Path(path).write_bytes(
                glance.iso_bytes() + server.uuid.encode().ljust(512)
            )

        return media_base.Generated('NOTES', write)


class GeneratedMediaTestCase(MovesMixin, base.ServersTestCase):
    """CD-ROMs that no image has are made anew where the server goes."""

    HOSTS = HOSTS
    SHARED_STORAGE = False

    @staticmethod
    def prepare(cloud):
        notes = importlib.metadata.EntryPoint(
            'notes', f'{__name__}:Notes', media.NAMESPACE
        )
        cloud.useFixture(
            fixtures.MonkeyPatch(
                'stevedore.ExtensionManager.ENTRY_POINT_CACHE',
                {media.NAMESPACE: [notes]},
            )
        )
        # Its hosts report it to Placement.
        cloud.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.media.installed', lambda: {'notes'}
            )
        )
        cloud.flags(media=['notes'], group='newos')

    def setUp(self):
        super().setUp()
        self.server = self.create(self.add_image())
        self.install(self.server)
        self.notes = self.content(self.server, 'disk.notes')
        self.assertIn(self.server['id'].encode(), self.notes)

    def assert_moved(self):
        self.assertEqual(
            [base.ROOT, base.ISO, ('disk.notes', 'cdrom', 'ide', 'hdb')],
            self.disks(self.server, 'compute2'),
        )
        self.assert_installed(self.server, host='compute2')
        path = self.directory(self.server, 'compute2') / 'disk.notes'
        self.assertEqual(self.notes, path.read_bytes())
        self._reboot_server(self.server, hard=True)
        self.assertEqual(self.notes, path.read_bytes())

    @pytest.mark.operation('cold-migrate')
    def test_cold_migration(self):
        """Nova would make a qcow2 of the raw CD-ROM."""
        self._migrate_server(self.server)
        self._confirm_resize(self.server)
        self.assert_moved()

    @pytest.mark.operation('live-migrate')
    def test_live_migration(self):
        """libvirt copies what a guest can write, so not the CD-ROM."""
        self._live_migrate(self.server)
        self.assert_moved()

    @pytest.mark.operation('lost-files')
    def test_hard_reboot_makes_it_again(self):
        path = self.directory(self.server) / 'disk.notes'
        path.unlink()
        self._reboot_server(self.server, hard=True)
        self.assertEqual(self.notes, path.read_bytes())
