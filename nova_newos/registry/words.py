# SPDX-License-Identifier: Apache-2.0
"""What images of families bear, in Glance's and Nova's limits."""

from nova_newos.registry import exception

#: Tag of all versions of all families. Nova's snapshots inherit properties,
#: and no tags: a filter by this tag leaves them to Glance.
TAG = 'golden-family'

#: Properties of a version: its family, its own id, when it was published.
FAMILY = 'golden_family'
SELF = 'golden_self'
PUBLISHED = 'golden_published'

#: Why nobody is to boot the image any more.
REVOKED = 'golden_revoked'

#: Of a copy: the id of the image in the cloud that it comes from.
COPIED_FROM = 'golden_copied_from'

#: Of names, and of properties that servers are made from.
MAX_LENGTH = 255

# How much longer the name of a former version is.
_SUFFIX = len(' (YYYYMMDD)')


def check_name(family):
    """Refuse what could not be the name of a family.

    :raises FamilyNameInvalid: what Glance or the stock client could not find
    """
    limit = MAX_LENGTH - _SUFFIX
    if not 0 < len(family) <= limit:
        reason = f'has to have 1 to {limit} characters'
    elif family != family.strip() or not family.isprintable():
        reason = 'has white space at its ends, or characters that do not print'
    elif set(':/') & set(family):
        # The client looks for GET /images/NAME, and then for ?name=NAME, where
        # Glance takes what is before a colon for an operator.
        reason = 'has a colon or a slash, and "image show" could not find it'
    else:
        return
    raise exception.FamilyNameInvalid(family=family, reason=reason)


def former_name(family, day):
    """Name of a version that another one has followed.

    :param day: when it was built, YYYY-MM-DD
    """
    return f'{family} ({day.replace("-", "")})'


def is_itself(image):
    """Whether what an image says of itself is about it.

    Nova copies properties of an image onto its servers, and from there onto
    their snapshots: there the id is another image's.

    :param image: as Glance's API has it, a dict
    """
    return image.get(SELF) == image['id']


def is_inherited(image):
    """Whether what an image says of itself is about another one."""
    return (SELF in image or FAMILY in image) and not is_itself(image)
