# SPDX-License-Identifier: Apache-2.0
"""What the demo holds a golden image and the servers from it to."""

import re

#: How the Debian that is installed here shows on its console which host it is,
#: see media/guest/root-setup.
_IDENTITY = re.compile(r'^(machine-id|host key): +(\S.*?) *$')

#: Names of properties that say how an image was made begin with these.
_ORIGIN = ('provenance_', 'seal_', 'verdict_')


def record_problems(record, properties):
    """Say what of an image's record a golden image must not have.

    :param record: the image as a dictionary.
    :param properties: its properties that Glance has no field for.
    :returns: a list of texts, empty when it is clean.
    """
    problems = []
    if record['disk_format'] == 'iso':
        problems.append('its disk_format is iso')
    if not record['min_disk']:
        problems.append('its min_disk is not set')
    problems += [
        f'it has the property {name}'
        for name in sorted(properties)
        if name.removeprefix('image_').startswith('newos_')
        or name == 'base_image_ref'
    ]
    return problems


def devices(listed):
    """Return the kinds of a guest's drives, as ['disk', 'cdrom'].

    :param listed: what "virsh domblklist --details" says of it
    """
    # Two lines of heading, then type, device, target and source.
    return [line.split()[1] for line in listed.strip().splitlines()[2:]]


def origin(properties):
    """Return what an image says of how it was made, as (name, value) rows."""
    return [
        (name, str(value))
        for name, value in sorted(properties.items())
        if name.startswith(_ORIGIN)
    ]


def identity(console):
    """Return what tells one host from another, as a set of (name, value).

    :param console: a demo_console.Console of a server that is up
    """
    found = map(_IDENTITY.search, console.lines)
    return {match.groups() for match in found if match}


def identity_problems(identities):
    """Say what servers from one image share, or lack.

    :param identities: what identity() returns of each
    :returns: a list of texts, empty when they are hosts of their own
    """
    problems = [
        'a server shows no machine-id or no host key'
        for each in identities
        if {name for name, _value in each} != {'machine-id', 'host key'}
    ]
    shared = sorted(set.intersection(*identities))
    return problems + [
        f'servers share {name}: {value}' for name, value in shared
    ]
