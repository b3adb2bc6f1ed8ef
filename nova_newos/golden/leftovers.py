# SPDX-License-Identifier: Apache-2.0
"""An installer's answers as a property of the golden image.

A client makes a recipe of them. They go with the image, wherever it goes, and
need no quota of their own. Nova cuts the copy that servers made from the image
have after 255 characters, which is no loss.
"""

import base64
import json
import zlib

from oslo_log import log as logging
from oslo_utils import strutils

from nova_newos import exception
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import inspection

LOG = logging.getLogger(__name__)

#: Key of the server's metadata.
NAME = 'newos_keep_answers'

#: Property of the golden image.
PROPERTY = 'golden_answers'

#: Characters of the property. Installers' answers take one to three thousand;
#: a list of images has those of each.
MAX_LENGTH = 8192

#: What the property begins with when there are none.
NONE = 'none: '


def are_to_be_kept(metadata, is_allowed):
    """Whether the owner wants a server's answers to be kept.

    :param metadata: the server's metadata, str to str
    :param is_allowed: ``[newos] keep_answers``
    :raises MetadataInvalid: when it is not a boolean
    :raises KeepAnswersNotAllowed: when the operator does not want that
    """
    value = metadata.get(NAME, 'false')
    try:
        is_wanted = strutils.bool_from_string(value, strict=True)
    except ValueError as error:
        raise exception.MetadataInvalid(
            name=NAME, value=value, expected='true or false'
        ) from error
    if is_wanted and not is_allowed:
        raise golden_exception.KeepAnswersNotAllowed()
    return is_wanted


def properties(disk, appliance):
    """What the installer has left on a disk that is not sealed yet.

    :param disk: a :class:`~nova_newos.golden.base.Disk`
    :param appliance: a :class:`~nova_newos.golden.appliance.Appliance`
    :returns: dict of str to str, one property of the golden image: JSON of
        path to text, compressed by zlib, in Base64; or why there is none
    """
    try:
        found = inspection.answers(disk, appliance)
    except golden_exception.SealFailed as error:
        LOG.warning('No answers of %s: %s', disk.path, error)
        return {PROPERTY: f'{NONE}the disk could not be looked into'}
    if not found:
        return {PROPERTY: f'{NONE}no installer has left any'}
    packed = base64.b64encode(zlib.compress(json.dumps(found).encode(), 9))
    if len(packed) > MAX_LENGTH:
        return {PROPERTY: f'{NONE}they are too long'}
    LOG.info('Answers of %s: %s', disk.path, ', '.join(found))
    return {PROPERTY: packed.decode()}
