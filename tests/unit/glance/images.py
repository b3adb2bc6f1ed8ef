# SPDX-License-Identifier: Apache-2.0

"""A repository with one image, and Glance's own layers over it."""

import copy

from glance import domain
from glance import quota
from glance.api import property_protections
from glance.common import exception as glance_exception

IMAGE = 'c0ffee00-0000-4000-8000-000000000001'
TASK = 'import-task'
LOCK = 'os_glance_import_task'


def make(extra_properties=(), status='importing', **attributes):
    """An image that is being imported."""
    image = domain.ImageFactory().new_image(
        image_id=IMAGE,
        container_format='bare',
        extra_properties={LOCK: TASK, **dict(extra_properties)},
        **{'disk_format': 'iso', **attributes},
    )
    # Any is reached from queued, but for what needs data.
    if status != 'queued':
        image.status = status
    return image


def _copy(image):
    found = copy.copy(image)
    found.extra_properties = domain.ExtraProperties(image.extra_properties)
    return found


class Repo:
    """What Glance's database does.

    :ivar image: as it is there; None when it was deleted
    :ivar statuses: that it was saved with
    """

    def __init__(self, image):
        self.image = _copy(image)
        self.statuses = []

    def get(self, image_id):
        if self.image is None:
            raise glance_exception.ImageNotFound()
        assert image_id == self.image.image_id
        return _copy(self.image)

    def save(self, image, from_state=None):
        if self.image is None:
            raise glance_exception.ImageNotFound()
        assert from_state == self.image.status, (from_state, image.status)
        self.image = _copy(image)
        self.statuses.append(image.status)

    def delete_property_atomic(self, image, name, value):
        if self.image.extra_properties.get(name) != value:
            raise glance_exception.NotFound()
        del self.image.extra_properties[name]

    def change(self, **properties):
        """What the user does in the meantime."""
        self.image.extra_properties.update(properties)


def with_quota(repo):
    """The layer of image_property_quota."""
    return quota.ImageRepoProxy(repo, None, None, None)


class _Rules:
    def __init__(self, names):
        self._names = names

    def check_property_rules(self, name, action, context):
        return action == 'read' or not name.startswith(self._names)


def with_protections(repo, *names):
    """The layer of property protections.

    :param names: properties that begin so can only be read
    """
    return property_protections.ProtectedImageRepoProxy(
        repo, None, _Rules(names)
    )
