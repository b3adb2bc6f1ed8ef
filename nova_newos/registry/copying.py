# SPDX-License-Identifier: Apache-2.0
"""Copy a version of a family to another cloud, region or project.

The bytes pass through once, from the one Glance to the other, without a file
between them. A download that breaks off goes on where it did. Glance cannot
append to an image: an upload that breaks off begins anew, with the next call,
and in the same image.
"""

import hashlib
import time

from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions
import requests

from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import publishing
from nova_newos.registry import words

# How much of an image is in memory.
_CHUNK = 2**20

# Downloads that bring nothing before it is given up, and seconds between them.
_ATTEMPTS = 5
_PAUSE = 2

# What a copy has as its source has it, besides properties.
_FIELDS = ('disk_format', 'container_format', 'min_disk', 'min_ram')

# What is about the one image, or what Glance does not let be set.
_OWN = frozenset(
    (
        *_FIELDS,
        *('checksum', 'created_at', 'direct_url', 'file', 'id', 'locations'),
        *('name', 'os_hash_algo', 'os_hash_value', 'os_hidden', 'owner'),
        *('protected', 'schema', 'self', 'size', 'status', 'stores', 'tags'),
        *('updated_at', 'virtual_size', 'visibility'),
        *(words.FAMILY, words.SELF, words.PUBLISHED, words.COPIED_FROM),
    )
)

_PARTIAL = 206

# How a download breaks off, or is not there again yet.
_CUTS = (requests.RequestException, keystone_exceptions.ConnectionError)

# Glance's own properties.
_RESERVED = 'os_glance'


def copy(source, version, destination, family, visibility, say):
    """Have a version published in another cloud.

    :param source: the ``openstack.connection.Connection`` that has it
    :param version: a :class:`~nova_newos.registry.families.Version`
    :param destination: the Connection that is to have it
    :param family: its name there
    :param visibility: there; None for that of the version before
    :param say: called with the number of bytes that were sent so far
    :returns: id of the copy
    :raises NewosError: see :mod:`.exception`; the copy is not published then
    """
    _check(version, destination, family)
    image = _record(version, destination)
    if image['status'] == 'queued':
        chunks = _Download(source, version.image, say)
        glance.upload(destination, image['id'], chunks, version.image['size'])
        image = glance.get(destination, image['id'])
    _verify(version, destination, image)
    publishing.publish(destination, image['id'], family, visibility=visibility)
    return image['id']


def _check(version, destination, family):
    image = version.image
    if words.REVOKED in image:
        raise exception.ImageRevoked(
            image=version.id, reason=image[words.REVOKED]
        )
    if image['status'] != 'active':
        raise exception.ImageNotReady(image=version.id, status=image['status'])
    if not image['os_hash_algo']:
        _refuse_unverifiable(image, 'none')
    publishing.check(destination, family)


def _record(version, destination):
    """The image of the copy: the one that was begun, or a new one."""
    begun = [
        image
        for image in glance.everywhere(
            destination,
            **{
                words.COPIED_FROM: version.id,
                'owner': destination.current_project_id,
            },
        )
        if not words.is_inherited(image)
    ]
    if begun:
        # The one that was first, for all clients.
        return min(begun, key=lambda image: (image['created_at'], image['id']))
    return _create(version.image, destination)


def _create(source, destination):
    fields = {
        name: value
        for name, value in source.items()
        if name not in _OWN and not name.startswith(_RESERVED)
    } | {
        **{name: source[name] for name in _FIELDS},
        words.COPIED_FROM: source['id'],
        'name': f'golden-copy-{source["id"]}',
        'os_hidden': True,
        'visibility': 'private',
    }
    try:
        # What a compute host has signed is about the image of this id.
        return glance.create(destination, id=source['id'], **fields)
    except exceptions.ConflictException:
        # One Glance is behind both clouds, or had an image of that id.
        return glance.create(destination, **fields)


def _verify(version, destination, image):
    if image['status'] != 'active':
        raise exception.CopyBusy(copy=image['id'], status=image['status'])
    if version.image['os_hash_algo'] != image['os_hash_algo']:
        _refuse_unverifiable(version.image, image['os_hash_algo'])
    if version.image['os_hash_value'] != image['os_hash_value']:
        # One that was published is of another source, which can choose its id.
        if families.version_of(image) is None:
            glance.delete(destination, image['id'])
        raise exception.CopyDamaged(copy=image['id'], image=version.id)


def _refuse_unverifiable(image, other):
    raise exception.CopyUnverifiable(
        image=image['id'], algorithm=image['os_hash_algo'], other=other
    )


class _Download:
    """The bytes of an image, once and from the beginning to the end.

    :param cloud: that has it
    :param image: as Glance's API has it
    :param say: called with the number of bytes so far
    """

    def __init__(self, cloud, image, say):
        self._cloud, self._image, self._say = cloud, image, say
        self._offset = 0
        self._hash = hashlib.new(image['os_hash_algo'])

    def __iter__(self):
        failed, reason = 0, ''
        while self._offset < self._image['size']:
            before = self._offset
            try:
                yield from self._chunks()
            except _CUTS as error:
                reason = error
            failed = 0 if self._offset > before else failed + 1
            if failed == _ATTEMPTS:
                self._give_up(reason)
            if failed:
                time.sleep(_PAUSE)
        # While the other Glance still waits for the end: it keeps nothing.
        if self._hash.hexdigest() != self._image['os_hash_value']:
            self._give_up('its digest is not that of the image')

    def _give_up(self, reason):
        raise exception.CopyCut(
            image=self._image['id'], offset=self._offset, reason=reason
        )

    def _chunks(self):
        answer = glance.download(self._cloud, self._image['id'], self._offset)
        with answer:
            if self._offset and answer.status_code != _PARTIAL:
                self._give_up('its Glance gives no part of an image')
            for chunk in answer.iter_content(_CHUNK):
                self._offset += len(chunk)
                self._hash.update(chunk)
                yield chunk
                self._say(self._offset)
