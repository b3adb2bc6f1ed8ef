# SPDX-License-Identifier: Apache-2.0
"""Where a golden image comes from, as properties of its Glance image.

Plain values in and out. The names are stable: people search images by them.
"""

import datetime

#: What the names of all properties begin with.
PREFIX = 'provenance_'

#: What those begin with that say how it was sealed, and what was found on it.
SEAL_PREFIX = 'seal_'
VERDICT_PREFIX = 'verdict_'

#: What the properties that every image has are called behind the prefix.
RESERVED = frozenset(
    ('server', 'iso', 'flavor', 'versions', 'started', 'captured')
)

#: nova-api copies an image's properties into the system_metadata of servers,
#: whose column ends here.
MAX_LENGTH = 255


def properties(
    *, server, iso, media, flavor, versions, started, captured, change=None
):
    """Properties of a golden image.

    :param server: UUID of the install server
    :param iso: ``(id, digest)`` of the install ISO; see :func:`digest`
    :param media: list of ``(name, value, digest)`` of each further CD-ROM; the
        value is the id of its Glance image, or what else names its bytes, the
        digest None for those that are not in Glance
    :param flavor: name of the server's flavor
    :param versions: dict of software to version
    :param started: when the server was created, an aware datetime
    :param captured: when the image was asked for, an aware datetime
    :param change: how what the guest had differs from the install ISO, None
        for not at all
    :returns: dict of str to str, without what is not known
    """
    iso_id, iso_digest = iso
    found = {
        'server': server,
        'iso': iso_id,
        'iso_hash': iso_digest,
        'iso_change': change,
        'flavor': flavor,
        'versions': ', '.join(f'{n} {v}' for n, v in versions.items()),
        'started': _time(started),
        'captured': _time(captured),
    }
    for name, value, medium_digest in media:
        found[name] = value
        found[f'{name}_hash'] = medium_digest
    return {
        f'{PREFIX}{name}': value[:MAX_LENGTH]
        for name, value in found.items()
        if value
    }


def digest(algorithm, value):
    """Glance's ``os_hash_algo`` and ``os_hash_value`` as one value.

    :returns: str like ``sha512:<hexadecimal>``, or None when Glance has none
    """
    return f'{algorithm}:{value}' if algorithm and value else None


def _time(moment):
    """ISO 8601, in UTC, to the second."""
    utc = moment.astimezone(datetime.UTC)
    return utc.replace(microsecond=0, tzinfo=None).isoformat() + 'Z'
