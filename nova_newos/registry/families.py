# SPDX-License-Identifier: Apache-2.0
"""Families, as Glance has them: looking, and nothing else."""

import dataclasses
import datetime

from nova_newos.registry import exception
from nova_newos.registry import glance
from nova_newos.registry import words

_STAMP = '%Y-%m-%dT%H:%M:%S.%fZ'
_NO_STAMP = datetime.datetime.min


@dataclasses.dataclass(frozen=True)
class Version:
    """One published image.

    :ivar image: as Glance's API has it, a dict
    """

    image: dict

    @property
    def id(self):
        """Of the image."""
        return self.image['id']

    @property
    def family(self):
        """Its name."""
        return self.image[words.FAMILY]

    @property
    def is_hidden(self):
        """Whether Glance lists it only for who asks for hidden images."""
        return self.image['os_hidden']

    @property
    def published(self):
        """When it last became the current one; a naive datetime in UTC.

        The owner can write anything there: what is no time was long ago.
        """
        try:
            return datetime.datetime.strptime(
                self.image.get(words.PUBLISHED, ''), _STAMP
            )
        except ValueError:
            return _NO_STAMP

    @property
    def order(self):
        """The same order of versions for all who look."""
        return self.published, self.id

    @property
    def day(self):
        """When it was built, YYYY-MM-DD."""
        built = self.image.get('image_build_date', '')[:10]
        try:
            return str(datetime.date.fromisoformat(built))
        except ValueError:
            return self.image['created_at'][:10]

    @property
    def is_usable(self):
        """Whether it boots, and may be booted."""
        return (
            self.image['status'] == 'active'
            and words.REVOKED not in self.image
        )


@dataclasses.dataclass(frozen=True)
class Family:
    """Versions of one family of one project.

    :ivar name: str
    :ivar owner: id of the project
    :ivar versions: tuple of :class:`Version`, the last published first
    """

    name: str
    owner: str
    versions: tuple

    @property
    def current(self):
        """The version that the name stands for, None for a retired family."""
        return next((v for v in self.versions if not v.is_hidden), None)

    @property
    def outdated(self):
        """Versions that are to be hidden: their publisher was stopped."""
        return [
            version
            for version in self.versions
            if not version.is_hidden and version is not self.current
        ]

    @property
    def former(self):
        """Versions that are hidden."""
        return [version for version in self.versions if version.is_hidden]

    def version(self, image_id):
        """The version with an id.

        :raises VersionNotFound: when there is none
        """
        for version in self.versions:
            if version.id == image_id:
                return version
        raise exception.VersionNotFound(image=image_id, family=self.name)


def version_of(image):
    """An image as a version of a family, None if it is none."""
    if words.FAMILY in image and words.is_itself(image):
        return Version(image)
    return None


def look(cloud, name, owner):
    """A family with all its versions.

    :param cloud: an ``openstack.connection.Connection``
    :param owner: id of the project
    :raises FamilyNotFound: when it has none
    """
    found = _family(_listed(cloud, glance.everywhere, name, owner), name)
    if not found:
        raise exception.FamilyNotFound(family=name)
    return Family(name, owner, found)


def look_visible(cloud, name, owner):
    """A family with its visible versions, which may be none."""
    found = _family(_listed(cloud, glance.images, name, owner), name)
    return Family(name, owner, found)


def current(cloud, **filters):
    """The current version of each family that the user sees.

    Former versions are hidden, so that Glance does not even tell them.

    :param filters: more of ``GET /v2/images``, owner or visibility say
    :returns: list of :class:`Version`, by name
    """
    newest = {}
    for image in glance.images(cloud, tag=words.TAG, **filters):
        version = version_of(image)
        if version is None:
            continue
        key = version.family, image['owner']
        newest[key] = max(
            version, newest.get(key, version), key=lambda each: each.order
        )
    return [newest[key] for key in sorted(newest)]


def _listed(cloud, images, name, owner):
    """Images that Glance says are of a family.

    :param images: a function of :mod:`.glance`
    """
    filters = {'tag': words.TAG, words.FAMILY: name, 'owner': owner}
    yield from images(cloud, **filters)
    if owner != cloud.current_project_id:
        # Those of others Glance gives only to who asks for such.
        yield from images(cloud, visibility='community', **filters)


def _family(found, name):
    versions = filter(None, map(version_of, found))
    return tuple(
        sorted(
            (each for each in versions if each.family == name),
            key=lambda version: version.order,
            reverse=True,
        )
    )


def next_stamp(family):
    """What a version is published at that is to be the last of a family.

    Clocks of clients differ: it is later than all that were published.

    :param family: a :class:`Family` with its visible versions at least
    :returns: str of constant length
    """
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    last = max(
        (version.published for version in family.versions), default=_NO_STAMP
    )
    # Nobody has published at the end of time.
    last = min(last, datetime.datetime(9998, 1, 1))
    return max(now, last + datetime.timedelta(microseconds=1)).strftime(_STAMP)
