# SPDX-License-Identifier: Apache-2.0

import base64
import json
import os
import zlib

from cryptography.hazmat.primitives.asymmetric import ed25519
import ddt
from securesystemslib import dsse
from securesystemslib import exceptions as securesystemslib_exceptions
from securesystemslib.signer import SSlibKey

from nova_newos.golden import exception
from nova_newos.golden import provenance
from nova_newos.golden import signature
from nova_newos.golden import signing_keys
from tests.unit import base
from tests.unit.golden import signed


class SignatureTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.key = signed.key()
        self.properties = signed.properties(self.key)

    def deflated(self, payload):
        """Properties with another statement in place of theirs."""
        text = base64.b64encode(zlib.compress(payload, 9)).decode()
        count = -(-len(text) // 255)
        kept = {
            name: value
            for name, value in self.properties.items()
            if not name.startswith(signature.PIECE)
        }
        return kept | {
            name: text[255 * number :][:255]
            for number, name in enumerate(signature.names(count))
        }

    def payload(self):
        return signature.read(self.properties).payload


class SignTest(SignatureTestCase):
    def test_what_is_said(self):
        envelope = signature.read(self.properties)
        self.assertTrue(envelope.is_signed_by(self.key.public_key()))
        self.assertEqual(
            signing_keys.key_id(self.key.public_key()), envelope.key_id
        )
        statement = envelope.statement()
        self.assertEqual(signed.IMAGE, statement.image_id)
        self.assertEqual(signature.digest([signed.BYTES]), statement.digest)
        self.assertEqual(
            {**signed.KNOWN, 'golden_self': signed.IMAGE},
            statement.properties,
        )
        self.assertEqual(
            {
                'provenance_iso': (signed.ISO, 'sha512:' + 'aa' * 64),
                'provenance_virtio': (signed.DRIVERS, 'sha512:' + 'bb' * 64),
            },
            statement.media,
        )

    def test_servers_from_it(self):
        """Nova cuts values that it copies after 255 bytes."""
        self.assertLessEqual(
            max(map(len, self.properties.values())), provenance.MAX_LENGTH
        )

    def test_iso_without_a_digest(self):
        known = {**signed.KNOWN}
        del known['provenance_iso_hash']
        found = signature.Signer(self.key).sign(signed.IMAGE, 'ab', known)
        statement = signature.read(found).statement()
        self.assertEqual((signed.ISO, None), statement.media['provenance_iso'])

    def test_too_much_to_say(self):
        """Rather no image than one of which only half is signed."""
        many = {
            f'provenance_medium{number}': os.urandom(64).hex()
            for number in range(100)
        }
        with self.assertRaises(exception.StatementTooLong):
            signed.properties(self.key, **many)

    def test_room_for_more(self):
        """For media and sealers of others, beside all that are ours."""
        more = {
            f'provenance_medium{number}{end}': value
            for number in range(3)
            for end, value in (
                ('', signed.OTHER),
                ('_hash', 'sha512:' + os.urandom(64).hex()),
            )
        }
        found = signed.properties(
            self.key, seal_a='a' * 100, seal_b=os.urandom(50).hex(), **more
        )
        self.assertIsNotNone(signature.read(found))


class KnownAnswerTest(base.TestCase):
    """What is signed stays what it was, in each release."""

    #: Of RFC 8032, section 7.1, TEST 1.
    SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'

    def test_signature(self):
        key = ed25519.Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex(self.SEED)
        )
        found = signed.properties(key)
        self.assertEqual(
            'E6ERRnyXJQWVQgdZmvhnTe+B0GZanL+wTw4O1I1eAS/6'
            '6aGMSGI27Vwu85DPazHTrf0O5IOY9OHRxBKd6CPNAg==',
            found['golden_signature'],
        )


@ddt.ddt
class ReadTest(SignatureTestCase):
    """Of what an owner may have written."""

    def unreadable(self, properties, reason):
        with self.assertRaisesRegex(exception.SignatureUnreadable, reason):
            signature.read(properties)

    def test_not_signed(self):
        self.assertIsNone(signature.read(signed.KNOWN))

    @ddt.data(
        'golden_signature',
        'golden_signature_key',
        'golden_statement_1',
        'golden_statement_2',
    )
    def test_missing(self, name):
        del self.properties[name]
        self.unreadable(self.properties, f'{name} is missing')

    def test_all_pieces_are_missing(self):
        for name in signature.names():
            self.properties.pop(name, None)
        self.unreadable(self.properties, 'golden_statement_1 is missing')

    @ddt.data('golden_statement_x', 'golden_statement_99', 'golden_statement')
    def test_piece_too_many(self, name):
        self.unreadable({**self.properties, name: 'AA=='}, 'is missing')

    @ddt.data('\x1b[2J', 'a', '', 'é', 'AAAA', '=' * 4)
    def test_spoilt_piece(self, value):
        self.unreadable(
            {**self.properties, 'golden_statement_1': value}, 'spoilt'
        )

    def test_spoilt_signature(self):
        self.unreadable(
            {**self.properties, 'golden_signature': 'no base64!'}, 'spoilt'
        )

    def test_bomb(self):
        """A thousand times as much as it takes in Glance."""
        self.unreadable(self.deflated(bytes(10**6)), 'spoilt')

    def test_more_than_a_statement(self):
        text = base64.b64encode(zlib.compress(b'{}') + b'more').decode()
        for name in signature.names():
            self.properties.pop(name, None)
        self.unreadable(
            {**self.properties, 'golden_statement_1': text}, 'spoilt'
        )

    @ddt.data(
        b'',
        b'{',
        b'[]',
        b'{"subject": [1]}',
        b'{"subject": []}',
        b'\xff',
        b'[' * 60000,
        b'{"predicate": {"buildDefinition": 1}, "subject": [{}]}',
    )
    def test_no_statement(self, payload):
        envelope = signature.read(self.deflated(payload))
        with self.assertRaises(exception.SignatureUnreadable):
            envelope.statement()

    def test_of_another_version(self):
        payload = self.payload().replace(b'image/v1', b'image/v2')
        envelope = signature.read(self.deflated(payload))
        with self.assertRaisesRegex(
            exception.SignatureUnreadable, 'another version'
        ):
            envelope.statement()

    def test_another_statement(self):
        payload = self.payload().replace(b'false', b'true')
        envelope = signature.read(self.deflated(payload))
        self.assertFalse(envelope.is_signed_by(self.key.public_key()))

    def test_another_key(self):
        envelope = signature.read(self.properties)
        self.assertFalse(envelope.is_signed_by(signed.key().public_key()))

    @ddt.data('', 'AAAA', 'A' * 88)
    def test_no_signature(self, value):
        self.properties['golden_signature'] = value
        envelope = signature.read(self.properties)
        self.assertFalse(envelope.is_signed_by(self.key.public_key()))


class PublicToolTest(SignatureTestCase):
    """What securesystemslib, of in-toto and TUF, makes of it."""

    def verify(self, key):
        envelope = signature.read(self.properties)
        # As it comes out of a file.
        found = dsse.Envelope.from_dict(
            json.loads(json.dumps(envelope.dsse()))
        )
        public = SSlibKey.from_crypto(
            key.public_key(), keyid=signing_keys.key_id(self.key.public_key())
        )
        found.verify([public], 1)
        return found

    def test_verified(self):
        found = self.verify(self.key)
        self.assertEqual('application/vnd.in-toto+json', found.payload_type)
        statement = json.loads(found.payload)
        self.assertEqual('https://in-toto.io/Statement/v1', statement['_type'])
        [subject] = statement['subject']
        self.assertEqual(
            (signed.IMAGE, {'sha512': signature.digest([signed.BYTES])}),
            (subject['name'], subject['digest']),
        )
        self.assertEqual(
            'https://slsa.dev/provenance/v1', statement['predicateType']
        )
        build = statement['predicate']['buildDefinition']
        self.assertEqual(
            [
                ('provenance_iso', {'sha512': 'aa' * 64}),
                ('provenance_virtio', {'sha512': 'bb' * 64}),
            ],
            [
                (each['name'], each['digest'])
                for each in build['resolvedDependencies']
            ],
        )

    def test_another_key(self):
        with self.assertRaises(securesystemslib_exceptions.VerificationError):
            self.verify(signed.key())
