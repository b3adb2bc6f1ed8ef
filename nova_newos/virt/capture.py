# SPDX-License-Identifier: Apache-2.0
"""Take the image of a root disk: sealed, and compressed while it is copied."""

import contextlib
import functools
import os

from nova.compute import utils as compute_utils
import nova.conf
import nova.privsep.utils
from nova.virt.libvirt import imagebackend
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos.golden import base

CONF = nova.conf.CONF

#: What qemu-img is told, by value of ``[newos] capture_compression``.
_COMPRESSION = {
    'zlib': ('-c', '-o', 'compression_type=zlib'),
    'zstd': ('-c', '-o', 'compression_type=zstd'),
}

#: Compressed clusters are no multiple of a block. They are put together in the
#: page cache, in whatever order they come; with direct I/O each would be read,
#: changed and written again. Glance is sent the file next.
_WRITE_COMPRESSED = ('-W', '-t', 'writeback')


def compression():
    """How images of install servers are compressed, None for not at all."""
    wanted = CONF.newos.capture_compression
    # An explicit format of the operator's wins.
    possible = CONF.libvirt.snapshot_image_format in (None, 'qcow2')
    return wanted if possible and wanted in _COMPRESSION else None


class Capture:
    """The image of one root disk in the making.

    :ivar properties: dict of what the image's record is to say; complete when
        the image was written
    :ivar is_extracted: whether the image was written
    """

    def __init__(self, properties=(), finish=None):
        """Decide on the compression.

        :param properties: what is known already, a dict
        :param finish: called with a :class:`nova_newos.golden.base.Disk`, a
            copy that may be written, before it becomes the image; returns a
            dict of more properties
        """
        self.properties = dict(properties)
        self._compression = compression()
        self._finish = finish
        self.is_extracted = False

    @property
    def is_wanted(self):
        """Whether Nova alone would make another image."""
        return bool(self._compression or self._finish)

    def disk_format(self, stock):
        """Disk format of the image.

        :param stock: the format that Nova would choose
        """
        return 'qcow2' if self._compression else stock

    def extract(self, source, source_format, target, stock):
        """Write the image, with nothing in it but what the disk holds.

        :param source: path of a disk that nobody writes to
        :param source_format: its format; never guessed, for a guest wrote it
        :param target: path of a file to make
        :param stock: the format that Nova would choose
        :raises NewosError: when it cannot be made
        """
        if self._finish is None:
            self._convert(source, source_format, target, stock)
        else:
            self._convert_finished(source, source_format, target, stock)
        self.is_extracted = True

    def _convert_finished(self, source, source_format, target, stock):
        # What is changed of the disk, not a copy of it.
        overlay = f'{target}.overlay'
        _qemu_img(
            'create',
            '-q',
            '-f',
            'qcow2',
            '-b',
            os.path.abspath(source),
            '-F',
            source_format,
            overlay,
        )
        self.properties |= self._finish(base.Disk(overlay, 'qcow2'))
        self._convert(overlay, 'qcow2', target, stock)
        os.unlink(overlay)

    def _convert(self, source, source_format, target, stock):
        # Nova's own call knows no compression_type.
        with compute_utils.disk_ops_semaphore:
            _qemu_img(
                'convert',
                *self._writing(target, stock),
                '-f',
                source_format,
                '-O',
                self.disk_format(stock),
                source,
                target,
            )

    def _writing(self, target, stock):
        if self._compression:
            return *_WRITE_COMPRESSED, *_COMPRESSION[self._compression]
        # As nova.privsep.qemu.unprivileged_convert_image does it for
        # nova.virt.libvirt.utils.extract_snapshot.
        direct = nova.privsep.utils.supports_direct_io(os.path.dirname(target))
        writing = ('-t', 'none' if direct else 'writeback')
        if CONF.libvirt.snapshot_compression and stock == 'qcow2':
            writing += ('-c',)
        return writing


def _qemu_img(*arguments):
    """:raises CaptureFailed: when it fails"""
    try:
        processutils.execute('qemu-img', *arguments)
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
        # Nova's own tests ask with less than an instance.
        if not self._by_server:
            return None
        return self._by_server.get(instance.uuid)

    @contextlib.contextmanager
    def under_way(self, instance, capture):
        """Have Nova's snapshot of a server make this capture.

        :raises CaptureFailed: for a second one at the same time, which is
            possible after an administrator has reset the server's state; and
            when Nova took an image without it
        """
        if self._by_server.setdefault(instance.uuid, capture) is not capture:
            raise exception.CaptureFailed(
                reason='another image of it is being made'
            )
        try:
            yield
        finally:
            del self._by_server[instance.uuid]
        if capture.is_wanted and not capture.is_extracted:
            raise exception.CaptureFailed(reason='Nova made one of its own')


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
        if capture is not None and capture.is_wanted:
            image.snapshot_extract = functools.partial(
                _extract, capture, image
            )
        return image


def _extract(capture, image, target, out_format):
    """Answers to ``imagebackend.Image.snapshot_extract``."""
    capture.extract(image.path, image.driver_format, target, out_format)
