# SPDX-License-Identifier: Apache-2.0
"""Write files to an ISO 9660 image: the same files, the same bytes.

The names are in three places: Rock Ridge for Linux, Joliet for Windows, and
ISO 9660's own for readers of neither. Two versions of pycdlib may lay an image
out differently; with one version, the bytes depend on label and files only.
"""

import dataclasses
import io
import os
import pathlib

import pycdlib
from pycdlib import dates
from pycdlib import utils

#: Names of up to 31 characters; level 4 would add a volume descriptor that
#: not every installer's kernel knows.
_LEVEL = 3

#: 30 characters without the dot, and an extension may have three of them.
_BASE_LENGTH = 27

#: ECMA-119, 9.1.5 and 8.4.26.1: 1 January 1980 UTC, the first day that all
#: guests can show.
_RECORD_DATE = bytes((80, 1, 1, 0, 0, 0, 0))
_VOLUME_DATE = b'1980010100000000\0'

#: ECMA-119, 6.2.1 and 8.4.27 to 8.4.28: where the dates of modification are.
_SECTOR = 2048
_FIRST_DESCRIPTOR = 16 * _SECTOR
_MODIFICATION_DATE = 830
_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255


@dataclasses.dataclass(frozen=True)
class File:
    """One file of the CD.

    :ivar path: from the root of the CD, parts separated by slashes, no slash
        at the beginning
    :ivar data: its bytes
    :ivar executable: whether a Unix guest may run it off the CD
    """

    path: str
    data: bytes
    executable: bool = False


def write(label, files, path):
    """Write an ISO 9660 image with Rock Ridge and Joliet.

    :param label: volume label, at most 16 characters: Joliet's limit
    :param files: iterable of :class:`File`,
        whose paths the limits of :mod:`nova_newos.media.answers.names` hold
        for
    :param path: of the file to write
    """
    iso = pycdlib.PyCdlib()
    iso.new(
        interchange_level=_LEVEL,
        vol_ident=label,
        app_ident_str='NOVA-NEWOS',
        joliet=3,
        rock_ridge='1.09',
    )
    try:
        _Tree(iso).add(sorted(files, key=lambda file: file.path))
        _set_dates(iso)
        image = io.BytesIO()
        iso.write_fp(image)
    finally:
        iso.close()
    _set_modification_dates(image)
    pathlib.Path(path).write_bytes(image.getbuffer())


class _Tree:
    """Adds files and the directories that they are in."""

    def __init__(self, iso):
        self._iso = iso
        # Path as the guest sees it to ISO 9660's own.
        self._directories = {'': ''}
        self._taken = set()

    def add(self, files):
        for file in files:
            parent, name = os.path.split(file.path)
            self._iso.add_fp(
                io.BytesIO(file.data),
                len(file.data),
                self._iso_path(self._directory(parent), name, _file_name),
                rr_name=name,
                joliet_path=f'/{file.path}',
                file_mode=0o100555 if file.executable else 0o100444,
            )

    def _directory(self, path):
        if path not in self._directories:
            parent, name = os.path.split(path)
            made = self._iso_path(self._directory(parent), name, _dir_name)
            self._iso.add_directory(
                made, rr_name=name, joliet_path=f'/{path}', file_mode=0o040555
            )
            self._directories[path] = made
        return self._directories[path]

    def _iso_path(self, parent, name, mangle):
        """A path of ISO 9660's that no other file has."""
        path = f'{parent}/{mangle(name)}'
        number = 0
        while path in self._taken:
            number += 1
            path = f'{parent}/{mangle(f"_{number}_{name}")}'
        self._taken.add(path)
        return path


def _file_name(name):
    # The extension comes with its version.
    base, extension = utils.mangle_file_for_iso9660(name, _LEVEL)
    return f'{base[:_BASE_LENGTH]}.{extension}'


def _dir_name(name):
    return utils.mangle_dir_for_iso9660(name, _LEVEL)


def _set_dates(iso):
    """Replace the time of writing, which pycdlib offers no choice of."""
    for descriptor in (iso.pvd, iso.joliet_vd):
        descriptor.volume_creation_date = _volume_date()
        descriptor.volume_effective_date = _volume_date()
        for record in _records(descriptor.root_dir_record):
            record.date = _record_date()
            if record.rock_ridge is not None:
                # Names within our limits leave room for it in the record.
                _set_posix_dates(record.rock_ridge.dr_entries.tf_record)


def _records(record):
    yield record
    for child in record.children:
        yield from _records(child)


def _set_posix_dates(stamps):
    stamps.access_time = _record_date()
    stamps.modification_time = _record_date()
    stamps.attribute_change_time = _record_date()


def _record_date():
    # new() would take the host's time zone.
    date = dates.DirectoryRecordDate()
    date.parse(_RECORD_DATE)
    return date


def _volume_date():
    date = dates.VolumeDescriptorDate()
    date.parse(_VOLUME_DATE)
    return date


def _set_modification_dates(image):
    """The one date that pycdlib fills in while it writes."""
    offset = _FIRST_DESCRIPTOR
    content = image.getbuffer()
    while (kind := content[offset]) != _TERMINATOR:
        if kind in (_PRIMARY, _SUPPLEMENTARY):
            date = offset + _MODIFICATION_DATE
            content[date : date + len(_VOLUME_DATE)] = _VOLUME_DATE
        offset += _SECTOR
