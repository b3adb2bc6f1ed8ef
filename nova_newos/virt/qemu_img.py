# SPDX-License-Identifier: Apache-2.0
"""The command lines of qemu-img(1), and of qemu-io(1) beside it.

A guest could have written the header of any format to its disk: the format is
given each time, and never guessed. What fails raises
``oslo_concurrency.processutils.ProcessExecutionError``.
"""

import os

from nova.virt import images
from oslo_concurrency import processutils
from oslo_serialization import jsonutils

#: What makes compressed clusters, by name of the compression.
COMPRESSION = {
    'zlib': ('-c', '-o', 'compression_type=zlib'),
    'zstd': ('-c', '-o', 'compression_type=zstd'),
}

#: Exit codes of a check that was made: nothing found, errors, leaks.
_CHECKED = [0, 2, 3]
_SIGNS_OF_USE = (
    'allocated-clusters',
    'leaks',
    'corruptions',
    'check-errors',
)

#: Compressed clusters are no multiple of a block. They are put together in the
#: page cache, in whatever order they come; with direct I/O each would be read,
#: changed and written again. Glance is sent the file next.
_WRITE_COMPRESSED = ('-W', '-t', 'writeback')


def virtual_size(path, disk_format):
    """Size of a disk as its guest sees it, in bytes."""
    return images.qemu_img_info(path, disk_format).virtual_size


def is_blank(path, disk_format):
    """Whether no cluster of a disk was ever written to.

    Of a disk that a guest has open, or had when its host lost power, clusters
    may be in use that are not allocated: qemu-img calls them leaks.

    :param disk_format: one that has clusters, as qcow2
    """
    output, _errors = processutils.execute(
        'qemu-img',
        'check',
        '--force-share',
        '--output=json',
        '-f',
        disk_format,
        path,
        check_exit_code=_CHECKED,
    )
    found = jsonutils.loads(output)
    return not any(found.get(figure) for figure in _SIGNS_OF_USE)


def resize(path, disk_format, size):
    """Make a disk as large as this, in bytes."""
    _run('resize', '-f', disk_format, path, size)


def write(path, disk_format, offset, content):
    """Write some bytes into a disk that no guest has open.

    :param offset: in the disk as a guest sees it
    :param content: few bytes
    """
    commands = [
        word
        for index, byte in enumerate(content)
        for word in ('-c', f'write -q -P {byte} {offset + index} 1')
    ]
    processutils.execute('qemu-io', '-f', disk_format, *commands, path)


def create_overlay(path, backing, backing_format):
    """Make a qcow2 that takes what is changed of another disk."""
    _run(
        'create',
        '-q',
        '-f',
        'qcow2',
        '-b',
        os.path.abspath(backing),
        '-F',
        backing_format,
        path,
    )


def convert_compressed(source, source_format, target, compression):
    """Copy a disk to a compressed qcow2.

    ``nova.privsep.qemu.unprivileged_convert_image`` knows no compression type.

    :param compression: a key of :data:`COMPRESSION`
    """
    _convert(
        (*_WRITE_COMPRESSED, *COMPRESSION[compression]),
        source,
        source_format,
        target,
        'qcow2',
    )


def convert(source, source_format, target, target_format, direct, compress):
    """Copy a disk as ``nova.virt.libvirt.utils.extract_snapshot`` does.

    :param direct: whether the target can be written past the page cache
    :param compress: whether its clusters are compressed, in QEMU's own way
    """
    writing = ('-t', 'none' if direct else 'writeback')
    if compress:
        writing += ('-c',)
    _convert(writing, source, source_format, target, target_format)


def _convert(writing, source, source_format, target, target_format):
    _run(
        'convert',
        *writing,
        '-f',
        source_format,
        '-O',
        target_format,
        source,
        target,
    )


def _run(*arguments):
    processutils.execute('qemu-img', *arguments)
