# SPDX-License-Identifier: Apache-2.0

import types
from unittest import mock

import ddt
from openstack import exceptions

from nova_newos.golden import exception
from nova_newos.golden import signature
from nova_newos.golden import signing_keys
from nova_newos.registry import verification
from tests.unit import base
from tests.unit.golden import signed

OK, GONE, WRONG = verification.State


def trust(*trusted, revoked=()):
    def ids(private_keys):
        return {
            signing_keys.key_id(key.public_key()): key.public_key()
            for key in private_keys
        }

    return signing_keys.Trust(ids(trusted), frozenset(ids(revoked)))


class Image(types.SimpleNamespace):
    """As openstacksdk has it."""

    def __init__(self, image_id, **fields):
        super().__init__(
            **{
                'id': image_id,
                'properties': {},
                'status': 'active',
                'hash_algo': 'sha512',
                **fields,
            }
        )


class Cloud:
    """What verification asks of openstacksdk.

    :ivar images: by id
    :ivar data: what is downloaded
    """

    def __init__(self):
        self.images = {
            signed.ISO: Image(signed.ISO, hash_value='aa' * 64),
            signed.DRIVERS: Image(signed.DRIVERS, hash_value='bb' * 64),
        }
        self.data = signed.BYTES
        self.status = 200
        self.image = mock.Mock(spec_set=['get_image', 'download_image'])
        self.image.get_image.side_effect = self._get
        self.image.download_image.side_effect = self._download

    def _get(self, image_id):
        found = self.images.get(image_id)
        if found is None:
            raise exceptions.NotFoundException()
        if isinstance(found, Exception):
            raise found
        return found

    def _download(self, _image_id, stream):
        assert stream
        response = mock.MagicMock(status_code=self.status, headers={})
        response.__enter__.return_value = response
        response.iter_content.return_value = [self.data[:5], self.data[5:]]
        return response


class VerificationTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.key = signed.key()
        self.cloud = Cloud()
        self.image = self.signed_image()

    def signed_image(self, image_id=signed.IMAGE, data=signed.BYTES, **more):
        """What a host has uploaded."""
        return Image(
            image_id,
            properties=signed.properties(self.key, image_id, data, **more),
            hash_value=signature.digest([data]),
        )

    def verify(self, image=None, trusted=None, **options):
        """Facts by name."""
        facts = verification.verify(
            self.cloud,
            image or self.image,
            trusted or trust(self.key),
            **options,
        )
        found = {fact.name: fact for fact in facts}
        self.assertEqual(len(facts), len(found))
        self.assertEqual(
            WRONG not in {fact.state for fact in facts},
            verification.is_as_signed(facts),
        )
        return found

    def assertWrong(self, *names, **options):
        """These are wrong, and nothing else."""
        found = self.verify(**options)
        self.assertEqual(
            {*names}, {n for n, fact in found.items() if fact.state is WRONG}
        )
        return ' '.join(found[name].detail for name in names)


@ddt.ddt
class VerifyTest(VerificationTestCase):
    def test_as_signed(self):
        found = self.verify()
        self.assertEqual(
            [
                'signature',
                'image',
                'bytes',
                'properties',
                'iso',
                'virtio',
            ],
            list(found),
        )
        self.assertEqual({OK}, {fact.state for fact in found.values()})
        self.assertIn(
            self.image.properties['golden_signature_key'],
            found['signature'].detail,
        )
        self.cloud.image.download_image.assert_not_called()

    def test_property_that_nobody_vouches_for(self):
        """What a user may want to change."""
        self.image.properties |= {'os_distro': 'rocky', 'hw_disk_bus': 'x'}
        self.image.properties['golden_family'] = 'x'
        self.assertWrong()

    def test_downloaded(self):
        found = self.verify(download=True)
        self.assertIn('downloaded', found['bytes'].detail)
        self.assertIs(OK, found['bytes'].state)

    def test_glance_has_another_digest(self):
        """Its operator has chosen another algorithm."""
        self.image.hash_algo, self.image.hash_value = 'sha256', 'cc'
        self.assertIn('downloaded', self.assertWrong('bytes'))
        self.assertWrong(download=True)

    def test_medium_is_gone(self):
        """The image is none the worse for it."""
        del self.cloud.images[signed.ISO]
        self.cloud.images[signed.DRIVERS] = exceptions.ForbiddenException()
        found = self.verify()
        self.assertEqual(
            (GONE, GONE),
            (found['iso'].state, found['virtio'].state),
        )

    def test_medium_without_a_digest(self):
        known = {
            n: v for n, v in signed.KNOWN.items() if n != 'provenance_iso_hash'
        }
        signer = signature.Signer(self.key)
        self.image.properties = known | signer.sign(
            signed.IMAGE, self.image.hash_value, known
        )
        self.assertIs(GONE, self.verify()['iso'].state)


@ddt.ddt
class KeysTest(VerificationTestCase):
    def test_several(self):
        """Of several hosts, or from before and after a rotation."""
        other = signed.key()
        both = trust(self.key, other)
        self.assertWrong(trusted=both)
        self.key = other
        self.assertWrong(image=self.signed_image(), trusted=both)

    def test_not_trusted(self):
        detail = self.assertWrong('signature', trusted=trust(signed.key()))
        self.assertIn('not trusted', detail)

    def test_revoked(self):
        detail = self.assertWrong(
            'signature', trusted=trust(revoked=[self.key])
        )
        self.assertIn('revoked', detail)


@ddt.ddt
class ForgeryTest(VerificationTestCase):
    """What the owner of an image can do to it."""

    def test_signature_is_removed(self):
        self.image.properties = {**signed.KNOWN}
        self.assertIn('not signed', self.assertWrong('signature'))

    @ddt.data(
        'golden_signature',
        'golden_signature_key',
        'golden_statement_1',
        'golden_statement_3',
    )
    def test_part_of_the_signature_is_removed(self, name):
        del self.image.properties[name]
        self.assertIn(name, self.assertWrong('signature'))

    def test_edited(self):
        self.image.properties['verdict_boot_loader'] = 'true'
        self.assertEqual(
            "signed 'false', changed to 'true'",
            self.assertWrong('verdict_boot_loader'),
        )

    def test_removed(self):
        del self.image.properties['seal_sysprep']
        self.assertEqual(
            "signed 'done', and removed", self.assertWrong('seal_sysprep')
        )

    def test_added(self):
        self.image.properties['verdict_cloud_init'] = 'true'
        self.assertEqual(
            "not signed, and added: 'true'",
            self.assertWrong('verdict_cloud_init'),
        )

    def test_several_edits_are_told_each(self):
        self.image.properties['verdict_boot_loader'] = 'true'
        self.image.properties['provenance_iso'] = signed.OTHER
        del self.image.properties['provenance_server']
        self.assertWrong(
            'verdict_boot_loader', 'provenance_iso', 'provenance_server'
        )

    def test_self_is_edited(self):
        self.image.properties['golden_self'] = signed.OTHER
        self.assertWrong('golden_self')

    def test_copied_onto_other_bytes(self):
        """The properties of a good image on one of the owner's."""
        other = Image(
            signed.OTHER,
            properties=self.image.properties,
            hash_value=signature.digest([b'malware']),
        )
        detail = self.assertWrong('image', 'bytes', image=other)
        self.assertIn(f'{signed.IMAGE} was signed', detail)

    def test_copied_with_the_bytes(self):
        other = Image(
            signed.OTHER,
            properties={**self.image.properties, 'golden_self': signed.OTHER},
            hash_value=self.image.hash_value,
        )
        self.assertWrong('image', 'golden_self', image=other)

    def test_swapped(self):
        """Between two images that were both signed."""
        other = self.signed_image(signed.OTHER, b'other', verdict_os='x')
        self.image.properties, other.properties = (
            other.properties,
            self.image.properties,
        )
        for image in (self.image, other):
            self.assertWrong('image', 'bytes', image=image)

    def test_signature_alone_is_swapped(self):
        other = self.signed_image(signed.OTHER, b'other')
        name = 'golden_signature'
        self.image.properties[name] = other.properties[name]
        self.assertIn('was changed', self.assertWrong('signature'))

    def test_replayed_on_a_snapshot_of_a_server(self):
        """By a Nova that copies all properties of the server's image."""
        snapshot = Image(
            signed.OTHER,
            properties={
                **self.image.properties,
                'base_image_ref': signed.IMAGE,
                'image_type': 'snapshot',
            },
            hash_value=signature.digest([b'what the server made of it']),
        )
        self.assertWrong('image', 'bytes', image=snapshot)

    def test_signed_by_the_owner(self):
        """With a key of the owner's, under its own name."""
        owner = signed.key()
        self.image.properties = signed.properties(
            owner, verdict_boot_loader='true'
        )
        self.assertIn('not trusted', self.assertWrong('signature'))

    def test_signed_by_the_owner_in_the_name_of_the_host(self):
        self.image.properties = {
            **signed.properties(signed.key(), verdict_boot_loader='true'),
            'golden_signature_key': signing_keys.key_id(self.key.public_key()),
        }
        self.assertIn('was changed', self.assertWrong('signature'))

    def test_downgraded_key(self):
        """To another one that is trusted, and one that was."""
        other, old = signed.key(), signed.key()
        trusted = trust(self.key, other, revoked=[old])
        for key, reason in ((other, 'was changed'), (old, 'revoked')):
            self.image.properties['golden_signature_key'] = (
                signing_keys.key_id(key.public_key())
            )
            self.assertIn(
                reason, self.assertWrong('signature', trusted=trusted)
            )

    def test_bytes_that_are_downloaded(self):
        """Glance's store was changed below it."""
        self.cloud.data = b'other bytes'
        self.assertWrong()
        self.assertIn('downloaded', self.assertWrong('bytes', download=True))

    def test_download_fails(self):
        self.cloud.status = 403
        with self.assertRaises(exceptions.HttpException):
            self.verify(download=True)

    def test_no_bytes(self):
        self.image.hash_algo = self.image.hash_value = None
        self.image.status = 'queued'
        self.assertIn('queued', self.assertWrong('bytes', download=True))

    def test_other_iso(self):
        self.cloud.images[signed.ISO].hash_value = 'cc' * 64
        self.assertIn('cc', self.assertWrong('iso'))

    def test_statement_of_another_version(self):
        """From a host with a later release, whose key is trusted."""
        with mock.patch.object(signature, '_BUILD_TYPE', 'another'):
            self.image = self.signed_image()
        self.assertIn('version', self.assertWrong('signature'))


class AttestTest(VerificationTestCase):
    def test_envelope(self):
        self.assertEqual(
            signature.read(self.image.properties).dsse(),
            verification.attest(self.image),
        )

    def refused(self, reason):
        with self.assertRaisesRegex(exception.NotAttestable, reason):
            verification.attest(self.image)

    def test_not_signed(self):
        self.image.properties = {**signed.KNOWN}
        self.refused('it is not signed')

    def test_copy(self):
        self.image.id = signed.OTHER
        self.refused(f'about {signed.IMAGE}')

    def test_spoilt(self):
        self.image.properties['golden_statement_1'] = 'AAAA'
        self.refused('spoilt')
