# SPDX-License-Identifier: Apache-2.0
"""What an image came from, what came from it, and which servers run it."""

import collections
import dataclasses

from openstack import exceptions
from oslo_utils import uuidutils

from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import words

# Of a snapshot of an ordinary server, by Nova: the image of that server.
_BASE_IMAGE = 'base_image_ref'

#: Properties with the id of another image, and what that image is to it.
LINKS = {
    'provenance_iso': 'install ISO',
    'provenance_virtio': 'driver ISO',
    _BASE_IMAGE: 'image of the server',
    words.COPIED_FROM: 'copied from',
}

#: Images that are looked at in one direction: whoever owns them can have them
#: point anywhere.
LIMIT = 1000


@dataclasses.dataclass(frozen=True)
class Relative:
    """An image in the lineage of another one.

    :ivar distance: steps from the image that was asked for: negative for what
        it came from, 0 for itself, positive for what came from it
    :ivar relation: a value of LINKS, seen from the descendant; '' for itself
    :ivar id: of the image
    :ivar image: as Glance's API has it, a dict; None when the user cannot see
        it, or when it is gone
    """

    distance: int
    relation: str
    id: str
    image: dict | None


def trace(cloud, image):
    """The lineage of an image, as far as the user may see it.

    :param cloud: an ``openstack.connection.Connection``
    :param image: as Glance's API has it, a dict
    :returns: list of :class:`Relative`, the oldest ancestor first; at most
        LIMIT in each direction
    """
    itself = Relative(0, '', image['id'], image)
    ancestors = _walk(itself, lambda each: _parents(cloud, each))
    descendants = _walk(itself, lambda each: _children(cloud, each))
    return [*reversed(ancestors), itself, *descendants]


def _walk(start, neighbours):
    """All that is reached from an image, the nearest first."""
    known, found = {start.id}, []
    waiting = collections.deque([start])
    while waiting and len(found) < LIMIT:
        for each in neighbours(waiting.popleft()):
            if each.id not in known:
                known.add(each.id)
                found.append(each)
                waiting.append(each)
    return found[:LIMIT]


def _links(image):
    """What an image says of itself that it came from: relation and id."""
    for name, relation in LINKS.items():
        # Its owner can write anything there.
        image_id = image.get(name, '')
        if uuidutils.is_uuid_like(image_id) and not _is_inherited(image, name):
            yield relation, image_id


def _is_inherited(image, name):
    """Whether Nova has copied a property from the server's image."""
    if name == _BASE_IMAGE:
        return False
    if words.SELF in image:
        return words.is_inherited(image)
    return _BASE_IMAGE in image


def _parents(cloud, child):
    if child.image is None:
        return
    for relation, image_id in _links(child.image):
        try:
            image = glance.get(cloud, image_id)
        except exceptions.HttpException as error:
            # Gone, or not shared with the user.
            if error.status_code not in (403, 404):
                raise
            image = None
        yield Relative(child.distance - 1, relation, image_id, image)


def _children(cloud, parent):
    for name, relation in LINKS.items():
        for image in glance.everywhere(cloud, **{name: parent.id}):
            if (relation, parent.id) in _links(image):
                yield Relative(
                    parent.distance + 1, relation, image['id'], image
                )


def is_cut(found):
    """Whether there is more than what :func:`trace` has returned."""
    directions = collections.Counter(
        (each.distance > 0) - (each.distance < 0) for each in found
    )
    return LIMIT in (directions[-1], directions[1])


def describe(image):
    """What an image is, in a few words.

    :param image: a dict, or None
    """
    if image is None:
        return 'gone, or not to be seen'
    version = families.version_of(image)
    said = []
    if version:
        said.append(f'version of {version.family}')
    if words.REVOKED in image and words.is_itself(image):
        said.append(f'revoked: {image[words.REVOKED]}')
    return '; '.join(said)
