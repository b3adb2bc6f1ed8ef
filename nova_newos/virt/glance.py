# SPDX-License-Identifier: Apache-2.0
"""What Glance is asked about the images that a server has as CD-ROMs.

``nova.virt.libvirt.imagebackend.Image.cache`` does not ask Glance when the
file is already on the host, so that a server could be given any project's
image by its id. Whether it may have it is asked here, once, at spawn.
"""

from glanceclient import exc
from nova import exception as nova_exception
import nova.conf
from nova.image import glance
from oslo_utils import units

from nova_newos import exception
from nova_newos.golden import provenance

CONF = nova.conf.CONF

_GONE = (exc.HTTPNotFound, exc.HTTPForbidden)


def check(context, image_api, image_id, medium, project_id):
    """Refuse an image that is not an active ISO readable by the project.

    Nor is it to be larger than the operator allows.

    :param context: of the requester, whose token asks Glance
    :param image_api: a ``nova.image.glance.API``
    :param image_id: UUID
    :param medium: name of the medium, for the error
    :param project_id: of the server's owner, who may not be the requester
    :raises MediumImageRefused, MediumTooLarge: saying what is wrong
    """

    def refuse(reason):
        raise exception.MediumImageRefused(
            image_id=image_id, medium=medium, reason=reason
        )

    try:
        image = image_api.get(context, image_id)
    except (
        nova_exception.ImageNotFound,
        nova_exception.ImageNotAuthorized,
    ):
        refuse('does not exist or may not be read')
    if image['status'] != 'active':
        refuse(f'is {image["status"]}, not active')
    if image['disk_format'] != 'iso':
        refuse(f'has disk format {image["disk_format"]}, not iso')
    if not _readable(context, image, project_id):
        refuse("may not be read by the server's project")
    _check_size(image['size'], image_id, medium)


def check_size(context, image_id, medium):
    """Refuse an image that is too large, before it is fetched.

    One that cannot be asked about is none: fetching it says why.

    :param context: of the requester, whose token asks Glance
    :param medium: name of the medium, for the error
    :raises MediumTooLarge: when it is
    """
    try:
        image = _show(context, image_id)
    except (*_GONE, exc.HTTPUnauthorized):
        return
    _check_size(image.size, image_id, medium)


def _check_size(size, image_id, medium):
    limit = CONF.newos.media_max_size
    # Nova has 0 where Glance has no size.
    if not size or size > limit * units.Gi:
        raise exception.MediumTooLarge(
            image_id=image_id, medium=medium, limit=limit
        )


def digest(context, image_id):
    """The digest that Glance keeps of an image's bytes.

    :param context: of the requester, whose token asks Glance
    :returns: see :func:`nova_newos.golden.provenance.digest`; None when the
        image is gone or hidden
    """
    try:
        image = _show(context, image_id)
    except _GONE:
        return None
    return provenance.digest(image.os_hash_algo, image.os_hash_value)


def _show(context, image_id):
    # nova.image.glance.API leaves out the digest, and folds the visibility
    # into is_public.
    return glance.GlanceClientWrapper().call(
        context, 2, 'get', args=(image_id,)
    )


def _readable(context, image, project_id):
    """Whether Glance would show the image to a member of the project.

    An administrator who rebuilds somebody's server sees every image; the
    server's owner must not get one by it.
    """
    if image.get('is_public') or image.get('owner') == project_id:
        return True
    visibility = _show(context, image['id']).visibility
    if visibility == 'shared':
        members = glance.GlanceClientWrapper().call(
            context,
            2,
            'list',
            controller='image_members',
            args=(image['id'],),
        )
        return any(member.member_id == project_id for member in members)
    return visibility == 'community'
