# SPDX-License-Identifier: Apache-2.0
"""An install server as the driver sees it."""

import dataclasses

from nova import objects
from oslo_serialization import base64

from nova_newos import layout
from nova_newos import media
from nova_newos.media import base
from nova_newos.virt import boot


@dataclasses.dataclass(frozen=True)
class InstallServer:
    """A server of Nova's, its layout, and what knows its CD-ROMs.

    :ivar instance: a ``nova.objects.Instance``
    :ivar layout: a :class:`~nova_newos.layout.Layout`, persisted or proposed
    :ivar media: a :class:`~nova_newos.media.Media`
    """

    instance: objects.Instance
    layout: layout.Layout
    media: media.Media

    @property
    def root(self):
        """Name of the disk that holds the operating system."""
        return self.layout.root

    @property
    def cdroms(self):
        """Names of the CD-ROMs, in the order in which they are promised."""
        return self.layout.cdroms

    def contents(self, name):
        """How to have the bytes of a CD-ROM.

        :param name: of the disk, one of :attr:`cdroms`
        :returns: a :class:`~nova_newos.media.base.GlanceImage` or
            :class:`~nova_newos.media.base.Generated`
        :raises NewosError: when there is no way
        """
        if name == layout.STOCK_ROOT:
            return base.GlanceImage(self.layout.iso)
        return self.medium(layout.medium_of(name))

    def medium(self, name):
        """How to have the bytes of a medium, by its name; see above."""
        return self.media.get(name).contents(
            as_plain(self.instance, self.layout.iso),
            dict(self.layout.media)[name],
        )


def as_plain(instance, iso):
    """A Nova instance in the plain values that media plug-ins see.

    :param iso: id of the install ISO's Glance image
    :returns: a :class:`nova_newos.media.base.Server`
    """
    user_data = instance.user_data
    return base.Server(
        uuid=instance.uuid,
        project_id=instance.project_id,
        iso=iso,
        properties=layout.image_properties(instance.system_metadata),
        user_data=base64.decode_as_bytes(user_data) if user_data else None,
        finishes_by_reboot=boot.finishes_by_reboot(instance),
    )
