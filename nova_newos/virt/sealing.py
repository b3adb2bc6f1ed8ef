# SPDX-License-Identifier: Apache-2.0
"""Seal golden images and look into them, as Nova takes them."""

import functools

from nova.compute import task_states
import nova.conf

from nova_newos import layout
from nova_newos.golden import finishing

CONF = nova.conf.CONF


def is_asked_for(instance):
    """Whether the golden image of a server is to be sealed.

    :raises NewosError: when it cannot be told
    """
    return finishing.is_sealing_asked(
        instance.metadata,
        layout.image_properties(instance.system_metadata),
        CONF.newos.seal,
    )


class Sealing:
    """The sealers of this process, and where they work."""

    def __init__(self):
        """:raises NewosError: when a sealer cannot be loaded"""
        self._finisher = finishing.Finisher(
            CONF, emulate=CONF.libvirt.virt_type == 'qemu'
        )

    def finisher(self, instance):
        """What becomes of the copy of a server's disk before it is an image.

        Nothing for backups and shelved servers: they are to come back as they
        were.

        :returns: None for nothing; else a function that is given a
            :class:`nova_newos.golden.base.Disk` that it may write, returns a
            dict of properties for the golden image, and raises NewosError
            when it must not become one
        :raises NewosError: when it cannot be told what the user wants
        """
        if not _becomes_golden(instance):
            return None
        # Now: the user may change his mind meanwhile.
        is_sealed = is_asked_for(instance)
        if not (is_sealed or CONF.newos.refuse):
            return None
        return functools.partial(self._finisher.finish, is_sealed=is_sealed)


def _becomes_golden(instance):
    return instance.task_state == task_states.IMAGE_SNAPSHOT
