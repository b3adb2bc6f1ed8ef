# SPDX-License-Identifier: Apache-2.0
"""Ask what is on a disk: the side of :mod:`nova_newos.seal.inside` in Nova."""

import json
import pathlib

from nova_newos.seal import appliance as appliances
from nova_newos.seal import inside

#: Where transactional and image-based systems keep an /etc of their own, which
#: the one in the root of the disk is not: SLE Micro's overlays, and OSTree's
#: deployments.
OTHER_ETC = ['/var/lib/overlay/*/etc', '/ostree/deploy/*/deploy/*/etc']

#: The ``image_state`` of Windows after its Sysprep, until it boots again.
GENERALIZED = 'IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE'

_INSIDE = pathlib.Path(inside.__file__)


def look(disk, appliance, patterns):
    """Look into a disk, which is not written.

    :param disk: a :class:`~nova_newos.seal.base.Disk`
    :param appliance: a :class:`~nova_newos.seal.appliance.Appliance`
    :param patterns: dict of name to list of paths in the guest, with wildcards
    :returns: dict as of ``inside.look``. Its shape is ours, the text and
        numbers in it are the guest's.
    :raises NewosError: as :meth:`Appliance.run` does
    """
    return json.loads(
        appliance.run(
            disk,
            appliances.SYSTEM_PYTHON,
            '-I',
            str(_INSIDE),
            disk.path,
            disk.format,
            json.dumps(patterns),
        )
    )
