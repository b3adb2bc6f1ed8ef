# SPDX-License-Identifier: Apache-2.0
"""How long a build took, by when the cloud says that its parts were made.

Ends that nothing was made at are told by this machine's clock.
"""

import datetime
import re

from oslo_utils import timeutils

from nova_newos.build import words

#: Of a golden image's property: phases that a build spends its time in.
_ENTRY = re.compile(r'([a-z]{1,16})=(\d{1,7})')


def now():
    """The time in UTC, without a zone as all times here."""
    return timeutils.utcnow()


def parse(text):
    """A time of the cloud's, or of :func:`text_of`; None when it is none."""
    try:
        return timeutils.normalize_time(timeutils.parse_isotime(text))
    except (ValueError, TypeError):
        return None


def text_of(time):
    """ISO 8601 in UTC, as the cloud writes it."""
    return time.isoformat(timespec='seconds') + 'Z'


def began(found):
    """When each phase began that has begun.

    :param found: a :class:`~nova_newos.build.facts.Facts`
    :returns: dict of a phase's name to its time, in order
    """
    beginnings = {
        'upload': found.isos,
        'install': [found.install] if found.install else [],
        'capture': [found.candidate] if found.candidate else [],
        'test': found.tests,
    }
    return {
        phase: min(times)
        for phase, things in beginnings.items()
        if (times := [t for each in things if (t := parse(each.created_at))])
    }


def of_published(image):
    """When the build of a golden image began and ended, by what it says.

    :returns: two times, both None when it says nothing
    """
    took = of_property((image.properties or {}).get(words.SECONDS))
    captured = parse(image.created_at)
    if not took or captured is None:
        return None, None
    before = sum(took.get(phase, 0) for phase in ('upload', 'install'))
    begun = captured - datetime.timedelta(seconds=before)
    return begun, begun + datetime.timedelta(seconds=sum(took.values()))


def ended(found):
    """When a build failed that is kept; else now."""
    metadata = found.install.metadata if found.install else {}
    return parse(metadata.get(words.FAILED_AT)) or now()


def seconds(since, until):
    """Whole seconds, 0 where clocks differ by more."""
    return max(0, round((until - since).total_seconds()))


def age(thing):
    """Seconds since a server or image was made."""
    made = parse(thing.created_at)
    return seconds(made, now()) if made else 0


def as_property(found):
    """What :func:`of_property` reads, of a build that is published now."""
    phases = began(found)
    ends = [*list(phases.values())[1:], now()]
    return ' '.join(
        f'{phase}={seconds(begin, end)}'
        for (phase, begin), end in zip(phases.items(), ends, strict=True)
    )


def of_property(text):
    """Seconds of each phase of an earlier build.

    :param text: of a golden image's property, which its owner can change
    :returns: dict of str to int, without what makes no sense
    """
    return {
        match[1]: int(match[2])
        for match in map(_ENTRY.fullmatch, (text or '').split())
        if match
    }
