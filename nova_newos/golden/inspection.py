# SPDX-License-Identifier: Apache-2.0
"""Ask what is on a disk: :mod:`nova_newos.golden.inspector`, from Nova."""

import dataclasses
import json
import pathlib
from typing import Any

from oslo_log import log as logging

from nova_newos.golden import appliance as appliances
from nova_newos.golden import base
from nova_newos.golden import inspector

LOG = logging.getLogger(__name__)

#: Where transactional and image-based systems keep an /etc of their own, which
#: the one in the root of the disk is not: SLE Micro's overlays, and OSTree's
#: deployments.
OTHER_ETC = ['/var/lib/overlay/*/etc', '/ostree/deploy/*/deploy/*/etc']

#: The ``image_state`` of Windows after its Sysprep, until it boots again.
GENERALIZED = 'IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE'

_PROGRAM = pathlib.Path(inspector.__file__).parent


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What was found. The text and numbers in it are the guest's.

    :ivar disk: dict as of ``inspector.program.inspect``
    :ivar asked: dict of sealer name to what its
        :class:`~nova_newos.golden.base.LastBoot` is told
    """

    disk: dict[str, Any]
    asked: dict[str, dict[str, Any]]


def as_plan(last_boot, write=True):
    """What a sealer leaves to the last boot, for the program that does it.

    :param last_boot: a :class:`~nova_newos.golden.base.LastBoot`
    :param write: whether its edits are made
    :returns: dict that JSON has words for
    :raises TypeError: when a sealer gave something else
    """
    plan = {
        'patterns': {
            name: list(paths) for name, paths in last_boot.patterns.items()
        },
        'edits': [
            dataclasses.asdict(edit) for edit in last_boot.edits if write
        ],
    }
    json.dumps(plan)
    return plan


def inspect(
    disk, appliance, patterns, wanted=None, write=False, everywhere=()
):
    """Inspect a disk, and do what sealers left to the last boot.

    :param disk: a :class:`~nova_newos.golden.base.Disk`
    :param appliance: a :class:`~nova_newos.golden.appliance.Appliance`
    :param patterns: dict of name to list of paths in the guest, with
        wildcards, which are looked for when all else is done
    :param wanted: dict of sealer name to
        :class:`~nova_newos.golden.base.LastBoot`
    :param write: whether the disk may be written, which is only done if
        something is wanted. Else an overlay takes it.
    :param everywhere: names of the patterns that are looked for in snapshots
        of btrfs too
    :returns: an :class:`Inspection`
    :raises NewosError: as :meth:`Appliance.run` does
    """
    wanted = wanted or {}
    found = _run(
        disk,
        appliance,
        {
            'write': write and bool(wanted),
            'discard': write and any(each.discard for each in wanted.values()),
            'patterns': patterns,
            'everywhere': list(everywhere),
            'asked': {
                name: as_plan(each, write) for name, each in wanted.items()
            },
        },
    )
    for each in found.get('missing', ()):
        LOG.info(
            '%s: %s of the guest (%s) cannot be mounted: %s',
            disk.path,
            *(
                base.sanitize(each[name], 500)
                for name in ('point', 'device', 'reason')
            ),
        )
    return Inspection(
        disk=found,
        asked={
            name: found | found.get('asked', {}).get(name, {})
            for name in wanted
        },
    )


def answers(disk, appliance):
    """What an installer has left of its answers, in a boot of its own.

    :param disk: a :class:`~nova_newos.golden.base.Disk`, which is not written
    :param appliance: a :class:`~nova_newos.golden.appliance.Appliance`
    :returns: dict of path on an answer CD to text without secrets; the text
        is the guest's
    :raises NewosError: as :meth:`Appliance.run` does
    """
    plan = {'write': False, 'discard': False, 'answers': True}
    return _run(disk, appliance, plan)['answers']


def _run(disk, appliance, plan):
    """What the program says; a dict."""
    answer = appliance.run(
        disk,
        appliances.SYSTEM_PYTHON,
        '-I',
        str(_PROGRAM),
        disk.path,
        disk.format,
        json.dumps(plan),
    )
    return json.loads(answer)
