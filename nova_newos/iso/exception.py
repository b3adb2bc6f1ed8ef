# SPDX-License-Identifier: Apache-2.0
"""Why nothing is said of a medium."""

from nova_newos import exception


class NotAnIso(exception.NewosError):
    """The bytes have no volume of ISO 9660 or UDF."""

    msg_fmt = 'there is no ISO 9660 or UDF volume: upload an ISO'


class NoDatabase(exception.NewosError):
    """There is no database of operating systems where it should be."""

    msg_fmt = (
        'no libosinfo database in {path!s:.80} ({reason!s:.50}): install '
        'osinfo-db, or name its directory or archive'
    )
