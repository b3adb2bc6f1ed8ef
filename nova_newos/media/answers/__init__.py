# SPDX-License-Identifier: Apache-2.0
"""The answer CD: what an installer asks, answered by the user data."""

import functools
import hashlib

from nova_newos import exception
from nova_newos.media import base
from nova_newos.media.answers import cd
from nova_newos.media.answers import iso

#: Nobody makes other data with as many digits, and all media of a server share
#: the room for references.
DIGEST_LENGTH = 32


class AnswersMedium(base.Medium):
    """A small CD-ROM with the answer files in the server's user data.

    Its bytes depend on the user data and the server's UUID only.
    """

    name = 'answers'

    def reference(self, server):
        """The user data's digest, if it is for an installer.

        :returns: the first :data:`DIGEST_LENGTH` hexadecimal digits of its
            sha256
        :raises FinishRefused: when the guest would be off halfway
        """
        if not server.user_data:
            return None
        found = cd.from_user_data(server.user_data, server.uuid)
        if found is None:
            return None
        if server.finishes_by_reboot and found.reboots_midway:
            raise exception.FinishRefused()
        return _digest(server.user_data)

    def contents(self, server, reference):
        """The CD-ROM that was decided on at spawn.

        Whether it can be made again is told when that is tried: other user
        data is no matter to a server whose CD-ROM is there. Nova keeps that
        of a rebuild which was refused.
        """
        try:
            found = _decided(server, reference)
        except exception.NewosError as error:
            return base.Generated(
                cd.ANY_LABEL, functools.partial(_refuse, error)
            )
        return base.Generated(
            found.label, functools.partial(iso.write, found.label, found.files)
        )


def _decided(server, reference):
    data = server.user_data or b''
    if _digest(data) != reference:
        raise exception.AnswersChanged(expected=reference)
    found = cd.from_user_data(data, server.uuid)
    if found is None:
        raise exception.AnswersUnreadable(
            kind='answers',
            reason='by another version of nova-newos',
        )
    return found


def _refuse(error, _path):
    raise error


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]
