# SPDX-License-Identifier: Apache-2.0
"""Put a driver class where Nova's tests look for Nova's own."""

import importlib
import os

from tests.upstream import selection

# The worker processes are started by stestr, which hands on nothing but the
# environment.
DRIVER_VARIABLE = 'NEWOS_UPSTREAM_DRIVER'

DRIVERS = {
    'stock': 'nova.virt.libvirt.driver:LibvirtDriver',
    'newos': 'nova_newos.virt.driver:NewosLibvirtDriver',
}


def wanted_driver():
    """The class that the tests are to run against.

    :returns: the class named by the environment variable DRIVER_VARIABLE,
        a key of DRIVERS
    :raises SystemExit: if the variable is unset or names no driver
    """
    name = os.environ.get(DRIVER_VARIABLE)
    if name not in DRIVERS:
        raise SystemExit(
            '%s is %r: set it to one of %s, or run '
            '"python -m tests.upstream"'
            % (DRIVER_VARIABLE, name, ', '.join(DRIVERS))
        )
    # Nova's tests patch eventlet (or refuse it) before anything else of Nova
    # is imported: here their package does, or its first module would.
    importlib.import_module(selection.package(selection.wanted_suite()))
    monkey_patch = importlib.import_module('nova.monkey_patch')
    # Nova 31 has no such function: to import the module is enough.
    getattr(monkey_patch, 'patch', lambda: None)()
    module, attribute = DRIVERS[name].split(':')
    return getattr(importlib.import_module(module), attribute)


def adopt_unbound_methods(driver_class):
    """Give a class its own copy of the static and class methods it inherits.

    Nova's tests patch them on the class and restore what they found in its
    own ``__dict__``: without a copy of its own the class keeps a bound
    leftover, and later tests fail.

    :param driver_class: changed in place; what it overrides itself stays
    """
    for base in driver_class.__mro__[1:]:
        for name, value in vars(base).items():
            if isinstance(
                value, (classmethod, staticmethod)
            ) and name not in vars(driver_class):
                setattr(driver_class, name, value)


def anchor_super(module, driver_class):
    """Have ``super(LibvirtDriver, self)`` mean the class that it is in.

    Nova up to 32 names the class there, and would look it up in the module,
    where the name is about to mean another: a call without end.

    :param module: the class's module, which gets a second name for it
    :param driver_class: changed in place
    """
    name = driver_class.__name__
    anchor = 'Stock' + name
    setattr(module, anchor, driver_class)
    for function in vars(driver_class).values():
        code = getattr(function, '__code__', None)
        if code and {'super', name} <= set(code.co_names):
            function.__code__ = code.replace(
                co_names=tuple(
                    anchor if used == name else used for used in code.co_names
                )
            )


def substitute():
    """Rebind the names by which Nova's tests reach the libvirt driver.

    To be called before any module of ``nova.tests`` below the top is
    imported: they copy the names when they are imported.

    :returns: the class that is now ``nova.virt.libvirt.driver.LibvirtDriver``
    """
    driver_class = wanted_driver()
    libvirt = importlib.import_module('nova.virt.libvirt')
    if driver_class is not libvirt.driver.LibvirtDriver:
        adopt_unbound_methods(driver_class)
        anchor_super(libvirt.driver, libvirt.driver.LibvirtDriver)
        libvirt.driver.LibvirtDriver = driver_class
        libvirt.LibvirtDriver = driver_class
    return driver_class
