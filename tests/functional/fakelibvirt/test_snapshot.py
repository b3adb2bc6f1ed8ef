# SPDX-License-Identifier: Apache-2.0
"""Golden images: the root disk, and a record that a stranger can boot."""

import hashlib
import json
import pathlib
import subprocess

from cryptography.hazmat.primitives.asymmetric import ed25519
import fixtures
import nova.conf
from nova.tests.functional.api import client
from oslo_utils.fixture import uuidsentinel as uuids
import pytest

from nova_newos.golden import base as golden_base
from nova_newos.golden import finishing
from nova_newos.golden import signature
from nova_newos.golden import verdict
from nova_newos.virt import snapshot
from tests.functional.fakelibvirt import base
from tests.functional.fakelibvirt import cloud

#: Where the header of a qcow2 has the place of its first table of clusters.
L1_TABLE_AT = 40


def compressed_clusters(path):
    """How many clusters of a qcow2 are compressed."""
    command = ('qemu-img', 'check', '-f', 'qcow2', '--output=json', path)
    return json.loads(subprocess.check_output(command))['compressed-clusters']


def spoil(path):
    """Have a qcow2 name a table of clusters that cannot be."""
    with open(path, 'r+b') as file:
        file.seek(L1_TABLE_AT)
        file.seek(int.from_bytes(file.read(8), 'big'))
        file.write((1 << 63 | 1 << 9).to_bytes(8, 'big'))


class SnapshotBase(base.ServersTestCase):
    def installed_server(self, properties=None, flavor=None, **fields):
        """An install server that was installed and is stopped."""
        drivers = self.add_image(is_public=True)
        self.iso = self.add_image(
            properties={
                'newos_virtio_image_id': drivers,
                'os_distro': 'debian',
                **(properties or {}),
            }
        )
        server = self.create(self.iso, flavor, **fields)
        self.install(server)
        self._stop_server(server)
        return server

    def take(self, server, action='createImage', api=None, **fields):
        """Have an image taken and wait for the end of it; returns its id."""
        response = (api or self.api).post_server_action(
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

    def images_of(self, name):
        """Ids of the images of that name."""
        return [
            image['id']
            for image in self.glance.images.values()
            if image['name'] == name
        ]

    def assert_golden(self, image, compression='zstd'):
        """An image holds what was installed, and says what it is.

        :param compression: that it was made with, or None
        """
        path = pathlib.Path(self.instances_path, 'golden')
        path.write_bytes(self.glance.bytes_of(image['id']))
        self._qemu_io(path, 'read')
        info = self.qemu_img_info(path)
        self.assertEqual(image['disk_format'], info['format'])
        self.assertNotIn('backing-filename', info)
        if compression:
            self.assertEqual('qcow2', info['format'])
            details = info['format-specific']['data']
            self.assertEqual(compression, details['compression-type'])
            self.assertGreater(compressed_clusters(path), 0)


class Marker(golden_base.Sealer):
    """A sealer that writes to the copy what no server wrote."""

    name = 'marker'

    def seal(self, disk, appliance):
        command = ('qemu-io', '-f', disk.format, '-c', 'write -P 0x53 1M 64k')
        subprocess.run([*command, disk.path], check=True, capture_output=True)
        return 'marked'


class SealedBase(SnapshotBase):
    """With a sealer and facts of the test's own; no appliance."""

    def setUp(self):
        super().setUp()
        self.flags(sealers=[], group='newos')
        finisher = finishing.Finisher(nova.conf.CONF)
        finisher._sealers.enabled = [Marker(None)]
        self.useFixture(
            fixtures.MockPatchObject(
                self.computes['compute1'].driver, '_finisher', finisher
            )
        )
        self.facts = dict.fromkeys(verdict.FACTS, verdict.TRUE)
        self.useFixture(
            fixtures.MockPatchObject(
                finishing.Finisher, '_inspect', lambda *_args: None
            )
        )
        self.useFixture(
            fixtures.MockPatchObject(
                verdict, 'facts', lambda _found: self.facts
            )
        )

    def sealed_server(self):
        return self.installed_server(metadata={'newos_seal': 'true'})

    def assert_sealed(self, server, image):
        """The image is marked, and the server's own disk is not."""
        properties = image['properties']
        self.assertEqual('marked', properties['seal_marker'])
        self.assertEqual('true', properties['verdict_cloud_init'])
        self.assert_golden(image)
        golden = pathlib.Path(self.instances_path, 'golden')
        self._qemu_io(golden, 'read', '0x53', at='1M')
        root = self.directory(server) / 'disk.newos'
        self._qemu_io(root, 'read', '0', at='1M')
        self.assertEqual([], self.temporary_files())

    def temporary_files(self):
        return list(pathlib.Path(self.instances_path, 'snapshots').iterdir())


class SealedTestCase(SealedBase):
    @pytest.mark.operation('snapshot-cold')
    def test_stopped(self):
        server = self.sealed_server()
        self.assert_sealed(server, self.golden_image(server))

    @pytest.mark.operation('snapshot-live')
    def test_running(self):
        server = self.sealed_server()
        self._start_server(server)
        self.assert_sealed(server, self.golden_image(server))

    @pytest.mark.operation('snapshot-cold', outcome='refused')
    def test_refused(self):
        self.flags(refuse=['cloud_init'], group='newos')
        self.facts['cloud_init'] = verdict.UNKNOWN
        server = self.sealed_server()
        self.fails(
            server,
            'createImage',
            {'name': 'golden'},
            'compute_capture_root_disk',
            'cloud_init=unknown',
        )
        self.assertEqual([], self.images_of('golden'))
        self.assertEqual([], self.temporary_files())

    @pytest.mark.operation('backup')
    def test_backup_is_not_sealed(self):
        self.flags(refuse=['cloud_init'], group='newos')
        image = self.golden_image(
            self.sealed_server(),
            'createBackup',
            backup_type='daily',
            rotation=1,
        )
        self.assertNotIn('seal_marker', image['properties'])
        self.assertEqual('true', image['properties']['verdict_cloud_init'])
        self.assert_golden(image)

    def test_backup_of_what_the_operator_refuses(self):
        """Its owner can make servers of it."""
        self.flags(refuse=['cloud_init'], group='newos')
        self.facts['cloud_init'] = verdict.FALSE
        server = self.installed_server()
        self.fails(
            server,
            'createBackup',
            {'name': 'golden', 'backup_type': 'daily', 'rotation': 1},
            'compute_capture_root_disk',
            'cloud_init=false',
        )
        self.assertEqual([], self.images_of('golden'))
        self.assertEqual([], self.temporary_files())

    @pytest.mark.operation('create')
    def test_image_of_a_server_from_it_claims_nothing(self):
        """What is known of one image is not known of another."""
        golden = self.golden_image(self.sealed_server())
        self.assertEqual('marked', golden['properties']['seal_marker'])
        other = self.golden_image(self.create(golden['id']))
        self.assertEqual(
            [],
            [
                name
                for name in other['properties']
                if name.startswith(('seal_', 'verdict_', 'provenance_'))
            ],
        )
        self.assertEqual('debian', other['properties']['os_distro'])
        self.assertEqual(golden['id'], other['properties']['base_image_ref'])


class FlatSealedTestCase(SealedBase):
    IMAGES_TYPE = 'flat'

    test_stopped = SealedTestCase.test_stopped
    test_running = SealedTestCase.test_running


class SignedTestCase(SealedBase):
    def setUp(self):
        super().setUp()
        self.key = ed25519.Ed25519PrivateKey.generate()
        driver = self.computes['compute1'].driver
        self.useFixture(
            fixtures.MockPatchObject(
                driver,
                '_image_api',
                snapshot.SigningImageAPI(
                    driver._image_api, signature.Signer(self.key)
                ),
            )
        )

    def assert_signed(self, image):
        """What is signed is what Glance has; returns its properties."""
        properties = image['properties']
        envelope = signature.read(properties)
        self.assertTrue(envelope.is_signed_by(self.key.public_key()))
        said = envelope.statement()
        self.assertEqual(image['id'], said.image_id)
        digest = hashlib.sha512(self.glance.bytes_of(image['id'])).hexdigest()
        self.assertEqual(digest, said.digest)
        self.assertEqual(said.properties, signature.vouched(properties))
        return said.properties

    @pytest.mark.operation('snapshot-cold')
    def test_sealed(self):
        server = self.sealed_server()
        image = self.golden_image(server)
        self.assert_sealed(server, image)
        self.assertEqual('marked', self.assert_signed(image)['seal_marker'])

        # Of a server that is made from it.
        other = self.golden_image(self.create(image['id']))
        self.assertIsNone(signature.read(other['properties']))

    @pytest.mark.operation('snapshot-live')
    def test_running_and_left_to_nova(self):
        self.flags(capture_compression='none', group='newos')
        server = self.installed_server()
        self._start_server(server)
        image = self.golden_image(server)
        self.assert_golden(image, compression=None)
        self.assertEqual(
            server['id'], self.assert_signed(image)['provenance_server']
        )


class SnapshotTestCase(SnapshotBase):
    @pytest.mark.operation('snapshot-cold')
    def test_root_disk_is_taken(self):
        self.assert_golden(self.golden_image(self.installed_server()))

    @pytest.mark.operation('snapshot-live')
    def test_root_disk_of_a_running_server(self):
        server = self.installed_server()
        self._start_server(server)
        self.assert_golden(self.golden_image(server))

    @pytest.mark.operation('snapshot-cold')
    def test_zlib(self):
        self.flags(capture_compression='zlib', group='newos')
        image = self.golden_image(self.installed_server())
        self.assert_golden(image, 'zlib')

    @pytest.mark.operation('snapshot-cold')
    def test_provenance(self):
        image = self.golden_image(self.installed_server())
        found = {
            name.removeprefix('provenance_'): value
            for name, value in image['properties'].items()
            if name.startswith('provenance_')
        }
        digest = hashlib.sha512(self.glance.bytes_of(self.iso)).hexdigest()
        self.assertEqual(self.iso, found['iso'])
        self.assertEqual(f'sha512:{digest}', found['iso_hash'])
        self.assertIn(found['virtio'], self.glance.images)
        self.assertLessEqual(found['started'], found['captured'])

    @pytest.mark.operation('snapshot-cold')
    def test_provenance_of_what_is_gone(self):
        server = self.installed_server()
        self.glance.delete(self.admin_context(), self.iso)
        image = self.golden_image(server)
        self.assertEqual(self.iso, image['properties']['provenance_iso'])
        self.assertNotIn('provenance_iso_hash', image['properties'])

    @pytest.mark.operation('snapshot-cold', outcome='refused')
    def test_unreadable_root_disk(self):
        """No half image, and what there is stays."""
        server = self.installed_server()
        root = self.directory(server) / 'disk.newos'
        content = root.read_bytes()
        spoil(root)
        self.fails(
            server,
            'createImage',
            {'name': 'golden'},
            'compute_capture_root_disk',
            'no image could be made of the root disk',
        )
        self.assertEqual([], self.images_of('golden'))
        root.write_bytes(content)
        self.assert_golden(self.golden_image(server))

    @pytest.mark.operation('snapshot-cold')
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

    @pytest.mark.operation('snapshot-cold')
    @pytest.mark.operation('snapshot-by-admin')
    def test_by_an_administrator(self):
        """The server is another project's."""
        server = self.installed_server()
        admin = client.TestOpenStackClient(
            'admin',
            self.api_fixture.base_url,
            project_id=uuids.project,
            roles=['admin'],
        )
        admin.microversion = cloud.MICROVERSION
        self.assertNotEqual(uuids.project, self.instance(server).project_id)
        image = self.golden_image(server, api=admin)
        self.assert_golden(image)
        self.assertNotIn('newos_layout', image['properties'])

    @pytest.mark.operation('create')
    def test_server_from_it_is_ordinary(self):
        image = self.golden_image(self.installed_server())
        server = self.create(image['id'])
        self.assertEqual([base.STOCK_ROOT], self.disks(server))
        self.assertEqual(['hd'], self.boot_order(server))
        self.assertIsNone(self.layout_of(server))
        self.assert_installed(server, 'disk')

    @pytest.mark.operation('backup')
    def test_backups_with_rotation(self):
        server = self.installed_server()
        taken = [
            self.golden_image(
                server, 'createBackup', backup_type='daily', rotation=2
            )
            for _day in range(3)
        ]
        for image in taken:
            self.assert_golden(image)
            self.assertEqual('backup', image['properties']['image_type'])
        self.assertNotIn(taken[0]['id'], self.glance.images)
        for image in taken[1:]:
            self.assertIn(image['id'], self.glance.images)

    @pytest.mark.operation('snapshot-live')
    def test_of_a_resized_server(self):
        """The record says the size that the disk has now."""
        self.flags(allow_resize_to_same_host=True)
        server = self.installed_server()
        self._start_server(server)
        self._resize_server(server, self.add_flavor(disk=2))
        self._confirm_resize(server)
        image = self.golden_image(server)
        self.assertEqual(2, image['min_disk'])

    @pytest.mark.operation('snapshot-cold', outcome='refused')
    def test_wrong_first_disk_is_refused(self):
        """libvirt sorts the disks of a bus; what is first is checked."""
        server = self.installed_server()
        self.domain(server)._disks.reverse()
        image = self.take(server)
        self.assertNotIn(image, self.glance.images)


class FlatSnapshotTestCase(SnapshotBase):
    IMAGES_TYPE = 'flat'

    test_root_disk_is_taken = SnapshotTestCase.test_root_disk_is_taken
    test_root_disk_of_a_running_server = (
        SnapshotTestCase.test_root_disk_of_a_running_server
    )
    test_backups_with_rotation = SnapshotTestCase.test_backups_with_rotation

    @pytest.mark.operation('snapshot-cold', images_type='flat')
    def test_left_to_nova(self):
        self.flags(capture_compression='none', group='newos')
        image = self.golden_image(self.installed_server())
        self.assertEqual('raw', image['disk_format'])
        self.assert_golden(image, compression=None)
