# SPDX-License-Identifier: Apache-2.0
"""Keep the cached images that install servers stand on.

Nova's image cache counts as used what an instance's ``image_ref`` names and
what backs the file ``disk``. The overlay of a driver ISO is neither, and its
base would be removed under a running server.
"""

import os

from nova import exception as nova_exception
import nova.conf
from nova.virt.libvirt import imagecache
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils

from nova_newos import layout
from nova_newos import media
from nova_newos.media import virtio

CONF = nova.conf.CONF


class ImageCacheManager(imagecache.ImageCacheManager):
    """Nova's image cache manager, with the CD-ROMs of install servers."""

    def _list_running_instances(self, context, all_instances):
        running = super()._list_running_instances(context, all_instances)
        configured = _configured_driver_iso()
        if configured:
            running['used_images'].setdefault(configured, (0, 0, []))
        return running

    def _list_backing_images(self):
        in_use = super()._list_backing_images()
        for path in self._backing_files():
            if path not in in_use:
                in_use.append(path)
            if path in self.unexplained_images:
                self.unexplained_images.remove(path)
        return in_use

    def _backing_files(self):
        for name in sorted(self.instance_names):
            directory = os.path.join(CONF.instances_path, name)
            for disk in _overlays(directory):
                backing_file = _backing_file(disk)
                if backing_file:
                    yield os.path.join(self.cache_dir, backing_file)


def _configured_driver_iso():
    value = CONF.newos.virtio_image_id
    return virtio.image_id(value, virtio.OPTION) if value else None


def _overlays(directory):
    """Paths of CD-ROMs that may have a base, in an install server's directory.

    What its guest can write has none that is ours, and may be raw with any
    header at its beginning.
    """
    if not os.path.exists(os.path.join(directory, layout.INSTALL_ROOT)):
        return []
    return [
        os.path.join(directory, name)
        for name in sorted(os.listdir(directory))
        if media.is_name(layout.medium_of(name))
    ]


def _backing_file(path):
    """Name of the base of an overlay, None where there is none.

    The format is given: a raw CD-ROM could hold a qcow2 header that names
    any file of the host.
    """
    try:
        return libvirt_utils.get_disk_backing_file(path, format='qcow2')
    except (
        processutils.ProcessExecutionError,
        nova_exception.InvalidDiskInfo,
        nova_exception.DiskNotFound,
    ):
        # Not a qcow2, or deleted while we looked.
        return None
