# SPDX-License-Identifier: Apache-2.0
"""Requests to Glance that openstacksdk does not make.

It filters by properties in the client, after it has fetched every image, and
changes tags in a way that Glance refuses. An image is a dict here, as
Glance's API has it. What Glance refuses is raised as an
``openstack.exceptions.HttpException``, in its words.
"""

from openstack import exceptions
from oslo_utils import uuidutils

from nova_newos.registry import exception

#: Images a page: the most that Glance gives by default.
PAGE = 1000

# Seconds without a byte after which a download has broken off.
_SILENCE = 60

_PATCH = {'Content-Type': 'application/openstack-images-v2.1-json-patch'}
# What an image has whether it was set or not.
_BASE = frozenset(('name', 'os_hidden', 'protected', 'visibility'))


def images(cloud, **filters):
    """Images that pass Glance's filters, page by page.

    Glance's database compares without regard to case and accents: compare
    again.

    :param cloud: an ``openstack.connection.Connection``
    :param filters: as of ``GET /v2/images``; ``os_hidden='true'`` for those
        that are hidden, which are left out otherwise
    :returns: iterator over dicts
    """
    query = {'limit': PAGE, **filters}
    while True:
        found = _answer(cloud.image.get('/images', params=query)).json()
        yield from found['images']
        if 'next' not in found:
            return
        query['marker'] = found['images'][-1]['id']


def everywhere(cloud, **filters):
    """As :func:`images`, hidden ones too."""
    yield from images(cloud, **filters)
    yield from images(cloud, os_hidden='true', **filters)


def get(cloud, image_id):
    """One image."""
    return _answer(cloud.image.get(f'/images/{image_id}')).json()


def find(cloud, name_or_id):
    """The one image with an id, or a name; hidden ones too.

    openstacksdk would fetch every hidden image to look for a name.

    :raises ImageNotFound: when there is none, or more than one
    """
    if uuidutils.is_uuid_like(name_or_id):
        return get(cloud, name_or_id)
    # Glance takes what is before a colon for an operator.
    name = f'in:"{name_or_id}"' if ':' in name_or_id else name_or_id
    found = [
        image
        for image in everywhere(cloud, name=name)
        if image['name'] == name_or_id
    ]
    if len(found) != 1:
        raise exception.ImageNotFound(name=name_or_id, count=len(found))
    return found[0]


def change(cloud, image_id, **fields):
    """Set fields and properties of an image, all of them or none.

    :param fields: dict of name to value; None removes a property
    """
    operations = [_operation(*field) for field in fields.items()]
    _answer(
        cloud.image.patch(
            f'/images/{image_id}', json=operations, headers=_PATCH
        )
    )


def _operation(name, value):
    if value is None:
        return {'op': 'remove', 'path': f'/{name}'}
    kind = 'replace' if name in _BASE else 'add'
    return {'op': kind, 'path': f'/{name}', 'value': value}


def create(cloud, **fields):
    """Make an image without bytes; returns it."""
    return _answer(cloud.image.post('/images', json=fields)).json()


def add_tag(cloud, image_id, tag):
    """Add a tag; harmless when it is there."""
    _answer(cloud.image.put(f'/images/{image_id}/tags/{tag}'))


def members(cloud, image_id):
    """Ids of the projects that an image is shared with."""
    answer = _answer(cloud.image.get(f'/images/{image_id}/members'))
    return [member['member_id'] for member in answer.json()['members']]


def add_member(cloud, image_id, project):
    """Share an image; harmless when it is."""
    answer = cloud.image.post(
        f'/images/{image_id}/members', json={'member': project}
    )
    if answer.status_code != 409:
        _answer(answer)


def deactivate(cloud, image_id):
    """Have Nova and all others refused the bytes of an image."""
    _answer(cloud.image.post(f'/images/{image_id}/actions/deactivate'))


def delete(cloud, image_id):
    """Delete an image."""
    _answer(cloud.image.delete(f'/images/{image_id}'))


def upload(cloud, image_id, chunks, size):
    """Give an image its bytes.

    :param chunks: iterator over bytes
    :param size: how many bytes there will be
    """
    _answer(
        cloud.image.put(
            f'/images/{image_id}/file',
            data=chunks,
            headers={
                'Content-Type': 'application/octet-stream',
                # Glance of 2025.2 and later refuses any other number.
                'X-OpenStack-Image-Size': str(size),
            },
        )
    )


def download(cloud, image_id, offset):
    """The answer with the bytes of an image from an offset on."""
    headers = {'Range': f'bytes={offset}-'} if offset else {}
    return _answer(
        cloud.image.get(
            f'/images/{image_id}/file',
            headers=headers,
            stream=True,
            timeout=_SILENCE,
        )
    )


def _answer(response):
    exceptions.raise_from_response(response)
    return response
