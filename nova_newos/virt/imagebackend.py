# SPDX-License-Identifier: Apache-2.0
"""Nova's image backend: what it leaves out, and its part in a capture.

Each ``backend`` is a ``nova.virt.libvirt.imagebackend.Image``, whose format is
known and never guessed.
"""

import errno
import functools
import os
import pathlib

from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils
from oslo_serialization import jsonutils

from nova_newos.virt import qemu_img
from nova_newos.virt import snapshot

# MAX_BLOCKSIZE of QEMU's file-posix, in bytes.
_FIRST_BLOCK = 4096


class Backend(imagebackend.Backend):
    """Gives disks whose image is taken by :mod:`nova_newos.virt.snapshot`.

    For the time of a capture only; then and otherwise all else is Nova's.
    """

    def by_libvirt_path(self, instance, path, image_type=None):
        """See Nova's. Only ``LibvirtDriver.snapshot`` asks by a path."""
        if not snapshot.is_under_way():
            return super().by_libvirt_path(instance, path, image_type)
        captured = _captured(self.backend(image_type))
        return captured(instance=instance, path=path)


@functools.cache
def _captured(stock):
    """A class of image like one of Nova's, that extracts in our way."""
    return type(f'Captured{stock.__name__}', (_Captured, stock), {})


class _Captured:
    def snapshot_extract(self, target, out_format):
        capture = snapshot.under_way()
        if capture.is_wanted:
            capture.extract(self.path, self.driver_format, target, out_format)
        else:
            super().snapshot_extract(target, out_format)


def virtual_size(backend):
    """Size of a disk as its guest sees it, in bytes."""
    return qemu_img.virtual_size(backend.path, backend.driver_format)


def is_blank(backend):
    """Whether nobody has ever written to a disk, by its allocation."""
    if backend.driver_format == 'raw':
        return _is_blank_file(backend.path)
    return qemu_img.is_blank(backend.path, backend.driver_format)


def _is_blank_file(path):
    with open(path, 'rb', buffering=0) as disk:
        try:
            # Before anything is read: what was preallocated and is in the
            # page cache counts as data.
            disk.seek(_FIRST_BLOCK, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        else:
            return False
        disk.seek(0)
        # qemu-img allocates the first block of a new file, as zeroes.
        return not any(disk.read(_FIRST_BLOCK))


def is_whole(backend):
    """Whether a disk is here and stands on no other file."""
    return backend.exists() and not libvirt_utils.get_disk_backing_file(
        backend.path, format=backend.driver_format
    )


def preallocate(backend, size):
    """Take the room on the host, if ``[DEFAULT] preallocate_images`` says so.

    As ``Image.cache`` does for disks with a base.
    """
    if backend.preallocate and backend._can_fallocate():
        processutils.execute('fallocate', '-n', '-l', size, backend.path)


def record_format(backend):
    """Have the format on record before there are bytes to guess it from.

    Nova inspects a raw disk that it has not on record, without a format; an
    empty file is raw.
    """
    with open(backend.path, 'wb'):
        pass
    backend.resolve_driver_format()
    os.unlink(backend.path)


def change_format(backend):
    """Record the format of a backend in place of another's.

    Nova never changes the record, and a host that goes by it would take the
    disk for what it was.
    """
    path = pathlib.Path(backend.disk_info_path)
    formats = jsonutils.loads(path.read_text()) if path.exists() else {}
    formats.pop(backend.path, None)
    path.write_text(jsonutils.dumps(formats))
    backend.resolve_driver_format()
