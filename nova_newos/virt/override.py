# SPDX-License-Identifier: Apache-2.0
"""The door between Nova's driver and ours.

Each method of ``nova.virt.libvirt.driver.LibvirtDriver`` that is overridden
for the sake of a server comes through here::

    @override.for_install_servers()
    def rescue(self, server, call):
        if is_ours(call.image_meta):
            raise exception.RescueIsoRefused()
        call.proceed()

Nova calls it with the arguments of its own method, whatever they are in this
release. A server without a layout goes to Nova's method at once, with the
arguments as they came. Our errors become Nova's, and the owner of the server
is told of them until an operation succeeds.
"""

import functools
import inspect

from nova.virt.libvirt import driver

from nova_newos.virt import exception
from nova_newos.virt import owner

# Nova's own tests put our driver into the place of this.
_STOCK = driver.LibvirtDriver


class Call:
    """One call of a method of Nova's; its arguments are attributes."""

    def __init__(self, method, arguments):
        """Nothing is called yet.

        :param method: Nova's method, a function of the class
        :param arguments: an ``inspect.BoundArguments`` of it
        """
        self._method = method
        self._given = arguments
        self._all = self._changed({})
        self._all.apply_defaults()

    def __getattr__(self, name):
        try:
            return self._all.arguments[name]
        except KeyError:
            raise AttributeError(name) from None

    def proceed(self, **changed):
        """Call Nova's method.

        :param changed: arguments to give it other values of
        :returns: what it returns
        """
        arguments = self._changed(changed)
        return self._method(*arguments.args, **arguments.kwargs)

    def _changed(self, changed):
        return inspect.BoundArguments(
            self._given.signature, self._given.arguments | changed
        )


def for_install_servers(errors=exception.refused, when=None):
    """Override a method of Nova's for servers that have a layout.

    The method is called with an
    :class:`~nova_newos.virt.server.InstallServer` and a :class:`Call`.

    :param errors: one of the context managers of
        :mod:`nova_newos.virt.exception`, for the errors of the method
    :param when: called with the ``nova.objects.Instance``; only if it returns
        True the server is asked for its layout
    """

    def select(ours, instance):
        if when is not None and not when(instance):
            return None
        with exception.refused(instance):
            server = ours._install_server(instance)
        return None if server is None else (server,)

    return functools.partial(_override, select, errors)


def for_servers_to_be(errors=exception.refused):
    """Override a method of Nova's that comes before there is a layout.

    The method is called with a :class:`Call`, for every server.

    :param errors: as above
    """
    return functools.partial(_override, lambda _ours, _instance: (), errors)


def _override(select, errors, method):
    """The method that Nova calls.

    :param select: called with driver and instance; returns the first
        arguments of our method, or None for a server that is Nova's alone
    """
    name = method.__name__
    signature = inspect.signature(getattr(_STOCK, name))
    place = list(signature.parameters).index('instance') - 1
    # The others are steps of one, which may fail after them.
    is_operation = not name.startswith('_')

    @functools.wraps(method)
    def override(self, *args, **kwargs):
        # Looked up late, as super() does it.
        stock = getattr(_STOCK, name)
        instance = args[place] if len(args) > place else kwargs['instance']
        first = select(self, instance)
        if first is None:
            return stock(self, *args, **kwargs)
        arguments = signature.bind(self, *args, **kwargs)
        with errors(instance):
            result = method(self, *first, Call(stock, arguments))
        if is_operation:
            owner.forget(instance, owner.ERROR)
        return result

    override.__signature__ = signature
    return override
