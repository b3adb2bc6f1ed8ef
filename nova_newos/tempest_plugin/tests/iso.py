# SPDX-License-Identifier: Apache-2.0
"""A tiny ISO, for what is decided before anything boots."""

import io

import pycdlib

# What firmware asks a boot sector for.
_SIGNATURE = b'\x55\xaa'


def bootable(volume_id):
    """An ISO that BIOS would boot: a file object, at its beginning.

    :param volume_id: its label, of A to Z, 0 to 9 and _
    """
    sector = bytes(2048 - len(_SIGNATURE)) + _SIGNATURE
    disc = pycdlib.PyCdlib()
    disc.new(vol_ident=volume_id)
    disc.add_fp(io.BytesIO(sector), len(sector), '/BOOT.;1')
    disc.add_eltorito('/BOOT.;1', '/BOOT.CAT;1')
    written = io.BytesIO()
    disc.write_fp(written)
    disc.close()
    written.seek(0)
    return written
