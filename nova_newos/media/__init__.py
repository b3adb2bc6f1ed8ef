# SPDX-License-Identifier: Apache-2.0
"""Media plug-ins: find them, and fail closed when one cannot be used."""

import re

from stevedore import exception as stevedore_exception
from stevedore import named

from nova_newos import exception
from nova_newos.media import base

NAMESPACE = 'nova_newos.media'

#: Names of disks that Nova or this driver already give a meaning to.
_TAKEN = re.compile(r'newos|info|config|local|swap|rescue|eph\d+')
_NAME = re.compile(r'[a-z][a-z0-9-]{0,15}')


def load(conf):
    """Load the media that ``[newos] media`` enables.

    :param conf: an ``oslo_config.cfg.ConfigOpts`` with the ``[newos]`` group
    :returns: a dict of name to :class:`~nova_newos.media.base.Medium`, in the
        configured order
    :raises MediumLoadError: for a name that no installed package provides, or
        an entry point that does not yield a usable medium
    """
    names = conf.newos.media
    for name in names:
        if names.count(name) > 1:
            raise exception.MediumLoadError(
                name=name, entry_point=name, reason='it is listed twice'
            )
    manager = _extensions(conf, names)
    return {
        extension.name: _checked(extension, extension.obj)
        for extension in manager
    }


def _extensions(conf, names):
    try:
        return named.NamedExtensionManager(
            NAMESPACE,
            names,
            invoke_on_load=True,
            invoke_args=(conf,),
            name_order=True,
            on_missing_entrypoints_callback=_missing,
            on_load_failure_callback=_failed,
        )
    except stevedore_exception.MultipleMatches as error:
        raise exception.MediumLoadError(
            name=','.join(names), entry_point='?', reason=error
        ) from error


def _missing(names):
    name = sorted(names)[0]
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


def _checked(extension, medium):
    reason = None
    if not isinstance(medium, base.Medium):
        reason = 'it is not a nova_newos.media.base.Medium'
    elif medium.name != extension.name:
        reason = f"the medium calls itself '{medium.name}'"
    elif not _NAME.fullmatch(medium.name) or _TAKEN.fullmatch(medium.name):
        reason = 'the name is taken or malformed'
    if reason:
        raise exception.MediumLoadError(
            name=extension.name,
            entry_point=extension.entry_point_target,
            reason=reason,
        )
    return medium
