# SPDX-License-Identifier: Apache-2.0
"""Have nobody boot an image any more."""

from openstack import exceptions

from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import scs
from nova_newos.registry import words


def revoke(cloud, image_id, reason, hide=False):
    """Deactivate an image, which Nova refuses then, and say why on it.

    :param reason: for people, 1 to 255 characters
    :param hide: whether to hide it too, and to do so where the cloud's policy
        does not let the user deactivate it
    :returns: whether it is deactivated
    :raises ImageNotReady: when it has no bytes: delete it instead
    :raises IsCurrent: when a family's name stands for it
    :raises DeactivationForbidden: without ``hide``; nothing is changed then
    """
    image = glance.get(cloud, image_id)
    scs.checked({words.REVOKED: reason})
    if image['status'] not in ('active', 'deactivated'):
        raise exception.ImageNotReady(image=image_id, status=image['status'])
    _check_not_current(cloud, image)
    deactivated = True
    try:
        glance.deactivate(cloud, image_id)
    except exceptions.ForbiddenException as error:
        if not hide:
            raise exception.DeactivationForbidden(
                image=image_id, reason=error.details or error
            ) from error
        deactivated = False
    # Only about this image: Nova's snapshots of its servers inherit both.
    changes = {words.REVOKED: reason, words.SELF: image_id}
    if hide:
        changes['os_hidden'] = True
    glance.change(cloud, image_id, **changes)
    return deactivated


def _check_not_current(cloud, image):
    version = families.version_of(image)
    if version is None:
        return
    found = families.look_visible(cloud, version.family, image['owner'])
    if found.current and found.current.id == version.id:
        raise exception.IsCurrent(image=version.id, family=version.family)
