# SPDX-License-Identifier: Apache-2.0
"""From Nova's objects to a layout: decide, verify and persist it."""

import contextlib
import dataclasses

from nova import exception as nova_exception
from nova.compute import task_states
from nova.compute import vm_states
import nova.conf
from nova.virt.libvirt import blockinfo
from nova.virt.libvirt import utils as libvirt_utils
from oslo_log import log as logging
from oslo_utils import excutils

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import base
from nova_newos.virt import boot
from nova_newos.virt import glance
from nova_newos.virt import keys
from nova_newos.virt import owner
from nova_newos.virt import prompt
from nova_newos.virt import server as servers
from nova_newos.virt import snapshot

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

#: Nova lets images ask for more, which QEMU has no such device on.
_DISK_BUSES = ('virtio', 'scsi', 'sata', 'ide', 'usb')
_CDROM_BUSES = ('sata', 'scsi', 'ide', 'usb')

_REBUILDS = (
    task_states.REBUILDING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)

#: Keys of ``system_metadata`` that Nova decides by.
DISK_FORMAT = 'image_disk_format'
BASE_IMAGE = 'image_base_image_ref'


def propose(media, instance, image_meta, volume_root):
    """The install server that a server is about to be spawned as.

    Asks nothing but its arguments and the configuration, so that it gives the
    same answer while Nova names the devices and at the spawn.

    :param media: a :class:`nova_newos.media.Media`
    :param image_meta: the ``nova.objects.ImageMeta`` given to the spawn
    :param volume_root: whether the server boots from a volume
    :returns: a :class:`~nova_newos.virt.server.InstallServer` whose layout
        is not persisted, or None for a server that is not to be installed
    :raises NewosError: when it would be, but cannot
    """
    if not _is_iso(image_meta) or CONF.libvirt.virt_type not in (
        'kvm',
        'qemu',
    ):
        return None
    properties = layout.image_properties(instance.system_metadata)
    if not layout.is_install_iso('iso', properties):
        return None
    if volume_root:
        if _has_a_volume(instance):
            return None
        raise exception.VolumeRootRefused()
    _check_buses(instance, image_meta)
    snapshot.is_to_be_sealed(instance)
    boot.check(instance)
    keys.check(instance)
    prompt.check(instance)
    plain = servers.as_plain(instance, image_meta.id)
    references = [(m.name, m.reference(plain)) for m in media.enabled]
    proposed = layout.Layout(
        iso=image_meta.id,
        root_gb=layout.root_disk_gb(
            properties,
            CONF.newos.root_disk_size,
            instance.flavor.root_gb,
            _min_disk(image_meta),
        ),
        media=tuple((n, r) for n, r in references if r is not None),
    )
    return servers.InstallServer(instance, proposed, media)


def verified(context, image_api, server):
    """Ask Glance about the images of the proposed media.

    :param context: of the requester
    :returns: the server, without the media that it can do without and cannot
        have; the owner is told of those
    :raises MediumImageRefused, MediumTooLarge: see
        :func:`nova_newos.virt.glance.check`
    """
    kept, warnings = [], []
    for name, reference in server.layout.media:
        lack = _lack(context, image_api, server, name)
        if lack is None:
            kept.append((name, reference))
        else:
            LOG.warning('%s', lack, instance=server.instance)
            warnings.append(f'goes without {name}: {lack.public()}')
    owner.tell(server.instance, {owner.WARNING: '; '.join(warnings) or None})
    return dataclasses.replace(
        server,
        layout=dataclasses.replace(server.layout, media=tuple(kept)),
    )


def _lack(context, image_api, server, name):
    """Why a server goes without a medium: an error, or None if it does not."""
    contents = server.medium(name)
    if not isinstance(contents, base.GlanceImage):
        return None
    project_id = server.instance.project_id
    try:
        glance.check(context, image_api, contents.image_id, name, project_id)
    except exception.NewosError as error:
        if contents.is_required:
            raise
        return error
    return None


def check_devices(server, image_meta, block_device_info):
    """Make sure that all devices of a proposed layout find a name.

    :raises BusFull: when a bus has too few places
    """
    with naming(server, image_meta):
        blockinfo.get_disk_info(
            CONF.libvirt.virt_type,
            server.instance,
            image_meta,
            block_device_info,
        )


@contextlib.contextmanager
def naming(server, image_meta):
    """Have a proposed layout in place while Nova names devices.

    Nothing is saved.

    :param server: as :func:`propose` returns it; None for nothing at all
    :raises BusFull: when a bus has too few places
    """
    if server is None:
        yield
        return
    instance = server.instance
    before = dict(instance.system_metadata)
    _apply(instance, server.layout)
    try:
        yield
    except nova_exception.TooManyDiskDevices as error:
        disk_bus, cdrom_bus = buses(instance, image_meta)
        raise exception.BusFull(
            disk_bus=disk_bus, cdrom_bus=cdrom_bus, cdroms=len(server.cdroms)
        ) from error
    finally:
        instance.system_metadata = before


@contextlib.contextmanager
def persisted(instance, server, image_meta):
    """Save the layout of a server around its spawn.

    A failed spawn leaves what was there before: the next host may have the
    stock driver.

    :param server: None for a server that is not to be installed; for an
        ordinary server nothing at all happens then
    """
    previous = layout.load(instance.system_metadata)
    server_layout = server and server.layout
    if server_layout is None and previous is not None:
        server_layout = _without_install(instance, previous)
    if server_layout is None and previous is None:
        yield
        return
    before = dict(instance.system_metadata)
    _apply(instance, server_layout)
    if server_layout is not None and not server_layout.installs:
        # Nova restores image_ref to the install ISO after an unshelve; what
        # is on the disk is no ISO any more.
        instance.system_metadata[DISK_FORMAT] = image_meta.disk_format
    instance.save()
    try:
        yield
    except Exception:
        with excutils.save_and_reraise_exception():
            instance.system_metadata = before
            _save_after_failure(instance)


def _save_after_failure(instance):
    """Save what can be saved; the failure itself is what the user reads."""
    try:
        instance.save()
    except nova_exception.InstanceNotFound:
        # It was deleted meanwhile.
        pass
    except Exception:
        LOG.exception('The layout could not be taken back', instance=instance)


def default_rescue_images(server):
    """Ids of images that a rescue uses when its user names none.

    As ``ComputeManager._get_rescue_image`` chooses.
    """
    instance = server.instance
    return {
        server.layout.iso,
        instance.system_metadata.get(BASE_IMAGE) or instance.image_ref,
    }


def boots_from_volume(root_bdm):
    """Whether a root block device mapping, object or dict, is a volume."""
    return bool(root_bdm) and root_bdm.get('destination_type') == 'volume'


def _without_install(instance, previous):
    """What remains of a layout when another image is spawned."""
    if instance.task_state == task_states.REBUILD_SPAWNING:
        return None
    return previous.restored()


def _apply(instance, server_layout):
    if server_layout is None:
        for key in (layout.KEY, prompt.KEY):
            instance.system_metadata.pop(key, None)
    else:
        instance.system_metadata[layout.KEY] = layout.dump(server_layout)


def image_id_of(image_meta):
    """Id of the image in an ImageMeta, None where it has none."""
    return image_meta.id if image_meta.obj_attr_is_set('id') else None


def _has_a_volume(instance):
    """Whether a server has booted from its volume before, by Nova's ways."""
    return instance.vm_state != vm_states.BUILDING and (
        instance.task_state not in _REBUILDS
    )


def _is_iso(image_meta):
    # An evacuation may come with an ImageMeta that was made of nothing.
    return (
        image_meta.obj_attr_is_set('disk_format')
        and image_meta.disk_format == 'iso'
    )


def _min_disk(image_meta):
    if image_meta.obj_attr_is_set('min_disk'):
        return image_meta.min_disk
    return 0


def buses(instance, image_meta):
    """Buses that an image asks for, of its disks and of its CD-ROMs."""
    return tuple(
        blockinfo.get_disk_bus_for_device_type(
            instance, CONF.libvirt.virt_type, image_meta, device
        )
        for device in ('disk', 'cdrom')
    )


def _check_buses(instance, image_meta):
    machine = libvirt_utils.get_machine_type(image_meta) or ''
    for bus, name, device, choices in zip(
        buses(instance, image_meta),
        ('hw_disk_bus', 'hw_cdrom_bus'),
        ('disk', 'CD-ROM'),
        (_DISK_BUSES, _CDROM_BUSES),
        strict=True,
    ):
        if bus not in choices:
            raise exception.BusUnsuitable(
                device=device, bus=bus, name=name, choices=', '.join(choices)
            )
        if bus == 'ide' and 'q35' in machine:
            raise exception.BusUnavailable(
                machine=machine,
                bus=bus,
                name=name,
                choices=', '.join(b for b in choices if b != 'ide'),
            )
