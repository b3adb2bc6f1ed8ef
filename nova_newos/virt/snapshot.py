# SPDX-License-Identifier: Apache-2.0
"""The record of a golden image: a stranger can boot it, and see its origin."""

import contextlib
import datetime
import importlib.metadata
import os

from nova import exception as nova_exception
from nova import version
from nova.compute import utils as compute_utils
import nova.conf
from nova.virt import images
from nova.virt.libvirt import utils as libvirt_utils
from oslo_utils import units

from nova_newos import exception
from nova_newos import traits
from nova_newos.golden import finishing
from nova_newos.golden import provenance
from nova_newos.media import base
from nova_newos.virt import images as newos_images
from nova_newos.virt import install

CONF = nova.conf.CONF

#: Name of the event, among those of the compute manager.
EVENT = 'compute_capture_root_disk'

#: nova-api writes all of a server's system_metadata into the record of its
#: snapshot. These are about the installation, not the installed system:
#: base_image_ref would make the install ISO the default rescue image, and
#: what the stock client notes at an upload are the ISO's name and digests.
_DROPPED = (
    'base_image_ref',
    # The installer's, or what it was started with.
    'kernel_id',
    'ramdisk_id',
    'os_command_line',
    f'trait:{traits.INSTALLS}',
)
_DROPPED_PREFIXES = (
    'newos_',
    'owner_specified.openstack.',
    # The ISO's would be somebody's claim.
    provenance.PREFIX,
    finishing.REPORT_PREFIX,
    finishing.VERDICT_PREFIX,
)


@contextlib.contextmanager
def reported(context, instance):
    """Have a failure among the events of the user's request.

    From Nova 34 on the compute manager takes images in the background: to the
    user the image goes away, and the request is a success.
    """
    with contextlib.ExitStack() as stack:
        # Not each caller of the driver has a request to report to.
        with contextlib.suppress(nova_exception.InstanceActionNotFound):
            stack.enter_context(
                compute_utils.EventReporter(
                    context, EVENT, CONF.host, instance.uuid
                )
            )
        yield


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


def provenance_of(context, instance, server_layout, media, qemu):
    """Where the image of a server comes from.

    :param context: of the requester, whose token asks Glance
    :param media: a :class:`nova_newos.media.Media`
    :param qemu: version as ``virConnectGetVersion`` has it, a number
    :returns: dict, see :func:`nova_newos.golden.provenance.properties`
    """
    server = install.as_server(instance, server_layout.iso)

    def described(name, reference):
        # An image needs no CD-ROM, so none must keep it from being made.
        with contextlib.suppress(exception.NewosError):
            contents = media.get(name).contents(server, reference)
            if isinstance(contents, base.GlanceImage):
                image_id = contents.image_id
                return name, image_id, newos_images.digest(context, image_id)
        return name, reference, None

    return provenance.properties(
        server=instance.uuid,
        iso=(
            server_layout.iso,
            newos_images.digest(context, server_layout.iso),
        ),
        media=[described(*medium) for medium in server_layout.media],
        flavor=instance.flavor.name,
        versions={
            'nova-newos': importlib.metadata.version('nova-newos'),
            'nova': version.version_string(),
            'qemu': _dotted(qemu),
        },
        started=instance.created_at,
        captured=datetime.datetime.now(datetime.UTC),
    )


def _dotted(number):
    """A version of libvirt's as people write it."""
    return f'{number // 1000000}.{number // 1000 % 1000}.{number % 1000}'
