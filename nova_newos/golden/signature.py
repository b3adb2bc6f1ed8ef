# SPDX-License-Identifier: Apache-2.0
"""Who says what a golden image says of itself.

What is signed is an `in-toto statement
<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>`_ with
`SLSA provenance <https://slsa.dev/spec/v1.0/provenance>`_ as its predicate.
Its subject is the image: id and SHA-512 of its bytes. Its
``internalParameters`` have the properties of the image that are vouched for,
word for word. The
signature is that of a `DSSE envelope
<https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>`_ around
it, so that tools of others verify it too.

The image carries all three of them, so that it can be told what was changed:
the signature, the id of its key, and the statement, deflated and in pieces,
because a value that Nova copies to servers ends after 255 characters.
"""

import base64
import binascii
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import hashlib
import json
from typing import Any
import zlib

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import ed25519

from nova_newos.golden import exception
from nova_newos.golden import provenance
from nova_newos.golden import signing_keys

#: Id of the image that the properties are about: Nova copies properties to
#: images of servers that were made from it.
SELF = 'golden_self'
SIGNATURE = 'golden_signature'
KEY = 'golden_signature_key'

#: Begins the names of the statement's pieces; a number from 1 follows.
PIECE = 'golden_statement'
MAX_PIECES = 9

#: Prefixes of the properties that are vouched for.
VOUCHED = (
    provenance.PREFIX,
    provenance.SEAL_PREFIX,
    provenance.VERDICT_PREFIX,
)

#: The algorithm of the digest: that of Glance, unless its operator chose
#: another one.
ALGORITHM = 'sha512'

PAYLOAD_TYPE = 'application/vnd.in-toto+json'
_STATEMENT = 'https://in-toto.io/Statement/v1'
_PREDICATE = 'https://slsa.dev/provenance/v1'
#: Version 1 of how a statement is made of properties: another one has another
#: name.
_BUILD_TYPE = 'pkg:pypi/nova-newos#golden-image/v1'
_BUILDER = 'pkg:pypi/nova-newos'
_UUID = 'urn:uuid:'

# What comes of JSON in another shape.
_NO_STATEMENT = (
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

# Of a statement: nine pieces that deflate best are less.
_MAX_BYTES = 64 * 1024


def names(count: int = MAX_PIECES) -> list[str]:
    """Names of the properties with the first pieces."""
    return [f'{PIECE}_{number}' for number in range(1, count + 1)]


def vouched(properties: Mapping[str, str]) -> dict[str, str]:
    """Those properties of an image that its signature is about."""
    return {
        name: value
        for name, value in properties.items()
        if name.startswith(VOUCHED) or name == SELF
    }


def digest(chunks: Iterable[bytes]) -> str:
    """The digest of an image's bytes, in hexadecimal."""
    found = hashlib.new(ALGORITHM)
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


class Signer:
    """Signs with one key."""

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = signing_keys.key_id(key.public_key())

    def sign(
        self, image_id: str, hexdigest: str, properties: Mapping[str, str]
    ) -> dict[str, str]:
        """Vouch for an image.

        :param image_id: UUID
        :param hexdigest: of its bytes, see :func:`digest`
        :param properties: all that the image has
        :returns: properties to add
        :raises StatementTooLong: when there is more to say than fits
        """
        said = {SELF: image_id}
        payload = _serialize(
            _statement(image_id, hexdigest, vouched(properties) | said)
        )
        return {
            **said,
            KEY: self.key_id,
            SIGNATURE: _text(self._key.sign(_encoding(payload))),
            **_pieces(payload),
        }


@dataclasses.dataclass(frozen=True)
class Statement:
    """What was signed.

    :ivar image_id: of the image that it is about
    :ivar digest: of its bytes
    :ivar properties: those that were vouched for
    :ivar media: what it was installed from: dict of property to ``(image id,
        digest)``, see :func:`nova_newos.golden.provenance.digest`
    """

    image_id: str
    digest: str
    properties: Mapping[str, str]
    media: Mapping[str, tuple[str, str | None]]


@dataclasses.dataclass(frozen=True)
class Envelope:
    """A statement that somebody has signed; nothing of it is believed yet.

    :ivar payload: the statement's bytes
    :ivar signature: of them
    :ivar key_id: of the key that is said to be the signature's
    """

    payload: bytes
    signature: bytes
    key_id: str

    def is_signed_by(self, key: ed25519.Ed25519PublicKey) -> bool:
        try:
            key.verify(self.signature, _encoding(self.payload))
        except exceptions.InvalidSignature:
            return False
        return True

    def statement(self) -> Statement:
        """What is said; ask whose signature it is before.

        :raises SignatureUnreadable: for one of another version
        """
        try:
            return _parsed(json.loads(self.payload))
        except _NO_STATEMENT as error:
            raise exception.SignatureUnreadable(
                reason='its statement is of another version'
            ) from error

    def dsse(self) -> dict[str, Any]:
        """The DSSE envelope, for JSON."""
        return {
            'payloadType': PAYLOAD_TYPE,
            'payload': _text(self.payload),
            'signatures': [
                {'keyid': self.key_id, 'sig': _text(self.signature)}
            ],
        }


def read(properties: Mapping[str, str]) -> Envelope | None:
    """What an image carries; hostile, as its owner writes it.

    :param properties: of the image
    :returns: None for one that is not signed
    :raises SignatureUnreadable: when a part is missing or spoilt
    """
    if not any(name.startswith((SIGNATURE, PIECE)) for name in properties):
        return None
    for name in (SIGNATURE, KEY):
        if name not in properties:
            raise exception.SignatureUnreadable(reason=f'{name} is missing')
    return Envelope(
        _inflated(_joined(properties)),
        _bytes(SIGNATURE, properties[SIGNATURE]),
        properties[KEY],
    )


def _statement(
    image_id: str, hexdigest: str, properties: Mapping[str, str]
) -> dict[str, Any]:
    """The statement, of what is known."""
    known = {
        name: properties[f'{provenance.PREFIX}{name}']
        for name in ('iso', 'flavor', 'server', 'started', 'captured')
    }
    return {
        '_type': _STATEMENT,
        'subject': [{'name': image_id, 'digest': {ALGORITHM: hexdigest}}],
        'predicateType': _PREDICATE,
        'predicate': {
            'buildDefinition': {
                'buildType': _BUILD_TYPE,
                'externalParameters': {
                    'iso': known['iso'],
                    'flavor': known['flavor'],
                },
                'internalParameters': dict(properties),
                'resolvedDependencies': [
                    _dependency(name, *medium)
                    for name, medium in _media(properties).items()
                ],
            },
            'runDetails': {
                'builder': {'id': _BUILDER},
                'metadata': {
                    'invocationId': _UUID + known['server'],
                    'startedOn': known['started'],
                    'finishedOn': known['captured'],
                },
            },
        },
    }


def _media(
    properties: Mapping[str, str],
) -> dict[str, tuple[str, str | None]]:
    """Images that it was installed from, see Statement."""
    iso = f'{provenance.PREFIX}iso'
    found = {iso: (properties[iso], properties.get(f'{iso}_hash'))}
    for name, value in properties.items():
        medium = name.removesuffix('_hash')
        if name.startswith(provenance.PREFIX) and medium != name:
            found[medium] = (properties[medium], value)
    return found


def _dependency(name: str, image_id: str, known: str | None) -> dict[str, Any]:
    """A resource descriptor of in-toto's."""
    described = {'name': name, 'uri': _UUID + image_id}
    if known is None:
        return described
    algorithm, _colon, value = known.partition(':')
    return {**described, 'digest': {algorithm: value}}


def _parsed(found: Any) -> Statement:
    """A statement's dict as ours.

    :raises: one of _NO_STATEMENT
    """
    [subject] = found['subject']
    build = found['predicate']['buildDefinition']
    if build['buildType'] != _BUILD_TYPE:
        raise ValueError(build['buildType'])
    properties = build['internalParameters']
    return Statement(
        subject['name'],
        subject['digest'][ALGORITHM],
        properties,
        _media(properties),
    )


def _serialize(statement: Mapping[str, Any]) -> bytes:
    """JSON in ASCII, sorted, without room: the same for the same."""
    return json.dumps(
        statement, sort_keys=True, separators=(',', ':')
    ).encode()


def _encoding(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b'DSSEv1 %d %b %d %b' % (len(kind), kind, len(payload), payload)


def _pieces(payload: bytes) -> dict[str, str]:
    """Properties that have a statement."""
    text = _text(zlib.compress(payload, 9))
    limit = provenance.MAX_LENGTH
    cut = [text[at : at + limit] for at in range(0, len(text), limit)]
    if len(cut) > MAX_PIECES:
        raise exception.StatementTooLong(length=len(text))
    return dict(zip(names(len(cut)), cut, strict=True))


def _joined(properties: Mapping[str, str]) -> bytes:
    """The opposite, still deflated."""
    given = sum(name.startswith(PIECE) for name in properties)
    expected = names(given or 1)
    for name in expected:
        if name not in properties:
            raise exception.SignatureUnreadable(reason=f'{name} is missing')
    return _bytes(PIECE, ''.join(properties[name] for name in expected))


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        payload = stream.decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise exception.SignatureUnreadable(
            reason='its statement is spoilt'
        ) from error
    if not stream.eof or stream.unused_data:
        raise exception.SignatureUnreadable(reason='its statement is spoilt')
    return payload


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise exception.SignatureUnreadable(
            reason=f'{name} is spoilt'
        ) from error
