# SPDX-License-Identifier: Apache-2.0

import pathlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
import ddt
import fixtures

from nova_newos.golden import exception
from nova_newos.golden import signing_keys
from tests.unit import base
from tests.unit.golden import signed


class KeysTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, name, content, mode=0o640):
        return signed.write(self.directory, name, content, mode)


@ddt.ddt
class PrivateTest(KeysTestCase):
    def refused(self, path):
        with self.assertRaises(exception.SigningKeyUnusable) as caught:
            signing_keys.load_private(str(path))
        self.assertNotIn(str(path), caught.exception.public())
        return str(caught.exception)

    @ddt.data(0o400, 0o600, 0o640)
    def test_key(self, mode):
        key = signed.key()
        path = self.write('key.pem', signed.private_pem(key), mode)
        self.assertEqual(
            key.private_bytes_raw(),
            signing_keys.load_private(str(path)).private_bytes_raw(),
        )

    @ddt.data(0o644, 0o604, 0o602, 0o601, 0o660)
    def test_others_could_have_it(self, mode):
        path = self.write('key.pem', signed.private_pem(signed.key()), mode)
        self.assertIn(f'mode {mode:04o}', self.refused(path))

    def test_none(self):
        self.assertIn('No such file', self.refused(self.directory / 'no'))

    def test_directory(self):
        self.assertIn('Is a directory', self.refused(self.directory))

    def test_what_is_no_key_is_not_told(self):
        """It may be a key all the same, in another shape."""
        path = self.write('key.pem', b'c2VjcmV0c2VjcmV0c2VjcmV0')
        with self.assertRaises(exception.SigningKeyUnusable) as caught:
            signing_keys.load_private(str(path))
        self.assertNotIn('c2Vj', str(caught.exception))
        self.assertIsNone(caught.exception.__cause__)
        self.assertTrue(caught.exception.__suppress_context__)

    def test_password(self):
        pem = signed.private_pem(signed.key(), b'password')
        self.assertIn(
            'without a password', self.refused(self.write('key.pem', pem))
        )

    def test_public_key(self):
        path = self.write('key.pem', signed.public_pem(signed.key()))
        self.assertIn('no private key', self.refused(path))

    def test_of_another_kind(self):
        pem = signed.private_pem(ec.generate_private_key(ec.SECP256R1()))
        self.assertIn(
            'not an Ed25519 key', self.refused(self.write('key.pem', pem))
        )


class KeyIdTest(base.TestCase):
    def test_known_answer(self):
        """What openssl says of the key of RFC 8032, section 7.1, TEST 1."""
        key = ed25519.Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex(
                '9d61b19deffd5a60ba844af492ec2cc4'
                '4449c5697b326919703bac031cae7f60'
            )
        )
        self.assertEqual(
            '06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9',
            signing_keys.key_id(key.public_key()),
        )


@ddt.ddt
class TrustTest(KeysTestCase):
    def setUp(self):
        super().setUp()
        self.old, self.new = signed.key(), signed.key()
        self.ids = [
            signing_keys.key_id(key.public_key())
            for key in (self.old, self.new)
        ]
        self.write('old.pem', signed.public_pem(self.old), 0o644)
        self.write('new.pem', signed.public_pem(self.new), 0o644)
        self.write('README', b'not a key')

    def test_several(self):
        trust = signing_keys.Trust.of_directory(self.directory)
        self.assertEqual({*self.ids}, trust.keys.keys())
        self.assertEqual(frozenset(), trust.revoked)

    def test_file(self):
        trust = signing_keys.Trust.of_files([self.directory / 'old.pem'])
        self.assertEqual({self.ids[0]}, trust.keys.keys())

    @ddt.data(True, False)
    def test_revoked(self, is_moved):
        """Also when the key was only copied there."""
        self.write('revoked/any.pem', signed.public_pem(self.old))
        if is_moved:
            (self.directory / 'old.pem').unlink()
        trust = signing_keys.Trust.of_directory(self.directory)
        self.assertEqual({self.ids[1]}, trust.keys.keys())
        self.assertEqual({self.ids[0]}, trust.revoked)

    @ddt.data('bad.pem', 'revoked/bad.pem')
    def test_what_is_no_key(self, name):
        """It could be the one that is revoked."""
        for content in (b'', b'no key', signed.private_pem(self.old)):
            self.write(name, content)
            with self.assertRaisesRegex(
                exception.TrustedKeyUnusable, 'bad.pem'
            ):
                signing_keys.Trust.of_directory(self.directory)

    def test_of_another_kind(self):
        other = ec.generate_private_key(ec.SECP256R1())
        path = self.write('ec.pem', signed.public_pem(other))
        with self.assertRaisesRegex(exception.TrustedKeyUnusable, 'Ed25519'):
            signing_keys.Trust.of_files([path])

    @ddt.data('nothing', 'old.pem')
    def test_no_directory_of_keys(self, name):
        with self.assertRaisesRegex(exception.TrustedKeyUnusable, r'\*\.pem'):
            signing_keys.Trust.of_directory(self.directory / name)

    def test_no_file(self):
        with self.assertRaisesRegex(exception.TrustedKeyUnusable, 'No such'):
            signing_keys.Trust.of_files([self.directory / 'nothing'])
