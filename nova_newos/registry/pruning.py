# SPDX-License-Identifier: Apache-2.0
"""Delete former versions that nobody needs any more."""

import dataclasses

from openstack import exceptions

from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import publishing
from nova_newos.registry import scs
from nova_newos.registry import servers


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What becomes of a former version.

    :ivar version: a :class:`~nova_newos.registry.families.Version`
    :ivar kept: why it is kept, for people; '' when it is deleted
    """

    version: families.Version
    kept: str = ''


def prune(cloud, family, owner, keep, dry_run=False):
    """Delete all but some former versions of a family.

    What a server was made from stays, and what is protected or promised.

    :param keep: how many former versions stay in any case, the last published
    :param dry_run: whether nothing is deleted
    :returns: list of :class:`Judgement`, of all former versions
    """
    if not dry_run:
        publishing.settle(cloud, family, owner)
    found = families.look(cloud, family, owner)
    known = servers.Servers(cloud)
    judged = []
    for place, version in enumerate(found.former, 1):
        kept = _reason(version, place, keep) or _use(known, version)
        if not kept and not dry_run:
            kept = _delete(cloud, version)
        judged.append(Judgement(version, kept))
    return judged


def _reason(version, place, keep):
    """What keeps it whether it is in use or not."""
    if place <= keep:
        return 'one of the last'
    if version.image['protected']:
        return 'protected'
    return scs.promise(version.image, place)


def _use(known, version):
    using = known.of(version.id)
    return f'servers were made from it: {len(using)}' if using else ''


def _delete(cloud, version):
    try:
        if not glance.get(cloud, version.id)['os_hidden']:
            return 'current again'
        glance.delete(cloud, version.id)
    except exceptions.NotFoundException:
        # Another client was first.
        return ''
    except (
        exceptions.ConflictException,
        exceptions.ForbiddenException,
    ) as error:
        # A volume's clone in the same storage say, or the cloud's policy.
        return f'Glance keeps it: {error.details or error}'
    return ''
