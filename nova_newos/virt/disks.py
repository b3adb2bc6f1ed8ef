# SPDX-License-Identifier: Apache-2.0
"""The files of an install server: blank root disk and CD-ROMs.

Everything goes through Nova's image backend, so that the storage of the host
and the guards against changed disk formats are Nova's own.
"""

import contextlib
import errno
import os

from nova import exception as nova_exception
from nova.compute import task_states
import nova.conf
from nova.virt.libvirt import imagecache
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils
from oslo_log import log as logging
from oslo_utils import fileutils
from oslo_utils import units

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import base
from nova_newos.virt import blockinfo
from nova_newos.virt import install

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

#: Values of ``[libvirt] images_type`` whose disks are made here.
IMAGES_TYPES = ('default', 'qcow2', 'flat', 'raw')

#: A blank root disk is made in these task states only. In any other the
#: server was installed, and a blank disk would be the loss of it.
_SPAWNS = (task_states.SPAWNING, task_states.REBUILD_SPAWNING)


class Disks:
    """Makes the disks of install servers.

    :param image_backend: a ``nova.virt.libvirt.imagebackend.Backend``
    :param fetch: ``LibvirtDriver._try_fetch_image_cache``
    :param media: a :class:`nova_newos.media.Media`
    """

    def __init__(self, image_backend, fetch, media):
        self._image_backend = image_backend
        self._fetch = fetch
        self._media = media

    def create(
        self, context, instance, server_layout, disk_mapping, fallback_host
    ):
        """Make what is missing of the root disk and the CD-ROMs.

        Answers to ``LibvirtDriver._create_and_inject_local_root``.

        :returns: whether the root disk is new. Nova deletes the disks of a
            server after a failed start only then.
        """
        with _storage_faults():
            created = self._create_root(instance, server_layout, disk_mapping)
            for name in blockinfo.cdroms(server_layout):
                self.create_cdrom(
                    context,
                    instance,
                    server_layout,
                    name,
                    disk_mapping,
                    fallback_host,
                )
        return created

    def create_cdrom(
        self,
        context,
        instance,
        server_layout,
        name,
        disk_mapping=None,
        fallback_host=None,
    ):
        """Make one CD-ROM, or the base below it, if it is missing.

        :param name: of the disk
        :param fallback_host: host to copy the base from when Glance has the
            image no more, or None
        """
        backend = self._image_backend.by_name(
            instance,
            name,
            self.image_type(instance, server_layout, name),
            disk_info_mapping=(disk_mapping or {}).get(name),
        )
        contents = self._contents(instance, server_layout, name)
        if isinstance(contents, base.GlanceImage):
            self._cache_image(
                context, instance, backend, name, contents, fallback_host
            )
        elif not backend.exists():
            _record_format(backend)
            _write(backend.path, contents)

    def image_type(self, instance, server_layout, name):
        """The ``images_type`` a disk is kept as.

        :returns: 'raw' for a CD-ROM that is made on the host, None for the
            host's default
        """
        if name not in blockinfo.cdroms(server_layout):
            return None
        contents = self._contents(instance, server_layout, name)
        return 'raw' if isinstance(contents, base.Generated) else None

    def restore(self, context, instance, server_layout, disk_info, host):
        """Have missing bases again, each from its own image.

        Answers to ``LibvirtDriver._create_images_and_backing``, which would
        download the install ISO into every base that is missing.

        :param disk_info: list of dicts with a 'path' each
        :param host: as ``fallback_host`` above
        :returns: those entries of disk_info that are not install disks
        """
        cdroms = blockinfo.cdroms(server_layout)
        others = []
        with _storage_faults():
            for info in disk_info:
                name = os.path.basename(info['path'])
                if name in cdroms:
                    self.create_cdrom(
                        context,
                        instance,
                        server_layout,
                        name,
                        fallback_host=host,
                    )
                elif name == layout.INSTALL_ROOT:
                    if not os.path.exists(info['path']):
                        raise exception.RootDiskMissing()
                else:
                    others.append(info)
        return others

    def _create_root(self, instance, server_layout, disk_mapping):
        backend = self._image_backend.by_name(
            instance,
            layout.INSTALL_ROOT,
            disk_info_mapping=disk_mapping[layout.INSTALL_ROOT],
        )
        if backend.exists():
            return False
        if instance.task_state not in _SPAWNS:
            raise exception.RootDiskMissing()
        size = server_layout.root_gb * units.Gi
        LOG.info(
            'Creating a blank root disk of %d GiB',
            server_layout.root_gb,
            instance=instance,
        )
        with fileutils.remove_path_on_error(backend.path):
            libvirt_utils.create_image(
                backend.path, backend.driver_format, size
            )
            # As Image.cache does for [DEFAULT] preallocate_images.
            if backend.preallocate and backend._can_fallocate():
                processutils.execute(
                    'fallocate', '-n', '-l', size, backend.path
                )
            # On record before the guest can write a header of its own.
            backend.resolve_driver_format()
        return True

    def _contents(self, instance, server_layout, name):
        if name == layout.STOCK_ROOT:
            return base.GlanceImage(server_layout.iso)
        medium = name.removeprefix('disk.')
        server = install.as_server(instance, server_layout.iso)
        reference = dict(server_layout.media)[medium]
        return self._media.get(medium).contents(server, reference)

    def _cache_image(
        self, context, instance, backend, name, contents, fallback_host
    ):
        image_id = contents.image_id
        try:
            # No size: the CD-ROM is as large as the ISO, not as the flavor.
            self._fetch(
                backend,
                libvirt_utils.fetch_image,
                context,
                imagecache.get_cache_fname(image_id),
                image_id,
                instance,
                None,
                fallback_host,
            )
        except (
            nova_exception.ImageUnacceptable,
            nova_exception.InvalidDiskInfo,
        ) as error:
            raise exception.ImageContentRefused(
                image_id=image_id,
                medium=name.removeprefix('disk.'),
                reason=error.format_message(),
            ) from error


def _record_format(backend):
    """Have the format on record before there are bytes to guess it from.

    Nova inspects a raw disk that it has not on record, without a format; an
    empty file is raw.
    """
    with open(backend.path, 'wb'):
        pass
    backend.resolve_driver_format()
    os.unlink(backend.path)


def _write(path, contents):
    LOG.debug('Writing the CD-ROM %s to %s', contents.label, path)
    # Never a half-written CD-ROM under the final name.
    part = f'{path}.part'
    with fileutils.remove_path_on_error(part):
        contents.write(part)
        os.rename(part, path)


@contextlib.contextmanager
def _storage_faults():
    """Explain a full disk, whether Python or a tool of Nova met it."""
    try:
        yield
    except (OSError, processutils.ProcessExecutionError) as error:
        if not _is_full(error):
            raise
        raise exception.HostDiskFull(path=CONF.instances_path) from error


def _is_full(error):
    if isinstance(error, processutils.ProcessExecutionError):
        # cp, fallocate and qemu-img all print it; Nova runs them under
        # LC_ALL=C or inherits the service's locale.
        return os.strerror(errno.ENOSPC) in (error.stderr or '')
    return error.errno == errno.ENOSPC
