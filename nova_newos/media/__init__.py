# SPDX-License-Identifier: Apache-2.0
"""Media plug-ins: find them, and fail closed when one cannot be used."""

from importlib import metadata
import re

from nova_newos import exception
from nova_newos import plugins
from nova_newos.media import base

NAMESPACE = 'nova_newos.media'

#: Names of disks that Nova or this driver already give a meaning to, and those
#: of what a golden image says of its origin beside its media.
_TAKEN = re.compile(
    r'newos|info|config|local|swap|rescue|eph\d+'
    r'|server|iso|flavor|versions|started|captured'
)
_NAME = re.compile(r'[a-z][a-z0-9-]{0,15}')


def is_name(name):
    """Whether a medium may be called so, and its disk ``disk.<name>``."""
    return bool(_NAME.fullmatch(name)) and not _TAKEN.fullmatch(name)


_EXTENSIONS = plugins.ExtensionPoint(
    NAMESPACE, base.Medium, exception.MediumLoadError, is_name
)


def installed():
    """Names of the media that packages of this host provide.

    :returns: set of str
    """
    return {
        entry_point.name
        for entry_point in metadata.entry_points(group=NAMESPACE)
        if is_name(entry_point.name)
    }


class Media:
    """The media of one process.

    :ivar enabled: list of :class:`~nova_newos.media.base.Medium`, those of
        ``[newos] media`` in that order; new servers are offered these
    """

    def __init__(self, conf):
        """Load the enabled media.

        :param conf: an ``oslo_config.cfg.ConfigOpts`` with our options
        :raises MediumLoadError: for a name that no installed package
            provides, or an entry point that yields no usable medium
        """
        self._conf = conf
        self.enabled = _EXTENSIONS.load_all(conf, conf.newos.media)
        self._loaded = {medium.name: medium for medium in self.enabled}

    def get(self, name):
        """A medium by its name, enabled or not.

        Servers keep the media that they were spawned with, also after the
        operator stopped offering them.

        :raises MediumLoadError: as above
        """
        if name not in self._loaded:
            self._loaded[name] = _EXTENSIONS.load(self._conf, name)
        return self._loaded[name]
