# SPDX-License-Identifier: Apache-2.0
"""What a sealer is: one step between an installed disk and a golden image.

A third party adds a sealer by a class of :class:`Sealer` under an entry point
in the namespace ``nova_newos.sealers`` and its name in ``[newos] sealers``. It
works on a copy; the server and its own disk are out of its reach.
"""

import abc
import dataclasses

#: Characters of a report that are kept.
REPORT_LENGTH = 100


@dataclasses.dataclass(frozen=True)
class Disk:
    """The copy that is sealed.

    :ivar path: absolute, of a file that may be written. It may be an overlay:
        what is behind it must not be touched.
    :ivar format: as QEMU calls it, ``qcow2`` or ``raw``. A guest could write
        the header of another one: name this to every tool, let none guess.
    """

    path: str
    format: str


class Sealer(abc.ABC):
    """One step. Instances are shared by threads and hold no state.

    :cvar name: of the sealer. Lower-case letters, digits and hyphens, at most
        16, beginning with a letter, and the same as the entry point's name.
    """

    name: str

    def __init__(self, conf):
        """Keep the configuration.

        :param conf: Nova's ``oslo_config.cfg.ConfigOpts``. A sealer with
            options of its own registers them here.
        :raises nova_newos.exception.NewosError: for options that cannot be
            used; nova-compute does not start then
        """
        self.conf = conf

    @abc.abstractmethod
    def seal(self, disk, appliance):
        """Change the disk in place.

        What the guest wrote is hostile: file systems are opened inside the
        appliance only, and text from there is not trusted either.

        :param disk: a :class:`Disk`
        :param appliance: a :class:`~nova_newos.seal.appliance.Appliance`,
            which runs libguestfs tools
        :returns: str, what was done, for a property of the golden image; at
            most :data:`REPORT_LENGTH` characters of printable ASCII are kept
        :raises nova_newos.exception.NewosError: when it could not be done;
            the image fails with this text and is not kept
        """
