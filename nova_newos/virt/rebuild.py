# SPDX-License-Identifier: Apache-2.0
"""What a rebuild leaves behind when it fails early, or leaves the ISO."""

import contextlib

from nova import block_device
from nova import exception as nova_exception
from nova import objects
from nova import utils
from nova.compute import task_states
import nova.conf
from nova.virt import driver
from nova.virt.libvirt import blockinfo
from nova.virt.libvirt import imagecache
from nova.virt.libvirt import utils as libvirt_utils
from oslo_log import log as logging
from oslo_utils import excutils

from nova_newos import layout
from nova_newos.virt import blockinfo as newos_blockinfo
from nova_newos.virt import install

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


def evacuates(instance):
    """Whether a rebuild is that of an evacuation.

    ``ComputeManager.rebuild_instance`` names the new host only afterwards.
    """
    return (
        # Nova also asks about servers that it knows little more of than ids.
        instance.obj_attr_is_set('task_state')
        and instance.task_state
        in (task_states.REBUILDING, task_states.REBUILD_SPAWNING)
        and instance.host != CONF.host
    )


@contextlib.contextmanager
def undone_if_failed(context, image_api, instance, bdms, get_backend):
    """Let a server whose rebuild does not begin go on as what it is.

    It is refused, or Glance could not be asked. By then the new image is
    written into the server, by ``nova.compute.api.API.rebuild``, and nobody
    takes it back.

    :param context: of the requester
    :param image_api: a ``nova.image.glance.API``
    :param bdms: the server's block device mappings
    :param get_backend: called for the image backend of ``disk``; returns
        None for a server that boots from a volume
    """
    try:
        yield
    except Exception:
        with excutils.save_and_reraise_exception():
            _undo(context, image_api, instance, bdms, get_backend())
            instance.save()


def _undo(context, image_api, instance, bdms, backend):
    server_layout = layout.load(instance.system_metadata)
    if server_layout is not None:
        image_id = server_layout.iso
    else:
        image_id = _image_below(backend, bdms)
    restored = image_id and _restore_image(
        context, image_api, instance, image_id
    )
    if image_id:
        instance.image_ref = image_id
        instance.system_metadata[install.BASE_IMAGE] = image_id
    if server_layout is None:
        is_disk = not restored
    else:
        is_disk = not server_layout.installs
    if is_disk and backend is not None:
        # Or the disk that the server has would become a CD-ROM.
        instance.system_metadata[install.DISK_FORMAT] = backend.driver_format


def _image_below(backend, bdms):
    """Id of the image that an ordinary server's disk was made of.

    The root's mapping keeps the first image of a server; an earlier rebuild
    may have put another below the disk.

    :returns: None when it cannot be told
    """
    root = block_device.get_root_bdm(bdms)
    if backend is None or root is None or not backend.exists():
        return None
    base = libvirt_utils.get_disk_backing_file(
        backend.path, format=backend.driver_format
    )
    if base and base != imagecache.get_cache_fname(root.image_id):
        return None
    return root.image_id


def _restore_image(context, image_api, instance, image_id):
    """Write into a server what nova-api writes of its image.

    :returns: whether the image is there to be read
    """
    try:
        image = image_api.get(context, image_id)
    except nova_exception.NovaException as error:
        LOG.warning(
            'The server keeps properties of an image that it was not rebuilt '
            'with, for its own cannot be read: %s',
            error,
            instance=instance,
        )
        return False
    kept = {
        key: value
        for key, value in instance.system_metadata.items()
        if not key.startswith(layout.IMAGE_PREFIX)
    }
    instance.system_metadata = {
        **kept,
        **{
            key: str(value)
            for key, value in utils.get_system_metadata_from_image(
                image, instance.flavor
            ).items()
        },
    }
    properties = image['properties']
    instance.kernel_id = properties.get('kernel_id') or ''
    instance.ramdisk_id = properties.get('ramdisk_id') or ''
    for name in ('os_type', 'architecture', 'vm_mode'):
        setattr(instance, name, properties.get(name))
    _restore_request(context, instance, image)
    return True


def _restore_request(context, instance, image):
    """Have the scheduler and a resize go by the server's image again."""
    try:
        request = objects.RequestSpec.get_by_instance_uuid(
            context, instance.uuid
        )
        request.image = objects.ImageMeta.from_dict(image)
        request.save()
    except Exception:
        # A cell's conductor need not reach the API's database.
        LOG.warning(
            'The request specification keeps the image of a refused rebuild',
            exc_info=True,
            instance=instance,
        )


def reset_root_device(instance, server, image_meta, block_device_info):
    """Put the root disk of a server onto the bus of its new image.

    For a server that is rebuilt with an image that is not installed. The
    block device mapping remembers the bus that the install ISO asked for, and
    Nova goes by that.

    :param server: the install server that it becomes, or None
    """
    if (
        server is not None
        or layout.load(instance.system_metadata) is None
        or instance.task_state != task_states.REBUILD_SPAWNING
    ):
        return
    disk_bus, _cdrom_bus = install.buses(instance, image_meta)
    name = block_device.prepend_dev(
        blockinfo.find_disk_dev_for_disk_bus(
            {}, disk_bus, newos_blockinfo.names_in_use(block_device_info)
        )
    )
    for bdm in driver.block_device_info_get_image(block_device_info):
        bdm.update(disk_bus=disk_bus, device_name=name, device_type='disk')
        bdm.save()
    instance.root_device_name = name
    block_device_info['root_device_name'] = name
