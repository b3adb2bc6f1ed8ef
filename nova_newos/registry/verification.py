# SPDX-License-Identifier: Apache-2.0
"""Whether a golden image is what a compute host has signed.

Its signature, what Glance knows of it, its properties and the images that it
was installed from are held against each other. All that an image says is its
owner's to write; nothing is believed before its signature is.
"""

import dataclasses
import enum

from openstack import exceptions

from nova_newos.golden import base as golden_base
from nova_newos.golden import exception
from nova_newos.golden import provenance
from nova_newos.golden import signature

# Bytes of an image that are read at a time.
_CHUNK = 2**20


class State(enum.Enum):
    """How a fact stands: ``gone`` is none against the image."""

    OK = 'ok'
    GONE = 'gone'
    WRONG = 'wrong'


@dataclasses.dataclass(frozen=True)
class Fact:
    """One thing that was looked at.

    :ivar name: ``signature``, ``image``, ``bytes``, ``properties``, the name
        of a property that was changed, or ``iso`` and those of other media;
        hostile, as the detail is
    :ivar state: a :class:`State`
    :ivar detail: what was found
    """

    name: str
    state: State
    detail: str


def is_as_signed(facts):
    """Whether nothing of an image is otherwise than it was signed."""
    return all(fact.state is not State.WRONG for fact in facts)


def verify(cloud, image, trust, download=False):
    """Hold an image against its signature.

    :param cloud: an ``openstack.connection.Connection``
    :param image: of openstacksdk, as ``get_image`` returns it
    :param trust: a :class:`nova_newos.golden.signing_keys.Trust`
    :param download: whether to read the bytes too, not only their digest
    :returns: list of :class:`Fact`; only that of the signature if it is wrong
    """
    statement, about = _believed(image.properties, trust)
    if statement is None:
        return [about]
    return [
        about,
        _about_image(image.id, statement),
        _about_bytes(cloud, image, statement, download),
        *_about_properties(image.properties, statement),
        *(
            _about_medium(cloud, name.removeprefix(provenance.PREFIX), *medium)
            for name, medium in statement.media.items()
        ),
    ]


def attest(image):
    """What a compute host has signed of an image, for tools of others.

    Whether it is true is theirs to find out.

    :param image: of openstacksdk, as ``get_image`` returns it
    :returns: dict, a DSSE envelope with an in-toto statement
    :raises NotAttestable: when there is none, or it is about another image
    """
    try:
        envelope = signature.read(image.properties)
        about = envelope and envelope.statement().image_id
    except exception.SignatureUnreadable as error:
        raise exception.NotAttestable(
            image_id=image.id, reason=error.reason
        ) from error
    if envelope is None:
        raise exception.NotAttestable(
            image_id=image.id, reason='it is not signed'
        )
    if about != image.id:
        # Whoever may have written that.
        other = golden_base.sanitize(about, 40)
        raise exception.NotAttestable(
            image_id=image.id, reason=f'its statement is about {other}'
        )
    return envelope.dsse()


def _believed(properties, trust):
    """The statement, None if it is not to be believed; and a fact."""
    try:
        envelope = signature.read(properties)
        if envelope is None:
            return None, _wrong('signature', 'the image is not signed')
        problem = _distrust(envelope, trust)
        if problem:
            return None, _wrong('signature', problem)
        return envelope.statement(), Fact(
            'signature', State.OK, f'by key {envelope.key_id}'
        )
    except exception.SignatureUnreadable as error:
        return None, _wrong('signature', error.reason)


def _distrust(envelope, trust):
    """Why a signature counts for nothing, or None."""
    if envelope.key_id in trust.revoked:
        return f'by key {envelope.key_id}, which is revoked'
    key = trust.keys.get(envelope.key_id)
    if key is None:
        return f'by key {envelope.key_id}, which is not trusted'
    if not envelope.is_signed_by(key):
        return (
            f'not by key {envelope.key_id}, as it says: it was changed, or '
            'the statement was'
        )
    return None


def _about_image(image_id, statement):
    if statement.image_id != image_id:
        return _wrong(
            'image',
            f'{statement.image_id} was signed: this is another, with a copy '
            'of its properties',
        )
    return Fact('image', State.OK, image_id)


def _about_bytes(cloud, image, statement, download):
    signed = provenance.digest(signature.ALGORITHM, statement.digest)
    known = provenance.digest(image.hash_algo, image.hash_value)
    if known is None:
        return _wrong('bytes', f'none that can be read: it is {image.status}')
    if image.hash_algo == signature.ALGORITHM and known != signed:
        return _wrong('bytes', f'signed {signed}, Glance has {known}')
    if download:
        found = provenance.digest(
            signature.ALGORITHM, signature.digest(_chunks(cloud, image))
        )
        if found != signed:
            return _wrong('bytes', f'signed {signed}, downloaded {found}')
        return Fact('bytes', State.OK, f'{signed}, as downloaded')
    if image.hash_algo != signature.ALGORITHM:
        return _wrong(
            'bytes',
            f'signed {signed}, of which Glance has {image.hash_algo} only: '
            'they have to be downloaded',
        )
    return Fact('bytes', State.OK, f'{signed}, as Glance has it')


def _chunks(cloud, image):
    with cloud.image.download_image(image.id, stream=True) as response:
        exceptions.raise_from_response(response)
        yield from response.iter_content(_CHUNK)


def _about_properties(properties, statement):
    """What was changed of those that were vouched for."""
    signed = statement.properties
    found = signature.vouched(properties)
    changed = [
        fact
        for name in sorted(signed.keys() | found.keys())
        if (fact := _changed(name, signed.get(name), found.get(name)))
    ]
    unchanged = Fact('properties', State.OK, f'{len(signed)} as signed')
    return changed or [unchanged]


def _changed(name, signed, found):
    if signed == found:
        return None
    if found is None:
        return _wrong(name, f"signed '{signed}', and removed")
    if signed is None:
        return _wrong(name, f"not signed, and added: '{found}'")
    return _wrong(name, f"signed '{signed}', changed to '{found}'")


def _about_medium(cloud, name, image_id, signed):
    """Whether what it was installed from is still there."""
    try:
        image = cloud.image.get_image(image_id)
    except (exceptions.NotFoundException, exceptions.ForbiddenException):
        return Fact(name, State.GONE, f'{image_id} is not in Glance any more')
    known = provenance.digest(image.hash_algo, image.hash_value)
    if signed is None:
        return Fact(name, State.GONE, f'{image_id}; its digest was not known')
    if known != signed:
        return _wrong(name, f'{image_id}: signed {signed}, Glance has {known}')
    return Fact(name, State.OK, f'{image_id} is in Glance, unchanged')


def _wrong(name, detail):
    return Fact(name, State.WRONG, detail)
