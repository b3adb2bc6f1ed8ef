# SPDX-License-Identifier: Apache-2.0
"""Take the image of a root disk: compressed while it is copied."""

import contextlib
import functools
import os

from nova.compute import utils as compute_utils
import nova.conf
import nova.privsep.utils
from nova.virt.libvirt import imagebackend
from oslo_concurrency import processutils

from nova_newos import exception

CONF = nova.conf.CONF

_NONE = 'none'

#: What qemu-img is told, by value of ``[newos] capture_compression``.
_COMPRESSION = {
    'zlib': ('-c', '-o', 'compression_type=zlib'),
    'zstd': ('-c', '-o', 'compression_type=zstd'),
}


def is_wanted():
    """Whether images of install servers are not left to Nova."""
    compressed = CONF.newos.capture_compression != _NONE
    return compressed and CONF.libvirt.snapshot_image_format in (None, 'qcow2')


class Capture:
    """The image of one root disk in the making.

    :cvar disk_format: of the image
    """

    disk_format = 'qcow2'

    def extract(self, source, source_format, target):
        """Write the image, with nothing in it but what the disk holds.

        :param source: path of a disk that nobody writes to
        :param source_format: its format; never guessed, for a guest wrote it
        :param target: path of a file to make
        :raises CaptureFailed: when qemu-img does
        """
        # As nova.privsep.qemu.unprivileged_convert_image, which knows no
        # compression_type.
        direct = nova.privsep.utils.supports_direct_io(os.path.dirname(target))
        command = (
            'qemu-img',
            'convert',
            '-t',
            'none' if direct else 'writeback',
            '-f',
            source_format,
            '-O',
            self.disk_format,
            *_COMPRESSION[CONF.newos.capture_compression],
            source,
            target,
        )
        try:
            with compute_utils.disk_ops_semaphore:
                processutils.execute(*command)
        except processutils.ProcessExecutionError as error:
            raise exception.CaptureFailed(
                reason=(error.stderr or str(error)).strip()
            ) from error


class Captures:
    """The captures that are under way in this process."""

    def __init__(self):
        self._by_server = {}

    def of(self, instance):
        """The :class:`Capture` of a server, or None."""
        return self._by_server.get(instance.uuid)

    @contextlib.contextmanager
    def under_way(self, instance):
        """Have Nova's snapshot of a server make a capture.

        Nova takes no second snapshot of a server at the same time.
        """
        self._by_server[instance.uuid] = Capture()
        try:
            yield
        finally:
            del self._by_server[instance.uuid]


class Backend(imagebackend.Backend):
    """Nova's image backend, whose extractions are captures.

    Only ``LibvirtDriver.snapshot`` asks for a disk by libvirt's path.
    """

    def __init__(self, use_cow, captures):
        super().__init__(use_cow)
        self._captures = captures

    def by_libvirt_path(self, instance, path, image_type=None):
        image = super().by_libvirt_path(instance, path, image_type=image_type)
        capture = self._captures.of(instance)
        if capture is not None:
            image.snapshot_extract = functools.partial(
                _extract, capture, image
            )
        return image


def _extract(capture, image, target, _out_format):
    """Answers to ``imagebackend.Image.snapshot_extract``."""
    capture.extract(image.path, image.driver_format, target)
