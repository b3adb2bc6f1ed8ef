# SPDX-License-Identifier: Apache-2.0
"""Media plug-ins: find them, and fail closed when one cannot be used."""

import re

from stevedore import named

from nova_newos import exception
from nova_newos.media import base

NAMESPACE = 'nova_newos.media'

#: Names of disks that Nova or this driver already give a meaning to.
_TAKEN = re.compile(r'newos|info|config|local|swap|rescue|eph\d+')
_NAME = re.compile(r'[a-z][a-z0-9-]{0,15}')


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
        self._loaded = {}
        names = conf.newos.media
        for name in names:
            if names.count(name) > 1:
                raise exception.MediumLoadError(
                    name=name, entry_point=name, reason='it is listed twice'
                )
        self.enabled = [self.get(name) for name in names]

    def get(self, name):
        """A medium by its name, enabled or not.

        Servers keep the media that they were spawned with, also after the
        operator stopped offering them.

        :raises MediumLoadError: as above
        """
        if name not in self._loaded:
            self._loaded[name] = _load(self._conf, name)
        return self._loaded[name]


def _load(conf, name):
    try:
        manager = named.NamedExtensionManager(
            NAMESPACE,
            [name],
            invoke_on_load=True,
            invoke_args=(conf,),
            on_missing_entrypoints_callback=_missing,
            on_load_failure_callback=_failed,
        )
    except AssertionError as error:
        # stevedore lets these past its callback.
        raise exception.MediumLoadError(
            name=name, entry_point=name, reason=f'AssertionError: {error}'
        ) from error
    found = [e for e in manager.list_entry_points() if e.name == name]
    # stevedore would take the last one and only log it.
    if len(found) > 1:
        raise exception.MediumLoadError(
            name=name,
            entry_point=', '.join(sorted(e.value for e in found)),
            reason='several installed packages provide it; remove all but one',
        )
    return _checked(manager[name])


def _missing(names):
    [name] = names
    raise exception.MediumLoadError(
        name=name,
        entry_point=name,
        reason='no installed package provides it; install the plug-in, or '
        'correct the option',
    )


def _failed(_manager, entry_point, error):
    raise exception.MediumLoadError(
        name=entry_point.name,
        entry_point=entry_point.value,
        reason=f'{type(error).__name__}: {error}',
    ) from error


def _checked(extension):
    medium = extension.obj
    reason = None
    if not isinstance(medium, base.Medium):
        reason = 'it is not a nova_newos.media.base.Medium'
    elif getattr(medium, 'name', None) != extension.name:
        reason = "its 'name' is not that of the entry point"
    elif not _NAME.fullmatch(medium.name) or _TAKEN.fullmatch(medium.name):
        reason = 'the name is taken or malformed'
    if reason:
        raise exception.MediumLoadError(
            name=extension.name,
            entry_point=extension.entry_point_target,
            reason=reason,
        )
    return medium
