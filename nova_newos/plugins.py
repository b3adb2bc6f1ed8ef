# SPDX-License-Identifier: Apache-2.0
"""Plug-ins from entry points: load those named, and fail closed."""

import collections.abc
import dataclasses

from stevedore import named


@dataclasses.dataclass(frozen=True)
class ExtensionPoint:
    """One extension point.

    :ivar namespace: of the entry points
    :ivar base: class that every plug-in is an instance of
    :ivar error: raised for a plug-in that cannot be used, with ``name``,
        ``entry_point`` and ``reason``
    :ivar is_name: whether a plug-in may be called so
    """

    namespace: str
    base: type
    error: type[Exception]
    is_name: collections.abc.Callable[[str], bool]

    def load_all(self, conf, names):
        """Load the plug-ins that an option lists.

        :param conf: handed to each plug-in
        :param names: list of str
        :returns: list of plug-ins in the same order
        :raises Exception: ``error``, also for a name that is listed twice
        """
        for name in names:
            if names.count(name) > 1:
                raise self._refusal(name, name, 'it is listed twice')
        return [self.load(conf, name) for name in names]

    def load(self, conf, name):
        """Load one plug-in, and import no other.

        :raises Exception: ``error``, when no installed package or more than
            one provides it, or it does not load, or is not what it should be
        """
        try:
            manager = named.NamedExtensionManager(
                self.namespace,
                [name],
                invoke_on_load=True,
                invoke_args=(conf,),
                on_missing_entrypoints_callback=self._missing,
                on_load_failure_callback=self._failed,
            )
        except AssertionError as error:
            # stevedore lets these past its callback.
            raise self._refusal(
                name, name, f'AssertionError: {error}'
            ) from error
        found = [e for e in manager.list_entry_points() if e.name == name]
        # stevedore would take the last one and only log it.
        if len(found) > 1:
            raise self._refusal(
                name,
                ', '.join(sorted(e.value for e in found)),
                'several installed packages provide it; remove all but one',
            )
        return self._checked(manager[name])

    def _missing(self, names):
        [name] = names
        raise self._refusal(
            name,
            name,
            'no installed package provides it; install the plug-in, or '
            'correct the option',
        )

    def _failed(self, _manager, entry_point, error):
        raise self._refusal(
            entry_point.name,
            entry_point.value,
            f'{type(error).__name__}: {error}',
        ) from error

    def _checked(self, extension):
        plugin = extension.obj
        reason = None
        if not isinstance(plugin, self.base):
            wanted = f'{self.base.__module__}.{self.base.__qualname__}'
            reason = f'it is not a {wanted}'
        elif getattr(plugin, 'name', None) != extension.name:
            reason = "its 'name' is not that of the entry point"
        elif not self.is_name(plugin.name):
            reason = 'the name is taken or malformed'
        if reason:
            raise self._refusal(
                extension.name, extension.entry_point_target, reason
            )
        return plugin

    def _refusal(self, name, entry_point, reason):
        return self.error(name=name, entry_point=entry_point, reason=reason)
