# SPDX-License-Identifier: Apache-2.0
"""What SCS-0102 has an image say, so that existing tools read it.

https://docs.scs.community/standards/scs-0102-v1-image-metadata has the names,
the values and what they promise.
"""

import datetime
import re

from nova_newos.registry import exception
from nova_newos.registry import words

FREQUENCIES = (
    'yearly',
    'quarterly',
    'monthly',
    'weekly',
    'daily',
    'critical_bug',
    'never',
)

#: What the next version of a family takes over, with what the first one has.
#: No more is promised than was asked for.
INHERITED = {
    'image_source': 'private',
    'image_description': 'golden image',
    'image_original_user': None,
    'os_purpose': 'custom',
    'replace_frequency': 'critical_bug',
    'uuid_validity': 'none',
    'provided_until': 'none',
}

BUILD_DATE = 'image_build_date'

_CAPTURED = 'provenance_captured'

_LAST = re.compile(r'last-([0-9]{1,6})')


def complete(image, given, before):
    """What a new version says.

    :param image: it, as Glance's API has it
    :param given: dict of what the publisher says; the rest is filled in
    :param before: the version that it follows, or None
    :returns: dict of properties, without those that it says already
    :raises FactInvalid: for what the standard does not know
    """
    said = {BUILD_DATE: _built(image)}
    for name, default in INHERITED.items():
        inherited = before.image.get(name) if before else None
        said[name] = inherited or default
    own = {} if _is_by_nova(image) else image
    missing = {n: v for n, v in said.items() if v and not own.get(n)}
    return {**missing, **checked(given)}


def _is_by_nova(image):
    """Whether Nova has copied onto it what another image says of itself.

    It does so from the install ISO, and from the image of any other server.
    """
    is_captured = _CAPTURED in image and words.COPIED_FROM not in image
    return is_captured or words.is_inherited(image)


def _built(image):
    """YYYY-MM-DD in UTC."""
    captured = image.get(_CAPTURED, '')[:10]
    if words.is_inherited(image) or day(captured) is None:
        return image['created_at'][:10]
    return captured


def checked(given):
    """What a publisher says, if it means something.

    :param given: dict of property to str
    :raises FactInvalid: when it does not
    """
    for name, value in given.items():
        if not 0 < len(value) <= words.MAX_LENGTH:
            _refuse(name, value, f'1 to {words.MAX_LENGTH} characters')
    frequency = given.get('replace_frequency', FREQUENCIES[0])
    if frequency not in FREQUENCIES:
        _refuse('replace_frequency', frequency, ', '.join(FREQUENCIES))
    until = given.get('provided_until', 'none')
    if until not in ('none', 'notice') and day(until) is None:
        _refuse('provided_until', until, 'YYYY-MM-DD, none or notice')
    validity = given.get('uuid_validity', 'none')
    if not (
        validity in ('none', 'notice', 'forever')
        or day(validity)
        or _LAST.fullmatch(validity)
    ):
        _refuse(
            'uuid_validity',
            validity,
            'YYYY-MM-DD, last-N, none, notice or forever',
        )
    return dict(given)


def _refuse(name, value, expected):
    raise exception.FactInvalid(name=name, value=value, expected=expected)


def day(text):
    """A date of YYYY-MM-DD, None if it is none."""
    try:
        return datetime.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def today():
    """In UTC, as all dates of the standard."""
    return datetime.datetime.now(datetime.UTC).date()


def promise(image, place):
    """What keeps the id of a former version valid.

    :param image: as Glance's API has it
    :param place: how many of its family have been published since, at least 1
    :returns: for people, '' when nothing does
    """
    validity = image.get('uuid_validity', 'none')
    last = _LAST.fullmatch(validity)
    until = day(validity)
    if (
        validity in ('notice', 'forever')
        or (last and place <= int(last[1]))
        or (until and until >= today())
    ):
        return f'uuid_validity={validity}'
    return ''
