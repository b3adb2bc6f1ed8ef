# SPDX-License-Identifier: Apache-2.0
"""Bad input is the server's fault, and leaves nothing behind."""

import base64
import pathlib
import subprocess

import fixtures
from oslo_utils import units
from oslo_utils.fixture import uuidsentinel as uuids
import pytest

from tests.functional.fakelibvirt import base
from tests.functional.fakelibvirt import libvirtd
from tests.unit.media.answers import samples


class RefusalsTestCase(base.ServersTestCase):
    def refused(
        self, *texts, flavor=None, properties=None, image=None, **fields
    ):
        """Create a server that is refused, and look for leftovers.

        :param texts: what its fault has to say
        """
        image = image or self.add_image(properties=properties or {})
        server = self.create(image, flavor, state='ERROR', **fields)
        for text in texts:
            self.assertIn(text, server['fault']['message'])
        self.assertFalse(self.directory(server).exists())
        connection = self.computes['compute1'].driver._host.get_connection()
        self.assertNotIn(server['id'], connection.defined)
        return server

    def test_no_size(self):
        self.refused(
            'no size for the root disk',
            'newos_root_disk_size',
            flavor=self.add_flavor(disk=0),
        )

    def test_size_above_the_flavor(self):
        self.refused(
            'newos_root_disk_size=5',
            'larger than',
            '1 GiB',
            properties={'newos_root_disk_size': '5'},
        )

    def test_size_is_no_number(self):
        self.refused(
            'newos_root_disk_size',
            'whole number',
            properties={'newos_root_disk_size': '5 GB'},
        )

    def test_install_is_no_boolean(self):
        self.refused(
            'newos_install',
            'true or false',
            properties={'newos_install': 'perhaps'},
        )

    def test_broken_answers(self):
        data = samples.AUTOYAST[:-4]
        self.refused(
            'AutoYaST profile',
            'line 8',
            user_data=base64.b64encode(data).decode(),
        )

    def test_hostile_answers(self):
        data = samples.tar(('ks.cfg', b''), ('../../../outside', b''))
        self.refused(
            '../../../outside',
            'relative paths',
            user_data=base64.b64encode(data).decode(),
        )

    def test_driver_iso_is_no_uuid(self):
        self.refused(
            'newos_virtio_image_id',
            'UUID',
            properties={
                'newos_virtio_image_id': 'http://glance.example/v2/images/x'
            },
        )

    def test_driver_iso_does_not_exist(self):
        self.refused(
            uuids.drivers,
            'does not exist',
            properties={'newos_virtio_image_id': uuids.drivers},
        )

    def test_driver_iso_is_deleted(self):
        drivers = self.add_image(status='deleted', is_public=True)
        self.refused(
            drivers,
            'not active',
            properties={'newos_virtio_image_id': drivers},
        )

    def test_driver_iso_is_no_iso(self):
        drivers = self.add_disk_image(is_public=True)
        self.refused(
            drivers,
            'raw, not iso',
            properties={'newos_virtio_image_id': drivers},
        )

    def test_iso_that_is_a_qcow2(self):
        forged = pathlib.Path(self.instances_path, 'forged')
        subprocess.check_call(
            ['qemu-img', 'create', '-q', '-f', 'qcow2', forged, str(units.Mi)]
        )
        image = self.add_image(data=forged.read_bytes())
        self.refused(image, image=image)

    @pytest.mark.operation('bus-refusals', outcome='refused')
    def test_too_many_cdroms(self):
        drivers = self.add_image(is_public=True)
        self.refused(
            'do not fit',
            'hw_cdrom_bus',
            config_drive=True,
            flavor=self.add_flavor(ephemeral=1, swap=64),
            properties={
                'newos_virtio_image_id': drivers,
                'hw_disk_bus': 'ide',
                'hw_cdrom_bus': 'ide',
            },
        )

    @pytest.mark.operation('bus-refusals', outcome='refused')
    def test_no_ide_on_q35(self):
        self.refused(
            'q35',
            'ide',
            'hw_cdrom_bus',
            properties={'hw_machine_type': 'q35', 'hw_cdrom_bus': 'ide'},
        )

    def test_a_failed_start_leaves_nothing(self):
        with fixtures.MonkeyPatch(
            'tests.functional.fakelibvirt.libvirtd.Domain.createWithFlags',
            lambda domain, flags: libvirtd.refuse('no such machine'),
        ):
            server = self.create(self.add_image(), state='ERROR')
        self.assertFalse(self.directory(server).exists())
        self.assertIsNone(self.layout_of(server))
