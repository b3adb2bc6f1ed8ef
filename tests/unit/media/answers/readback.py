# SPDX-License-Identifier: Apache-2.0
"""What a reader of ISO images sees, by pycdlib."""

import io

import pycdlib

VIEWS = ('iso_path', 'rr_path', 'joliet_path')


def labels(path):
    """Volume labels: that of ISO 9660, that of Joliet."""
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    try:
        return (
            iso.pvd.volume_identifier.decode().rstrip(' '),
            iso.joliet_vd.volume_identifier.decode('utf-16-be').rstrip(' '),
        )
    finally:
        iso.close()


def contents(path, view='rr_path'):
    """Bytes of each file by its path, through one of VIEWS."""
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    try:
        found = {}
        for directory, _directories, names in iso.walk(**{view: '/'}):
            for name in names:
                full = f'{directory.rstrip("/")}/{name}'
                target = io.BytesIO()
                iso.get_file_from_iso_fp(target, **{view: full})
                found[full.lstrip('/')] = target.getvalue()
        return found
    finally:
        iso.close()


def mode(path, name):
    """Type and permissions of a file or directory, of Rock Ridge."""
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    try:
        return iso.file_mode(rr_path=f'/{name}')
    finally:
        iso.close()


def modes(path):
    """Those of each file."""
    return {name: mode(path, name) for name in contents(path)}
