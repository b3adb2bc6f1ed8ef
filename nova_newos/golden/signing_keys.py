# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys in PEM files: a host's own, and those that are trusted.

A key is named by its id, the SHA-256 of its SubjectPublicKeyInfo in DER, in
hexadecimal: what ``openssl pkey -pubin -outform DER | sha256sum`` prints.
"""

from collections.abc import Mapping
import dataclasses
import hashlib
import os
import pathlib
import stat

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from nova_newos.golden import exception

#: Below a directory of trusted keys: those that are not trusted any more.
REVOKED = 'revoked'

# A key has 64 to 120 bytes of PEM.
_MAX_BYTES = 64 * 1024

# What others may not do: read or write it, nor the group write it. That is as
# nova.conf is installed, root:nova 0640.
_FORBIDDEN_MODE = stat.S_IWGRP | stat.S_IRWXO


def key_id(public_key: ed25519.Ed25519PublicKey) -> str:
    """The id of a key, 64 hexadecimal digits."""
    der = public_key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    return hashlib.sha256(der).hexdigest()


def load_private(path: str) -> ed25519.Ed25519PrivateKey:
    """The key that this host signs with.

    :param path: of a PEM file without a password
    :raises SigningKeyUnusable: when there is none, others could have read or
        changed it, or it is no Ed25519 key; the text has nothing of the key
    """

    def refuse(reason: object) -> exception.SigningKeyUnusable:
        return exception.SigningKeyUnusable(path=path, reason=reason)

    try:
        with open(path, 'rb') as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise refuse(error.strerror) from error
    if mode & _FORBIDDEN_MODE:
        raise refuse(f'mode {stat.S_IMODE(mode):04o}, use 0640 or less')
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm):
        # What the library says may have bytes of the file in it.
        raise refuse('no private key in PEM without a password') from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise refuse('not an Ed25519 key')
    return key


def load_public(path: pathlib.Path) -> ed25519.Ed25519PublicKey:
    """A public key.

    :raises TrustedKeyUnusable: when the file has no Ed25519 public key
    """
    try:
        with path.open('rb') as file:
            content = file.read(_MAX_BYTES)
        if content.count(b'-----BEGIN ') > 1:
            # Only the first would count.
            raise exception.TrustedKeyUnusable(
                file=path, reason='more than one key'
            )
        key = serialization.load_pem_public_key(content)
    except OSError as error:
        raise exception.TrustedKeyUnusable(
            file=path, reason=error.strerror
        ) from error
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise exception.TrustedKeyUnusable(
            file=path, reason='no public key in PEM'
        ) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise exception.TrustedKeyUnusable(
            file=path, reason='not an Ed25519 key'
        )
    return key


@dataclasses.dataclass(frozen=True)
class Trust:
    """Whom somebody believes.

    :ivar keys: public keys by their ids
    :ivar revoked: ids of keys that were trusted once
    """

    keys: Mapping[str, ed25519.Ed25519PublicKey]
    revoked: frozenset[str] = frozenset()

    @classmethod
    def of_files(cls, paths: list[pathlib.Path]) -> 'Trust':
        """The public keys in some files.

        :raises TrustedKeyUnusable: when one of them is none
        """
        keys = (load_public(path) for path in paths)
        return cls({key_id(key): key for key in keys})

    @classmethod
    def of_directory(cls, directory: pathlib.Path) -> 'Trust':
        """The public keys in ``*.pem``, but those in ``revoked/*.pem``.

        :raises TrustedKeyUnusable: when a file is none, or there is no key;
            one that is left out could be the one that is revoked
        """
        trusted = cls.of_files(sorted(directory.glob('*.pem'))).keys
        revoked = cls.of_files(_revoked(directory)).keys
        if not trusted and not revoked:
            raise exception.TrustedKeyUnusable(
                file=directory, reason='a directory without *.pem'
            )
        return cls(
            {name: trusted[name] for name in trusted.keys() - revoked.keys()},
            frozenset(revoked),
        )


def _revoked(directory: pathlib.Path) -> list[pathlib.Path]:
    """Files of keys that are revoked.

    :raises TrustedKeyUnusable: when that cannot be told
    """
    place = directory / REVOKED
    try:
        # A glob would leave out what it may not read.
        return sorted(p for p in place.iterdir() if p.suffix == '.pem')
    except FileNotFoundError:
        return []
    except OSError as error:
        raise exception.TrustedKeyUnusable(
            file=place, reason=error.strerror
        ) from error
