# SPDX-License-Identifier: Apache-2.0
"""The CD-ROM ABOUT, which says what server this is."""

import functools
import io
import json

from oslo_utils import strutils
import pycdlib

from nova_newos import exception
from nova_newos.media import base

PROPERTY = 'newos_about'
LABEL = 'ABOUT'

#: What the persisted reference says: the form of the file. Servers keep the
#: form they were created with when a later version writes another one.
FORM = '1'


class AboutMedium(base.Medium):
    """A CD-ROM with the ids of the server, for install ISOs that ask for it.

    The image property ``newos_about`` asks with any of oslo.utils' words for
    true.
    """

    name = 'about'

    def reference(self, server):
        """The form of the file, if the install ISO asks for the CD-ROM."""
        value = server.properties.get(PROPERTY, 'false')
        try:
            wanted = strutils.bool_from_string(value, strict=True)
        except ValueError as error:
            raise exception.PropertyInvalid(
                name=PROPERTY, value=value, expected='true or false'
            ) from error
        return FORM if wanted else None

    def contents(self, server, reference):
        """A generated CD-ROM, the same for as long as the server lives."""
        content = {
            'uuid': server.uuid,
            'project_id': server.project_id,
            'install_iso': server.iso,
        }
        data = json.dumps(content, indent=2, sort_keys=True).encode() + b'\n'
        return base.Generated(LABEL, functools.partial(_write, data))


def _write(data, path):
    """Write an ISO 9660 image with ``server.json`` to an empty file."""
    iso = pycdlib.PyCdlib()
    # Rock Ridge and Joliet, so that Linux and Windows both see the long name.
    iso.new(vol_ident=LABEL, rock_ridge='1.09', joliet=3)
    iso.add_fp(
        io.BytesIO(data),
        len(data),
        '/SERVER.JSO;1',
        rr_name='server.json',
        joliet_path='/server.json',
    )
    iso.write(path)
    iso.close()
