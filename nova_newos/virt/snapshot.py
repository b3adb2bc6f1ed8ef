# SPDX-License-Identifier: Apache-2.0
"""From root disk to golden image: the record that a stranger can boot."""

import os

from nova.virt import images
from nova.virt.libvirt import utils as libvirt_utils
from oslo_utils import units

from nova_newos import exception
from nova_newos import traits

#: nova-api writes all of a server's system_metadata into the record of its
#: snapshot. These are about the installation, not the installed system:
#: base_image_ref would make the install ISO the default rescue image, and
#: what the stock client notes at an upload are the ISO's name and digests.
_DROPPED = ('base_image_ref', f'trait:{traits.INSTALLS}')
_DROPPED_PREFIXES = ('newos_', 'owner_specified.openstack.')


def check_root(guest, root):
    """Make sure that Nova would capture the root disk and nothing else.

    ``libvirt.utils.find_disk`` takes the first disk, and libvirt sorts disks.

    :param guest: a ``nova.virt.libvirt.guest.Guest``
    :param root: name of the root disk's file
    :returns: ``(path, format)`` of the root disk
    :raises WrongSnapshotDisk: if another disk is first
    """
    path, disk_format = libvirt_utils.find_disk(guest)
    if os.path.basename(path) != root:
        raise exception.WrongSnapshotDisk(found=path, expected=root)
    return path, disk_format


def min_disk(path, disk_format):
    """Smallest flavor root disk that the image fits on.

    :param path: of the root disk
    :param disk_format: as libvirt has it; the guest could have written a
        header of another format
    :returns: virtual size in whole GiB, rounded up
    """
    size = images.qemu_img_info(path, disk_format).virtual_size
    return -(-size // units.Gi)


def clean_properties(properties):
    """Properties of the golden image's record.

    :param properties: of the record as nova-api made it, str to str
    :returns: a new dict without what only concerns the installation
    """
    return {
        name: value
        for name, value in properties.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
