# SPDX-License-Identifier: Apache-2.0
"""Recipes in Glance: small hidden images with a tag.

Who sees, changes and deletes them, and whether they are protected, is as of
any image. Glance's data never changes: a recipe that is changed is a new
image, which names the one it takes the place of. That one is deleted after,
and counts no more from the moment the new one is there, so that a client may
be killed in between.
"""

from openstack import exceptions

from nova_newos import terminal
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import words


def listed(cloud, group=None):
    """Images of the recipes that the project sees.

    :param cloud: an ``openstack.connection.Connection``
    :param group: only those of a group; None for all
    :returns: list of ``openstack.image.v2.image.Image``, by group and name
    """
    query = {'tag': words.TAG, 'is_hidden': True}
    found = {
        image.id: image
        for more in ({}, {'visibility': 'community'})
        for image in cloud.image.images(**query, **more)
    }
    replaced = {
        (image.properties.get(words.REPLACES), image.owner)
        for image in found.values()
        if image.status == 'active'
    }
    return sorted(
        (
            image
            for image in found.values()
            # Of another project's image nobody can take the place.
            if (image.id, image.owner) not in replaced
            and group in (None, group_of(image))
        ),
        key=lambda image: (group_of(image), image.name or '', image.id),
    )


def group_of(image):
    """The group of a recipe, '' for none."""
    return image.properties.get(words.GROUP, '')


def find(cloud, name_or_id):
    """The image of a recipe. The project's own goes before others' by a name.

    :raises RecipeNotFound: when there is none
    :raises RecipeAmbiguous: when it cannot be told which
    """
    images = listed(cloud)
    mine = cloud.current_project_id
    for found in (
        [image for image in images if image.id == name_or_id],
        [i for i in images if i.name == name_or_id and i.owner == mine],
        [image for image in images if image.name == name_or_id],
    ):
        if len(found) > 1:
            raise exception.RecipeAmbiguous(
                recipe=terminal.printable(name_or_id),
                ids=', '.join(image.id for image in found),
            )
        if found:
            return found[0]
    raise exception.RecipeNotFound(recipe=terminal.printable(name_or_id))


def read(cloud, image):
    """The recipe in an image.

    :param image: as of :func:`find`
    :returns: a :class:`~nova_newos.build.recipes.document.Recipe`
    :raises NewosError: when there is none in it
    """
    if image.status != 'active':
        raise exception.RecipeNotReady(
            recipe=terminal.printable(image.name or image.id),
            status=image.status,
        )
    data = b''
    response = cloud.image.download_image(image.id, stream=True)
    try:
        for chunk in response.iter_content(document.MAX_SIZE + 1):
            data += chunk
            if len(data) > document.MAX_SIZE:
                # It says so.
                break
    finally:
        response.close()
    return document.parse(data)


def create(cloud, name, recipe, **attributes):
    """Put a recipe into Glance.

    :param name: of 1 to 255 characters
    :param recipe: a :class:`~nova_newos.build.recipes.document.Recipe`
    :param attributes: ``visibility`` and ``is_protected`` of the image
    :returns: its image
    :raises RecipeExists: when the project has one of that name
    """
    for image in listed(cloud):
        if image.name == name and image.owner == cloud.current_project_id:
            raise exception.RecipeExists(
                recipe=terminal.printable(name), id=image.id
            )
    return _upload(cloud, name, recipe, attributes)


def replace(cloud, image, recipe):
    """Change a recipe: a new image, and the old one is deleted.

    Members see the new one when they have accepted it, as any image.

    :param image: as of :func:`find`
    :returns: the new image
    :raises RecipeProtected: when the old one may not be deleted
    """
    if image.is_protected:
        raise exception.RecipeProtected(recipe=terminal.printable(image.name))
    changed = _upload(
        cloud,
        image.name,
        recipe,
        {'visibility': image.visibility},
        {words.REPLACES: image.id},
    )
    if image.visibility == 'shared':
        for member in cloud.image.members(image.id):
            cloud.image.add_member(changed.id, member_id=member.member_id)
    delete(cloud, image)
    return changed


def delete(cloud, image):
    """Delete a recipe, and first what a killed client has left of before.

    :param image: as of :func:`find`
    """
    before = image.properties.get(words.REPLACES)
    if before:
        _delete_replaced(cloud, before, image.owner)
    cloud.image.delete_image(image.id)


def _delete_replaced(cloud, image_id, owner):
    """What a recipe took the place of, if it is one, and there still."""
    try:
        image = cloud.image.get_image(image_id)
    except exceptions.NotFoundException:
        return
    if words.TAG in image.tags and image.owner == owner:
        cloud.image.delete_image(image.id)


def _upload(cloud, name, recipe, attributes, properties=None):
    # At once: Glance loses an image that is changed while it is uploaded.
    wanted = {
        words.FORMAT: '1',
        words.GROUP: recipe.group,
        words.DESCRIPTION: recipe.description,
        **(properties or {}),
    }
    return cloud.image.create_image(
        name,
        data=recipe.dump(),
        disk_format='raw',
        container_format='bare',
        tags=[words.TAG],
        allow_duplicates=True,
        meta={
            'is_hidden': True,
            **attributes,
            **{key: value for key, value in wanted.items() if value},
        },
    )
