# SPDX-License-Identifier: Apache-2.0
"""The driver ISO: virtio drivers for an OS that brings none."""

import uuid

from nova_newos import exception
from nova_newos.media import base

PROPERTY = 'newos_virtio_image_id'
OPTION = '[newos] virtio_image_id'

#: Value of the property or the option that says "no driver ISO".
NONE = 'none'


def image_id(value, source):
    """Read the id of a driver ISO.

    :param value: of an image property or an option
    :param source: where it comes from, for the error
    :returns: the UUID in its canonical form, or None for 'none'
    :raises ImageIdInvalid: for anything else. Nova takes an id with a slash
        for the address of an image service and sends it the user's token.
    """
    text = str(value).strip()
    if text.lower() == NONE:
        return None
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        parsed = None
    # UUID() also takes braces, URNs and missing hyphens.
    if parsed is None or str(parsed) != text.lower():
        raise exception.ImageIdInvalid(source=source, value=value)
    return str(parsed)


class VirtioMedium(base.Medium):
    """A driver ISO from Glance, named by the install ISO or the operator."""

    name = 'virtio'

    def reference(self, server):
        """The driver ISO's image id; the property wins over the option."""
        if PROPERTY in server.properties:
            return image_id(
                server.properties[PROPERTY], f'image property {PROPERTY}'
            )
        configured = self.conf.newos.virtio_image_id
        return image_id(configured, OPTION) if configured else None

    def contents(self, server, reference):
        """The image that was named at spawn.

        The operator's default is for guests that need drivers, and most need
        none: what is wrong with it must not keep them from being installed.
        """
        return base.GlanceImage(
            image_id(reference, 'the persisted layout'),
            is_required=PROPERTY in server.properties,
        )
