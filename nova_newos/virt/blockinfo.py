# SPDX-License-Identifier: Apache-2.0
"""Device names of install servers, inside Nova's own mapping.

``nova.virt.libvirt.blockinfo`` is asked from ten places of Nova's driver: for
spawn, hard reboot, rescue, migration, naming and attaching of devices. All of
them end in a few functions, which are wrapped here. For a server without a
layout each wrapper is one dict look-up and Nova's own function.
:func:`install` puts the wrappers there and :func:`uninstall` takes them away.
"""

import contextlib
import contextvars
import functools

from nova import block_device
from nova.virt import driver
from nova.virt.libvirt import blockinfo

from nova_newos import layout
from nova_newos.virt import boot

#: Names that Nova's functions must leave to the CD-ROMs while they run.
_reserved = contextvars.ContextVar('nova_newos_reserved', default=())

#: Attribute of a wrapper that has Nova's function.
_STOCK = '_nova_newos_stock'


def install():
    """Wrap Nova's functions, once a process. Nova leaves no other way in."""
    for name, wrapper in _wrappers().items():
        stock = getattr(blockinfo, name)
        if not hasattr(stock, _STOCK):
            wrapped = functools.wraps(stock)(functools.partial(wrapper, stock))
            setattr(wrapped, _STOCK, stock)
            setattr(blockinfo, name, wrapped)


def uninstall():
    """Have Nova's own functions again."""
    for name in _wrappers():
        wrapped = getattr(blockinfo, name)
        setattr(blockinfo, name, getattr(wrapped, _STOCK, wrapped))


def _wrappers():
    return {
        'get_root_info': _get_root_info,
        '_get_disk_mapping': _get_disk_mapping,
        '_get_rescue_disk_mapping': _get_rescue_disk_mapping,
        'find_disk_dev_for_disk_bus': _find_disk_dev_for_disk_bus,
    }


def is_legacy_rescue(mapping):
    """Whether a disk_mapping is that of a rescue without stable devices."""
    return mapping.get('disk.rescue') == mapping['root']


def _get_root_info(
    stock, instance, virt_type, image_meta, root_bdm, disk_bus, *args, **kwargs
):
    server_layout = layout.load(instance.system_metadata)
    if server_layout is not None:
        if server_layout.installs:
            return _install_root(disk_bus)
        image_meta = _as_disk(image_meta)
    return stock(
        instance, virt_type, image_meta, root_bdm, disk_bus, *args, **kwargs
    )


def _install_root(disk_bus):
    # The lowest name on its bus, whatever the BDM remembers: libvirt sorts
    # the disks of a bus by name and Nova snapshots the first.
    return blockinfo.get_next_disk_info({}, disk_bus, 'disk', boot_index=1)


def _as_disk(image_meta):
    # After an unshelve Nova still hands out the install ISO's metadata here
    # and there; the root is an ordinary disk by now.
    image_meta = image_meta.obj_clone()
    # What ImageMeta.from_dict writes for an image without a format.
    image_meta.disk_format = ''
    return image_meta


def _get_disk_mapping(
    stock,
    virt_type,
    instance,
    disk_bus,
    cdrom_bus,
    image_meta,
    block_device_info,
):
    arguments = (
        virt_type,
        instance,
        disk_bus,
        cdrom_bus,
        image_meta,
        block_device_info,
    )
    server_layout = layout.load(instance.system_metadata)
    if server_layout is None or not server_layout.installs:
        return stock(*arguments)

    ours = _install_mapping(
        server_layout, disk_bus, cdrom_bus, names_in_use(block_device_info)
    )
    with _reserve([ours[name]['dev'] for name in server_layout.cdroms]):
        theirs = stock(*arguments)
    # Nova's root and 'disk' stand for one disk; with us they are two.
    return {**ours, **{k: v for k, v in theirs.items() if k not in ours}}


def _install_mapping(server_layout, disk_bus, cdrom_bus, in_use):
    root = _install_root(disk_bus)
    mapping = {'root': root, layout.INSTALL_ROOT: root}
    for index, name in enumerate(server_layout.cdroms):
        mapping[name] = blockinfo.get_next_disk_info(
            mapping,
            cdrom_bus,
            'cdrom',
            boot_index=boot.order().iso_index if index == 0 else None,
            assigned_devices=in_use,
        )
    return mapping


def names_in_use(block_device_info):
    """Names that were given to other disks when they were attached."""
    bdms = [
        *driver.block_device_info_get_ephemerals(block_device_info),
        driver.block_device_info_get_swap(block_device_info),
        *driver.block_device_info_get_mapping(block_device_info),
    ]
    names = (blockinfo.get_device_name(bdm) for bdm in bdms)
    return [block_device.strip_dev(name) for name in names if name]


@contextlib.contextmanager
def _reserve(names):
    token = _reserved.set(tuple(names))
    try:
        yield
    finally:
        _reserved.reset(token)


def _find_disk_dev_for_disk_bus(stock, mapping, bus, assigned_devices=None):
    reserved = _reserved.get()
    if reserved:
        assigned_devices = [*(assigned_devices or ()), *reserved]
    return stock(mapping, bus, assigned_devices)


def _get_rescue_disk_mapping(stock, virt_type, instance, *args, **kwargs):
    mapping = stock(virt_type, instance, *args, **kwargs)
    server_layout = layout.load(instance.system_metadata)
    if server_layout is not None and server_layout.installs:
        # Nova attaches 'disk' as the disk to repair; here that is the ISO.
        # The name stays for Nova's code, see NewosLibvirtDriver.
        mapping[layout.INSTALL_ROOT] = mapping[layout.STOCK_ROOT]
    return mapping
