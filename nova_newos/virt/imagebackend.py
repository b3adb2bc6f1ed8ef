# SPDX-License-Identifier: Apache-2.0
"""Nova's image backend, whose extractions are captures while one is made."""

import functools

from nova.virt.libvirt import imagebackend

from nova_newos.virt import snapshot


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
