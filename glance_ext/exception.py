# SPDX-License-Identifier: Apache-2.0
"""Why an image is refused, in words for who uploads it."""

from nova_newos import exception


class IsoRefused(exception.NewosError):
    """Base of what ``[newos_iso] refuse`` lists."""


class NoIso(IsoRefused):
    """``not_iso``."""

    msg_fmt = (
        'the data is not an ISO 9660 or UDF file system: upload the ISO '
        'itself, or set the disk_format that the data has'
    )


class NotBootable(IsoRefused):
    """``not_bootable``."""

    msg_fmt = (
        "the ISO '{label!s:.32}' boots with neither BIOS nor UEFI: upload an "
        'installer ISO, or set newos_install=false on the image if nothing is '
        'to be installed from it'
    )


class UnknownIso(IsoRefused):
    """``unknown``."""

    msg_fmt = (
        "the ISO '{label!s:.32}' is of no system that is known here: ask the "
        'operator for a newer database, or set newos_install=false on the '
        'image if nothing is to be installed from it'
    )
