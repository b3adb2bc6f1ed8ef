# SPDX-License-Identifier: Apache-2.0
"""The files of an install server: blank root disk and CD-ROMs.

Everything goes through Nova's image backend, so that the storage of the host
and the guards against changed disk formats are Nova's own.
"""

import contextlib
import errno
import functools
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
from nova_newos.virt import glance
from nova_newos.virt import imagebackend
from nova_newos.virt import prompt
from nova_newos.virt import qemu_img
from nova_newos.virt import rebuild

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

#: Values of ``[libvirt] images_type`` whose disks are made here.
IMAGES_TYPES = ('default', 'qcow2', 'flat', 'raw')

#: What says that the bytes of a CD-ROM are not to be had any more.
_LOST_IMAGE = (
    nova_exception.ImageNotFound,
    # It was deactivated, or is not shared any more.
    nova_exception.ImageNotAuthorized,
    exception.CopyFailed,
    exception.MediumTooLarge,
)

_SPAWNS = (task_states.SPAWNING, task_states.REBUILD_SPAWNING)


def split(server, disk_info):
    """Tell the disks that are not left to Nova from the others.

    :param disk_info: list of dicts with a 'path' each, or None
    :returns: (dict of name to entry, list of the other entries)
    """
    names = {server.root, *server.cdroms}
    ours, others = {}, []
    for info in disk_info or []:
        name = os.path.basename(info['path'])
        if name in names:
            ours[name] = info
        else:
            others.append(info)
    return ours, others


class Disks:
    """Makes the disks of install servers.

    Each ``server`` is a :class:`~nova_newos.virt.server.InstallServer`.

    :param image_backend: a ``nova.virt.libvirt.imagebackend.Backend``
    :param fetch: ``LibvirtDriver._try_fetch_image_cache``
    """

    def __init__(self, image_backend, fetch):
        self._image_backend = image_backend
        self._fetch = fetch

    def create(self, context, server, disk_mapping, fallback_host):
        """Make what is missing of the root disk and the CD-ROMs.

        Answers to ``LibvirtDriver._create_and_inject_local_root``.

        :returns: whether the root disk is new. Nova deletes the disks of a
            server after a failed start only then.
        """
        with _storage_faults():
            created = self._create_root(server, disk_mapping)
            for name in server.cdroms:
                self._create_cdrom(
                    context,
                    server,
                    name,
                    disk_info_mapping=disk_mapping[name],
                    fallback_host=fallback_host,
                    # What is installed can do without its media.
                    may_be_lost=not _is_new(server.instance),
                )
        return created

    def restore_cdroms(
        self,
        context,
        server,
        running=None,
        fallback_host=None,
    ):
        """Have missing CD-ROMs and the bases below them again.

        A CD-ROM whose image is gone stays away, and its drive empty, unless a
        guest runs with it.

        :param running: dict of disk name to the format that a guest runs
            with, which is then the format here as well
        :param fallback_host: host to copy a base from when Glance has the
            image no more, or None
        """
        running = running or {}
        with _storage_faults():
            for name in server.cdroms:
                self._create_cdrom(
                    context,
                    server,
                    name,
                    image_type=running.get(name),
                    fallback_host=fallback_host,
                    may_be_lost=name not in running,
                )

    def has_root(self, server):
        """Whether the root disk is on this host."""
        return self._root(server).exists()

    def require_root(self, server):
        """Make sure that the root disk is on this host.

        :raises RootDiskMissing: when it is not
        """
        if not self.has_root(server):
            raise exception.RootDiskMissing(name=server.root)

    def is_blank(self, server):
        """Whether the root disk is as it was made.

        No server stays off because that cannot be told.
        """
        root = self._root(server)
        try:
            return root.exists() and imagebackend.is_blank(root)
        except (OSError, ValueError, processutils.ProcessExecutionError):
            LOG.warning(
                'The root disk counts as written to, for it cannot be told',
                exc_info=True,
                instance=server.instance,
            )
            return False

    def root_size(self, server):
        """Virtual size of the root disk, in bytes."""
        return imagebackend.virtual_size(self._root(server))

    def convert(self, server, disk_info, to_qcow2):
        """Have disks that were copied here in the format this host expects.

        Nova's qcow2 backend takes every disk for a qcow2; a raw one could
        hold a header that its guest wrote.

        :param disk_info: list of dicts with 'path' and 'type', the format
            on the host that the disks come from
        :param to_qcow2: called with the path of a raw disk
        :returns: those entries of disk_info that are not install disks
        :raises DiskFormatMismatch: when this host would use a disk in
            another format than it has
        """
        ours, others = split(server, disk_info)
        with _storage_faults():
            for name, info in ours.items():
                found = info['type']
                backend = self._by_name(server, name)
                if found == 'raw' and backend.driver_format == 'qcow2':
                    with fileutils.remove_path_on_error(
                        f'{backend.path}_qcow'
                    ):
                        to_qcow2(backend.path)
                    imagebackend.change_format(backend)
                elif found != backend.driver_format:
                    raise exception.DiskFormatMismatch(
                        name=name,
                        found=found,
                        expected=backend.driver_format,
                    )
        return others

    def grow_root(self, server, size):
        """Make the root disk larger; a larger one stays as it is.

        Only the disk: what is in it belongs to the guest.

        :param size: in bytes
        """
        backend = self._root(server)
        if size <= imagebackend.virtual_size(backend):
            return
        LOG.info(
            'Growing the root disk to %d bytes',
            size,
            instance=server.instance,
        )
        with _storage_faults():
            qemu_img.resize(backend.path, backend.driver_format, size)
            imagebackend.preallocate(backend, size)

    def image_type(self, server, name):
        """The ``images_type`` a disk is kept as.

        :returns: 'raw' for a CD-ROM that is made on the host, None for the
            host's default
        """
        if name not in server.cdroms:
            return None
        contents = server.contents(name)
        return 'raw' if isinstance(contents, base.Generated) else None

    def _by_name(
        self,
        server,
        name,
        image_type=None,
        disk_info_mapping=None,
    ):
        return self._image_backend.by_name(
            server.instance,
            name,
            image_type or self.image_type(server, name),
            disk_info_mapping=disk_info_mapping,
        )

    def _root(self, server, disk_info_mapping=None):
        return self._by_name(
            server,
            server.root,
            disk_info_mapping=disk_info_mapping,
        )

    def _create_root(self, server, disk_mapping):
        backend = self._root(server, disk_mapping[server.root])
        if backend.exists():
            return False
        if not (server.layout.installs and _is_new(server.instance)):
            raise exception.RootDiskMissing(name=server.root)
        size = server.layout.root_gb * units.Gi
        LOG.info(
            'Creating a blank root disk of %d GiB',
            server.layout.root_gb,
            instance=server.instance,
        )
        with fileutils.remove_path_on_error(backend.path):
            libvirt_utils.create_image(
                backend.path, backend.driver_format, size
            )
            imagebackend.preallocate(backend, size)
            # On record before the guest can write a header of its own.
            backend.resolve_driver_format()
        return True

    def _create_cdrom(
        self,
        context,
        server,
        name,
        image_type=None,
        disk_info_mapping=None,
        fallback_host=None,
        may_be_lost=True,
    ):
        backend = self._by_name(server, name, image_type, disk_info_mapping)
        contents = server.contents(name)
        if not isinstance(contents, base.GlanceImage):
            if not backend.exists():
                imagebackend.record_format(backend)
                with _lost(server, name, may_be_lost, exception.NewosError):
                    _write(backend.path, contents)
        elif not imagebackend.is_whole(backend):
            is_new = not backend.exists()
            with _lost(server, name, may_be_lost, *_LOST_IMAGE):
                self._cache_image(
                    context, server, backend, name, contents, fallback_host
                )
                if is_new and name == layout.STOCK_ROOT:
                    prompt.record(
                        server.instance, prompt.skip(server.instance, backend)
                    )

    def _cache_image(
        self, context, server, backend, name, contents, fallback_host
    ):
        image_id = contents.image_id
        cache_name = imagecache.get_cache_fname(image_id)
        try:
            # No size: the CD-ROM is as large as the ISO, not as the flavor.
            self._fetch(
                backend,
                functools.partial(_fetch, name),
                context,
                cache_name,
                image_id,
                server.instance,
                None,
            )
        except (nova_exception.ImageNotFound, exception.MediumTooLarge):
            if not fallback_host:
                raise
            backend.cache(
                fetch_func=functools.partial(_copy_from, fallback_host),
                filename=cache_name,
            )
        except (
            nova_exception.ImageUnacceptable,
            nova_exception.InvalidDiskInfo,
        ) as error:
            raise exception.ImageContentRefused(
                image_id=image_id,
                medium=layout.medium_of(name),
                reason=error.format_message(),
            ) from error


def _is_new(instance):
    """Whether a server has its first disks made.

    At any other time it was installed, and a blank disk would be the loss of
    it.
    """
    return instance.task_state in _SPAWNS and not rebuild.evacuates(instance)


@contextlib.contextmanager
def _lost(server, name, may_be_lost, *errors):
    """Let a server that was installed go on without a CD-ROM."""
    try:
        yield
    except errors as error:
        if not may_be_lost:
            raise
        LOG.warning(
            '%s cannot be had again, its drive stays empty: %s',
            name,
            error,
            instance=server.instance,
        )


def _fetch(name, target, context, image_id, trusted_certs=None):
    """Download an image, unless it has become too large to be had.

    :param name: of the CD-ROM; the install ISO is bounded by the flavor
    """
    if name != layout.STOCK_ROOT:
        glance.check_size(context, image_id, layout.medium_of(name))
    libvirt_utils.fetch_image(context, target, image_id, trusted_certs)


def _copy_from(host, target):
    """Copy a file from the same place on another host.

    Nova's own way leaves half a file under its final name.
    """
    part = f'{target}.part'
    try:
        with fileutils.remove_path_on_error(part):
            libvirt_utils.copy_image(
                src=target, dest=part, host=host, receive=True
            )
            os.rename(part, target)
    except processutils.ProcessExecutionError as error:
        if _is_full(error):
            raise
        raise exception.CopyFailed(
            name=os.path.basename(target), host=host
        ) from error


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
