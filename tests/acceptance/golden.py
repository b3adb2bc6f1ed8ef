# SPDX-License-Identifier: Apache-2.0
"""What the record of an image of a root disk must be."""

#: Properties that are about the installation, or about another server.
_FOREIGN = ('newos', 'base_image', 'owner_specified', 'trait:')


def check(image, images_type, min_disk=1):
    """Whether a stranger could boot it.

    :param image: of openstacksdk
    :param images_type: of the host that made it
    :param min_disk: GiB of the root disk
    """
    assert image.status == 'active'
    expected = 'raw' if images_type == 'flat' else images_type
    assert image.disk_format == expected
    assert image.min_disk == min_disk
    # A whole ISO is less, and the probe's disk is more than nothing.
    assert image.size > 2**20
    assert [n for n in image.properties if n.startswith(_FOREIGN)] == []


def named(cloud, name):
    """The one image of that name."""
    [image] = cloud.image.images(name=name)
    return image
