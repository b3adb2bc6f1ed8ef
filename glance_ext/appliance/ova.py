# SPDX-License-Identifier: Apache-2.0
"""The disk of an OVA: a tar archive with an OVF descriptor (DMTF DSP0243).

The archive is hostile. Names in it are compared and never used as paths, and
nothing is unpacked but the one disk. Neither is there compression nor a sparse
file in it, so the disk is a range of the archive's own bytes: it is moved to
their start, and no other file is made, which would want room and somebody who
removes it.
"""

import re
import tarfile
import time
import urllib.parse

from glance_ext.appliance import exception
from glance_ext.appliance import ovf

#: Bytes of all headers of an archive, long names and the like among them;
#: an OVA has a handful of files.
MAX_HEADERS = 2**16

# Bytes of one of them. Some versions of Python need quadratic time for one
# that is extended (CVE-2024-6232).
_MAX_HEADER = 2**12
_CHUNK = 2**20
# No folder, and nothing that a log or a terminal would take for a command.
_PLAIN = re.compile(r'(?!\.{1,2}$)[^/\\\0-\x1f\x7f]{1,255}')


def extract(path):
    """Make the file of an OVA that of its disk.

    :param path: of the file; of no use after a failure
    :returns: the :class:`~glance_ext.appliance.ovf.Appliance`
    :raises ArchiveRefused: for what is no such archive
    :raises DescriptorRefused: see :func:`~glance_ext.appliance.ovf.parse`
    """
    with open(path, 'r+b') as archive:
        members = _members(archive)
        appliance = _appliance(archive, members)
        _keep(archive, _disk(members, appliance))
    return appliance


class _Headers:
    """What tarfile reads of an archive: headers, and an end to them.

    tarfile takes long names and extended headers into memory, whatever size
    they say they have.
    """

    def __init__(self, archive):
        self._archive = archive
        self._left = MAX_HEADERS
        self.seek = archive.seek
        self.tell = archive.tell

    def read(self, size):
        if not 0 <= size <= min(self._left, _MAX_HEADER):
            raise exception.ArchiveRefused('its headers are too large')
        self._left -= size
        return self._archive.read(size)


def _members(archive):
    """Files of an archive: ``{name: TarInfo}``."""
    found = {}
    try:
        with tarfile.open(fileobj=_Headers(archive), mode='r:') as tar:
            for member in tar:
                _check(member)
                if member.name in found:
                    raise exception.ArchiveRefused(
                        f'{exception.shown(member.name)} is in it twice'
                    )
                found[member.name] = member
    # What tarfile makes of damage, by the version of Python.
    except (
        tarfile.TarError,
        ValueError,
        OverflowError,
        OSError,
        RecursionError,
    ) as error:
        raise exception.ArchiveRefused(
            f'it cannot be read: {str(error)[:80]}'
        ) from error
    return found


def _check(member):
    name = exception.shown(member.name)
    if not _PLAIN.fullmatch(member.name):
        raise exception.ArchiveRefused(f'{name} is in a folder')
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise exception.ArchiveRefused(
            f'{name} is a link, a folder, a device or the like'
        )
    if member.issparse() or member.size < 0:
        raise exception.ArchiveRefused(f'{name} is a sparse file')


def _appliance(archive, members):
    """What the descriptor in an archive says."""
    found = [m for m in members.values() if m.name.lower().endswith('.ovf')]
    if len(found) != 1:
        raise exception.ArchiveRefused(f'it has {len(found)} descriptors')
    if found[0].size > ovf.MAX_SIZE:
        raise exception.ArchiveRefused(
            f'its descriptor has more than {ovf.MAX_SIZE // 2**20} MiB'
        )
    archive.seek(found[0].offset_data)
    return ovf.parse(archive.read(found[0].size))


def _disk(members, appliance):
    """The TarInfo of the disk of an appliance."""
    name = exception.shown(appliance.disk)
    # A reference is a URI; VirtualBox writes names as they are.
    for spelled in (appliance.disk, urllib.parse.unquote(appliance.disk)):
        if not _PLAIN.fullmatch(spelled):
            raise exception.DescriptorRefused(
                f'its disk is {name}, outside of the OVA'
            )
        if spelled in members:
            break
    else:
        raise exception.ArchiveRefused(f'the disk {name} is not in it')
    found = members[spelled]
    if appliance.disk_size not in (None, found.size):
        raise exception.ArchiveRefused(
            f'the disk {name} has {found.size} bytes, and '
            f'{appliance.disk_size} by the descriptor'
        )
    return found


def _keep(archive, member):
    """Of an archive, leave the bytes of one member."""
    done = 0
    while done < member.size:
        archive.seek(member.offset_data + done)
        chunk = archive.read(min(member.size - done, _CHUNK))
        if not chunk:
            raise exception.ArchiveRefused('it ends within its disk')
        # Before what is read next, for a header is before the disk.
        archive.seek(done)
        archive.write(chunk)
        done += len(chunk)
        # Where Glance runs under eventlet, others are served meanwhile.
        time.sleep(0)
    archive.truncate(member.size)
