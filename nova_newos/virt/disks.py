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
from nova.virt import images
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

_SPAWNS = (task_states.SPAWNING, task_states.REBUILD_SPAWNING)


def names_of(server_layout):
    """Names of all disks of a server that are not left to Nova."""
    return [server_layout.root, *blockinfo.cdroms(server_layout)]


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
                self._create_cdrom(
                    context,
                    instance,
                    server_layout,
                    name,
                    disk_info_mapping=disk_mapping[name],
                    fallback_host=fallback_host,
                )
        return created

    def restore_cdroms(
        self,
        context,
        instance,
        server_layout,
        image_types=None,
        fallback_host=None,
    ):
        """Have missing CD-ROMs and the bases below them again.

        A CD-ROM whose image is gone stays away, and its drive empty.

        :param image_types: dict of disk name to ``images_type``, of those
            that are not to be kept as this host would keep them
        :param fallback_host: host to copy a base from when Glance has the
            image no more, or None
        """
        with _storage_faults():
            for name in blockinfo.cdroms(server_layout):
                self._create_cdrom(
                    context,
                    instance,
                    server_layout,
                    name,
                    image_type=(image_types or {}).get(name),
                    fallback_host=fallback_host,
                )

    def has_root(self, instance, server_layout):
        """Whether the root disk is on this host."""
        return self._root(instance, server_layout).exists()

    def require_root(self, instance, server_layout):
        """Make sure that the root disk is on this host.

        :raises RootDiskMissing: when it is not
        """
        if not self.has_root(instance, server_layout):
            raise exception.RootDiskMissing(name=server_layout.root)

    def root_size(self, instance, server_layout):
        """Virtual size of the root disk, in bytes."""
        return _virtual_size(self._root(instance, server_layout))

    def convert(self, instance, server_layout, disk_info, to_qcow2):
        """Have disks that were copied here in the format this host expects.

        Nova's qcow2 backend takes every disk for a qcow2; a raw one could
        hold a header that its guest wrote.

        :param disk_info: list of dicts with 'path' and 'type', the format
            on the host that the disks come from
        :param to_qcow2: called with the path of a raw disk
        :returns: those entries of disk_info that are not install disks
        """
        others = []
        names = names_of(server_layout)
        for info in disk_info:
            name = os.path.basename(info['path'])
            if name not in names:
                others.append(info)
                continue
            backend = self._by_name(instance, server_layout, name)
            if info['type'] == 'raw' and backend.driver_format == 'qcow2':
                to_qcow2(info['path'])
        return others

    def grow_root(self, instance, server_layout, size):
        """Make the root disk larger; a larger one stays as it is.

        Only the disk: what is in it belongs to the guest.

        :param size: in bytes
        """
        backend = self._root(instance, server_layout)
        if size <= _virtual_size(backend):
            return
        LOG.info('Growing the root disk to %d bytes', size, instance=instance)
        processutils.execute(
            'qemu-img',
            'resize',
            '-f',
            backend.driver_format,
            backend.path,
            size,
        )
        _preallocate(backend, size)

    def image_type(self, instance, server_layout, name):
        """The ``images_type`` a disk is kept as.

        :returns: 'raw' for a CD-ROM that is made on the host, None for the
            host's default
        """
        if name not in blockinfo.cdroms(server_layout):
            return None
        contents = self._contents(instance, server_layout, name)
        return 'raw' if isinstance(contents, base.Generated) else None

    def _by_name(
        self,
        instance,
        server_layout,
        name,
        image_type=None,
        disk_info_mapping=None,
    ):
        return self._image_backend.by_name(
            instance,
            name,
            image_type or self.image_type(instance, server_layout, name),
            disk_info_mapping=disk_info_mapping,
        )

    def _root(self, instance, server_layout, disk_info_mapping=None):
        return self._by_name(
            instance,
            server_layout,
            server_layout.root,
            disk_info_mapping=disk_info_mapping,
        )

    def _create_root(self, instance, server_layout, disk_mapping):
        backend = self._root(
            instance, server_layout, disk_mapping[server_layout.root]
        )
        if backend.exists():
            return False
        if not (server_layout.installs and _is_new(instance)):
            raise exception.RootDiskMissing(name=server_layout.root)
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
            _preallocate(backend, size)
            # On record before the guest can write a header of its own.
            backend.resolve_driver_format()
        return True

    def _create_cdrom(
        self,
        context,
        instance,
        server_layout,
        name,
        image_type=None,
        disk_info_mapping=None,
        fallback_host=None,
    ):
        backend = self._by_name(
            instance, server_layout, name, image_type, disk_info_mapping
        )
        contents = self._contents(instance, server_layout, name)
        if not isinstance(contents, base.GlanceImage):
            if not backend.exists():
                _record_format(backend)
                _write(backend.path, contents)
            return
        with _lost_image(instance, name, fallback_host):
            self._cache_image(
                context, instance, backend, name, contents, fallback_host
            )

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


def _is_new(instance):
    """Whether a server has its first disks made.

    At any other time it was installed, and a blank disk would be the loss of
    it.
    """
    return instance.task_state in _SPAWNS and not install.evacuates(instance)


@contextlib.contextmanager
def _lost_image(instance, name, fallback_host):
    """Let a server that was installed go on without a CD-ROM."""
    try:
        yield
    except (
        nova_exception.ImageNotFound,
        # From copying the base, which is tried last.
        processutils.ProcessExecutionError,
    ) as error:
        copied = isinstance(error, processutils.ProcessExecutionError)
        if (
            _is_new(instance)
            or _is_full(error)
            or (copied and not fallback_host)
        ):
            raise
        LOG.warning(
            'The image of %s is gone, its drive stays empty: %s',
            name,
            error,
            instance=instance,
        )


def _virtual_size(backend):
    # The format is given: the guest could have written another's header.
    return images.qemu_img_info(
        backend.path, backend.driver_format
    ).virtual_size


def _preallocate(backend, size):
    # As Image.cache does for [DEFAULT] preallocate_images.
    if backend.preallocate and backend._can_fallocate():
        processutils.execute('fallocate', '-n', '-l', size, backend.path)


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
    """Whether an error says that a file system has no room left."""
    if isinstance(error, processutils.ProcessExecutionError):
        # cp, fallocate and qemu-img all print it; Nova runs them under
        # LC_ALL=C or inherits the service's locale.
        return os.strerror(errno.ENOSPC) in (error.stderr or '')
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
