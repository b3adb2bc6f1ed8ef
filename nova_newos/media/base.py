# SPDX-License-Identifier: Apache-2.0
"""What a medium is: one further CD-ROM of an install server.

A third party adds a medium by a class of :class:`Medium` under an entry point
in the namespace ``nova_newos.media`` and its name in ``[newos] media``. It
sees plain values only; the driver does the rest: device names and order, the
check that the server's project may read an image, the disk on the storage
of the host, and having the bytes again after they were lost.
"""

import abc
import collections.abc
import dataclasses

from oslo_config import cfg


@dataclasses.dataclass(frozen=True)
class Server:
    """What a medium may know of the server it is asked about.

    :ivar uuid: of the server
    :ivar project_id: of the server's owner
    :ivar iso: id of the install ISO's Glance image
    :ivar properties: the install ISO's image properties, str to str. They
        come from users: treat them as hostile. Nova cuts values at 255
        characters.
    :ivar user_data: the server's user data, decoded, or None. Hostile too.
    :ivar finishes_by_reboot: whether the guest is off when the installer
        first reboots it
    """

    uuid: str
    project_id: str
    iso: str
    properties: collections.abc.Mapping[str, str]
    user_data: bytes | None = None
    finishes_by_reboot: bool = False


@dataclasses.dataclass(frozen=True)
class GlanceImage:
    """The CD-ROM is a Glance image of disk format iso.

    :ivar image_id: its UUID; anything else is refused
    :ivar is_required: whether a new server is refused when it cannot have the
        image. Otherwise it goes without, and its owner is told.
    """

    image_id: str
    is_required: bool = True


@dataclasses.dataclass(frozen=True)
class Generated:
    """The CD-ROM is made on the host.

    :ivar label: volume label that the guest finds it by
    :ivar write: called with the path of a new, empty file; writes an ISO 9660
        image to it. The same server and reference must give the same files
        on every host, for they are written anew wherever they are missing;
        the volume's dates may differ. Raises a
        :class:`~nova_newos.exception.NewosError` when they cannot be made
        any more: a new server is refused then, and one that was installed
        goes on with an empty drive. The medium ``answers`` gives the same
        bytes, as long as the hosts have the same version of pycdlib.
    """

    label: str
    write: collections.abc.Callable[[str], None]


class Medium(abc.ABC):
    """One kind of CD-ROM. Instances are shared by threads and hold no state.

    :cvar name: of the medium; the disk is ``disk.<name>``. Lower-case
        letters, digits and hyphens, at most 16, beginning with a letter, and
        the same as the entry point's name.
    """

    name: str

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Keep the configuration.

        :param conf: Nova's ``oslo_config.cfg.ConfigOpts``. A medium with
            options of its own registers them here.
        """
        self.conf = conf

    @abc.abstractmethod
    def reference(self, server: Server) -> str | None:
        """Whether the medium applies, and what names its bytes.

        Called before a server is spawned, more than once, when nothing exists
        yet. It must be quick and must not ask Glance or the guest.

        :param server: a :class:`Server`
        :returns: None when the server does not get this CD-ROM; else a short
            string (a UUID, a digest) that is persisted with the server and
            handed to :meth:`contents` from then on. All media of a server
            share Nova's 255 characters: beside the built-in ones there is
            room for one more with a UUID.
        :raises nova_newos.exception.NewosError: when user input is wrong; the
            text reaches the user as the server's fault
        """

    @abc.abstractmethod
    def contents(
        self, server: Server, reference: str
    ) -> GlanceImage | Generated:
        """How to have the bytes.

        Called whenever the disk is made or is missing, possibly on another
        host and long after :meth:`reference`.

        :param server: a :class:`Server`
        :param reference: what :meth:`reference` returned at spawn
        :returns: a :class:`GlanceImage` or a :class:`Generated`
        :raises nova_newos.exception.NewosError: when there is no way
        """
