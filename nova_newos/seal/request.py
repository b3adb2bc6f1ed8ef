# SPDX-License-Identifier: Apache-2.0
"""Who asks for a sealed image: the server, its ISO, or the operator."""

from oslo_utils import strutils

from nova_newos import exception

#: Key of the server's metadata, and name of the install ISO's property.
NAME = 'newos_seal'


def is_asked_for(metadata, properties, default):
    """Whether the golden image of a server is to be sealed.

    :param metadata: the server's metadata, str to str; wins
    :param properties: the install ISO's image properties, str to str
    :param default: ``[newos] seal``
    :raises PropertyInvalid, MetadataInvalid: when it is not a boolean
    """
    for values, error in (
        (metadata, exception.MetadataInvalid),
        (properties, exception.PropertyInvalid),
    ):
        if NAME in values:
            return _boolean(values[NAME], error)
    return default


def _boolean(value, error):
    try:
        return strutils.bool_from_string(value, strict=True)
    except ValueError as invalid:
        raise error(
            name=NAME, value=value, expected='true or false'
        ) from invalid
