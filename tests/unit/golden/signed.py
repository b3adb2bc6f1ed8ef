# SPDX-License-Identifier: Apache-2.0
"""Keys, and images that are signed with them."""

import pathlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from nova_newos.golden import signature

IMAGE = '11111111-1111-4111-8111-111111111111'
OTHER = '22222222-2222-4222-8222-222222222222'
ISO = '33333333-3333-4333-8333-333333333333'
DRIVERS = '44444444-4444-4444-8444-444444444444'
SERVER = '55555555-5555-4555-8555-555555555555'

#: What a host knows of an image.
KNOWN = {
    'provenance_server': SERVER,
    'provenance_iso': ISO,
    'provenance_iso_hash': 'sha512:' + 'aa' * 64,
    'provenance_virtio': DRIVERS,
    'provenance_virtio_hash': 'sha512:' + 'bb' * 64,
    'provenance_answers': 'c' * 32,
    'provenance_flavor': 'm1.small',
    'provenance_versions': 'nova-newos 1.0, nova 34.0.0, qemu 7.2.22',
    'provenance_started': '2026-01-02T03:04:05Z',
    'provenance_captured': '2026-01-02T04:04:05Z',
    'seal_sysprep': 'done',
    'verdict_boot_loader': 'false',
}

BYTES = b'the bytes of the image'


def key():
    return ed25519.Ed25519PrivateKey.generate()


def private_pem(private_key, password=None):
    """A private key of any kind as bytes of PEM."""
    return private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def public_pem(private_key):
    """The public key of one, as bytes of PEM."""
    return private_key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )


def write(directory, name, content, mode=0o640):
    """A file of a key; returns its path."""
    path = pathlib.Path(directory, name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def properties(private_key, image_id=IMAGE, data=BYTES, **more):
    """Properties of an image that was signed."""
    known = {'os_distro': 'debian', **KNOWN, **more}
    signer = signature.Signer(private_key)
    return known | signer.sign(image_id, signature.digest([data]), known)
