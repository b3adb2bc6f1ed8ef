# SPDX-License-Identifier: Apache-2.0
"""What the file of a disk is, by its content, and whether it is safe."""

import dataclasses
import os

from oslo_utils import units
from oslo_utils.imageutils import format_inspector

from glance_ext.appliance import exception

#: Glance's disk formats that are a disk, and can be told by their content.
FORMATS = frozenset(('qcow2', 'raw', 'vdi', 'vhd', 'vhdx', 'vmdk'))

_ADVICE = {
    'vmdk': 'a vmdk has to be streamOptimized or monolithicSparse',
}


@dataclasses.dataclass(frozen=True)
class Disk:
    """The file of a disk.

    :param format: one of :data:`FORMATS`
    :param size: virtual, bytes
    """

    format: str
    size: int

    @property
    def gib(self):
        """Virtual size in GiB, rounded up."""
        return -(-self.size // units.Gi)


def inspect(path, max_gib):
    """Look at a file; no other file is read, and no process started.

    :param path: of the file, whose content is hostile
    :param max_gib: how large a disk may be
    :returns: a :class:`Disk`
    :raises DiskRefused: when it is no disk, refers to another file, or is
        larger
    """
    try:
        inspector = format_inspector.detect_file_format(path)
        # The one about partitions has options, and is done when Glance
        # stores the image.
        if inspector.NAME != 'gpt':
            inspector.safety_check()
        _check_parent(inspector)
        size = inspector.virtual_size
    except format_inspector.SafetyCheckFailed as error:
        raise exception.DiskRefused(
            f'its format {inspector} is not safe '
            f'({", ".join(sorted(error.failures))}); '
            f'{_ADVICE.get(inspector.NAME, "it must not need other files")}'
        ) from error
    except format_inspector.ImageFormatError as error:
        raise exception.DiskRefused(str(error)) from error
    except exception.DiskRefused:
        raise
    # What an inspector makes of junk.
    except Exception as error:
        raise exception.DiskRefused('its headers are damaged') from error
    # A partition table makes no other format of a raw disk.
    name = {'gpt': 'raw'}.get(inspector.NAME, inspector.NAME)
    if name not in FORMATS:
        raise exception.DiskRefused(
            f'it is {name}, and not one of {", ".join(sorted(FORMATS))}'
        )
    if name == 'raw':
        # The inspector has only read as far as it had to.
        return inspect_raw(path, max_gib)
    return _bounded(Disk(name, size), max_gib)


def inspect_raw(path, max_gib):
    """Look at what is said to be a raw disk, whatever its content looks like.

    It may be encrypted, or an ISO that boots from a disk as well.

    :param path: of the file
    :param max_gib: how large a disk may be
    :returns: a :class:`Disk`
    :raises DiskRefused: when it is larger, or empty
    """
    return _bounded(Disk('raw', os.path.getsize(path)), max_gib)


def _bounded(disk, max_gib):
    if not 0 < disk.gib <= max_gib:
        raise exception.DiskRefused(
            f'it has {disk.gib} GiB, and may have 1 to {max_gib}'
        )
    return disk


def _check_parent(inspector):
    """What QEMU opens beside a vmdk is not among the inspector's checks."""
    if inspector.NAME == 'vmdk' and 'parentfilename' in inspector.desc_text:
        raise exception.DiskRefused(
            'it holds the differences to another vmdk; export it as one disk'
        )
