# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
from unittest import mock

import fixtures
import nova.privsep.qemu

from nova_newos.golden import exception
from nova_newos.golden import signature
from nova_newos.virt import snapshot
from tests.unit.golden import signed
from tests.unit.virt import driver_base
from tests.unit.virt import fakes
from tests.unit.virt import snapshot_base


class SignedTest(snapshot_base.SnapshotTestCase):
    """What comes with the upload, as Nova does that."""

    BYTES = bytes(3 * 2**20) + b'the end'

    def setUp(self):
        super().setUp()
        self.key = signed.key()
        self.driver._image_api = snapshot.SigningImageAPI(
            self.glance, signature.Signer(self.key)
        )
        self.stock_snapshot.side_effect = self.take_and_upload
        self.sent = None

    def take_and_upload(self, made, context, *args):
        self.take(made, context, *args)
        before = json.dumps(self.uploaded)
        self.glance.update.side_effect = self.receive
        with open(self.target, 'w+b') as file:
            file.write(self.BYTES)
            file.seek(0)
            made._image_api.update(context, fakes.OTHER, self.uploaded, file)
        # Nova's own is not changed.
        self.assertEqual(before, json.dumps(self.uploaded))

    def receive(self, _context, image_id, info, data):
        self.assertEqual(fakes.OTHER, image_id)
        self.assertEqual(self.BYTES, data.read())
        self.sent = info['properties']

    def statement(self):
        envelope = signature.read(self.sent)
        self.assertTrue(envelope.is_signed_by(self.key.public_key()))
        return envelope.statement()

    def test_signed(self):
        self.snapshot()
        found = self.statement()
        self.assertEqual(fakes.OTHER, found.image_id)
        self.assertEqual(hashlib.sha512(self.BYTES).hexdigest(), found.digest)
        self.assertEqual(fakes.ISO, found.properties['provenance_iso'])
        self.assertEqual({**found.properties}, signature.vouched(self.sent))
        # In no request of its own.
        self.assertEqual(2, self.glance.update.call_count)

    def test_what_was_found_is_signed_too(self):
        self.driver._finisher = mock.Mock(spec_set=['finish'])
        self.driver._finisher.finish.return_value = {
            'verdict_boot_loader': 'true'
        }
        self.snapshot(self.sealed())
        self.assertEqual(
            'true', self.statement().properties['verdict_boot_loader']
        )

    def test_left_to_nova(self):
        """It makes the file; what is uploaded is signed all the same."""
        self.flags('newos', capture_compression='none')
        self.is_live = True
        self.snapshot()
        self.assertEqual(
            hashlib.sha512(self.BYTES).hexdigest(), self.statement().digest
        )

    def test_ordinary_server(self):
        self.patch(nova.virt.images, 'convert_image')
        self.snapshot(fakes.server(fakes.image_dict('qcow2')))
        self.assertEqual(self.uploaded['properties'], self.sent)

    def test_what_an_image_of_the_server_was_signed_with(self):
        """Nova copies it to the record of the next image."""
        stale = signed.properties(signed.key())
        self.glance.get.return_value['properties'] |= stale
        self.snapshot()
        self.assertEqual(fakes.OTHER, self.statement().image_id)
        record = self.glance.update.mock_calls[0].args[2]['properties']
        self.assertEqual(
            {'os_type', 'os_distro'}, {*record}, 'nothing that was claimed'
        )


class KeyTest(driver_base.DriverTestCase):
    def test_signing_key(self):
        directory = self.useFixture(fixtures.TempDir()).path
        path = signed.write(
            directory, 'key.pem', signed.private_pem(signed.key())
        )
        self.flags('newos', signing_key=str(path))
        stock = self.driver._image_api
        with mock.patch.object(driver_base.stock.LibvirtDriver, 'init_host'):
            self.driver.init_host('host')
        self.assertIsInstance(self.driver._image_api, snapshot.SigningImageAPI)
        self.assertIs(stock.get, self.driver._image_api.get)

    def test_signing_key_that_others_can_read(self):
        directory = self.useFixture(fixtures.TempDir()).path
        path = signed.write(
            directory, 'key.pem', signed.private_pem(signed.key()), 0o644
        )
        self.flags('newos', signing_key=str(path))
        with self.assertRaises(exception.SigningKeyUnusable):
            self.driver.init_host('host')
