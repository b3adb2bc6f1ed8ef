# SPDX-License-Identifier: Apache-2.0
"""What changes the version that a family's name stands for.

One request makes a version visible under the name, and those that follow hide
the others: who is stopped between any two requests leaves a family with one or
two visible versions, and the next call ends what was begun. Of two that
publish at once both see the same order of versions, so that none hides what
the other one keeps.
"""

from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import scs
from nova_newos.registry import words


def check(cloud, family, owner=None):
    """Refuse a family that nothing could be published into.

    :param owner: id of the project, the user's own if None
    :raises NewosError: for a name that cannot be, or that another image has
    """
    words.check_name(family)
    _check_free(cloud, family, owner or cloud.current_project_id)


def publish(cloud, image_id, family, facts=None, visibility=None):
    """Have a family's name stand for an image, and hide the version before.

    It may be called again at any time: an image that was published before is
    not published anew, so that what has followed it since stays.

    :param cloud: an ``openstack.connection.Connection``
    :param image_id: of an image that is active
    :param family: its name; the first image makes it
    :param facts: dict of properties of SCS-0102, see :mod:`.scs`; None for
        those of the version before
    :param visibility: of Glance; None for that of the version before
    :raises NewosError: for what cannot be published; nothing is changed then
    :raises openstack.exceptions.HttpException: what Glance refuses
    """
    words.check_name(family)
    image = glance.get(cloud, image_id)
    _check_image(image, family)
    owner = image['owner']
    found = families.look_visible(cloud, family, owner)
    changes = scs.checked(facts or {})
    if visibility:
        changes['visibility'] = visibility
    if not _is_published(image):
        _check_free(cloud, family, owner, image_id)
        before = found.current
        changes = {**scs.complete(image, facts or {}, before), **changes}
        if not visibility:
            changes |= _as_visible_as(cloud, image, before)
        glance.add_tag(cloud, image_id, words.TAG)
        changes |= _as_current(image_id, found) | _foreign(image)
    if changes:
        glance.change(cloud, image_id, **changes)
    settle(cloud, family, owner)


def roll_back(cloud, family, owner, image_id=None):
    """Have a family's name stand for a former version again.

    :param image_id: which; None for the youngest that is older than the
        current one
    :returns: the :class:`~nova_newos.registry.families.Version`
    :raises NewosError: when there is none that could be
    """
    found = families.look(cloud, family, owner)
    if image_id is None:
        version = _older(found)
    else:
        version = found.version(image_id)
    _check_image(version.image, family)
    if version is not found.current:
        changes = _as_visible_as(cloud, version.image, found.current)
        changes |= _as_current(version.id, found)
        glance.change(cloud, version.id, **changes)
    settle(cloud, family, owner)
    return version


def retire(cloud, family, owner, force=False):
    """Hide all versions of a family. Their ids stay valid.

    :param force: whether what was promised until a day is broken
    :raises StillProvided: when it would be
    """
    found = families.look(cloud, family, owner)
    if found.current is None:
        return
    until = scs.day(found.current.image.get('provided_until', ''))
    if until and until >= scs.today() and not force:
        raise exception.StillProvided(family=family, until=until)
    # The current one last: until then the family is what it was.
    for version in (*found.outdated, found.current):
        _hide(cloud, version)


def settle(cloud, family, owner):
    """End what a publisher that was stopped has begun."""
    found = families.look_visible(cloud, family, owner)
    for version in found.outdated:
        _hide(cloud, version)
    if found.outdated:
        found = _seen_again(cloud, family, owner, found)
    current = found.current
    if current and current.image['name'] != family:
        glance.change(cloud, current.id, name=family)


def _seen_again(cloud, family, owner, before):
    """The family after versions were hidden, of which one may be the last.

    Another publisher may have hidden the one that was to stay, and have it
    that one of the others does.
    """
    found = families.look_visible(cloud, family, owner)
    if found.current is None:
        newest = families.look(cloud, family, owner).versions[0]
        glance.change(cloud, newest.id, name=family, os_hidden=False)
        found = families.look_visible(cloud, family, owner)
    return found


def _is_published(image):
    return families.version_of(image) is not None and words.PUBLISHED in image


def _check_image(image, family):
    if words.REVOKED in image and words.is_itself(image):
        raise exception.ImageRevoked(
            image=image['id'], reason=image[words.REVOKED]
        )
    if image['status'] != 'active':
        raise exception.ImageNotReady(
            image=image['id'], status=image['status']
        )
    version = families.version_of(image)
    if version and version.family != family:
        raise exception.ImageOfOtherFamily(
            image=image['id'], family=version.family
        )


def _check_free(cloud, family, owner, image_id=None):
    for image in glance.images(cloud, name=family, owner=owner):
        version = families.version_of(image)
        if (
            image['name'] == family
            and image['id'] != image_id
            and (version is None or version.family != family)
        ):
            raise exception.NameTaken(image=image['id'], family=family)


def _as_visible_as(cloud, image, before):
    """What lets those see an image who see the version before it.

    Those that it is shared with accept it themselves: they are asked before
    the version that they know is hidden.

    :param before: the :class:`~nova_newos.registry.families.Version`, or None
    :returns: dict of changes
    """
    if before is None:
        return {}
    visibility = before.image['visibility']
    if visibility == 'shared':
        projects = glance.members(cloud, before.id)
        if projects and image['visibility'] != visibility:
            glance.change(cloud, image['id'], visibility=visibility)
        for project in projects:
            glance.add_member(cloud, image['id'], project)
    # Glance asks for the right to publicize each time.
    same = image['visibility'] == visibility
    return {} if same else {'visibility': visibility}


def _as_current(image_id, family):
    """What makes an image the current version, in one request."""
    return {
        words.FAMILY: family.name,
        words.SELF: image_id,
        words.PUBLISHED: families.next_stamp(family),
        'name': family.name,
        'os_hidden': False,
    }


def _foreign(image):
    """What takes away that Nova has copied from another image."""
    if not words.is_inherited(image):
        return {}
    inherited = {words.REVOKED, words.COPIED_FROM} & image.keys()
    return dict.fromkeys(inherited)


def _older(family):
    """The youngest usable version that was made before the current one."""
    if family.current is None:
        raise exception.FamilyRetired(family=family.name)
    born = family.current.image['created_at']
    usable = [
        version
        for version in family.former
        if version.is_usable and version.image['created_at'] < born
    ]
    if not usable:
        raise exception.NoFormerVersion(family=family.name)
    return max(usable, key=lambda version: version.image['created_at'])


def _hide(cloud, version):
    name = words.former_name(version.family, version.day)
    glance.change(cloud, version.id, name=name, os_hidden=True)
