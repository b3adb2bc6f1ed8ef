# SPDX-License-Identifier: Apache-2.0
"""Nova's tests in this environment, with our driver where they look for it."""

import importlib
import pathlib
import sys

import fixtures


def prepare(package, driver):
    """Import what the tests stand on, in the order that they need.

    To be called before any of their modules is imported: they copy the name
    of the driver.

    :param package: that the tests are in
    :param driver: 'ours' or 'stock'
    """
    # They patch eventlet (or refuse it) before anything else of Nova is
    # imported: here their package does, or its first module would.
    importlib.import_module(package)
    monkey_patch = importlib.import_module('nova.monkey_patch')
    # Nova 31 has no such function: to import the module is enough.
    getattr(monkey_patch, 'patch', lambda: None)()
    if driver == 'ours':
        substitute()
    use_installed_paste_config()
    # Nova 31 and 32 always patch, and have no such question.
    if getattr(monkey_patch, 'is_patched', lambda: True)():
        fixtures.Timeout = GreenTimeout


def substitute():
    """Rebind the names by which Nova's tests reach the libvirt driver."""
    libvirt = importlib.import_module('nova.virt.libvirt')
    ours = importlib.import_module('nova_newos.virt.driver').NewosLibvirtDriver
    adopt_unbound_methods(ours)
    anchor_super(libvirt.driver, libvirt.driver.LibvirtDriver)
    libvirt.driver.LibvirtDriver = libvirt.LibvirtDriver = ours


def adopt_unbound_methods(driver_class):
    """Give a class its own copy of the static and class methods it inherits.

    Nova's tests patch them on the class and restore what they found in its
    own ``__dict__``: without a copy of its own the class keeps a bound
    leftover, and later tests fail.
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


def use_installed_paste_config():
    """Have Nova's tests find the API's paste configuration.

    Their configuration fixture looks beside the ``nova`` package, where a
    checkout has it; a wheel puts it below the environment's prefix.
    """
    fixture = importlib.import_module('nova.tests.fixtures.conf').ConfFixture
    original = fixture.setUp

    def set_up(self):
        original(self)
        path = pathlib.Path(sys.prefix, 'etc', 'nova', 'api-paste.ini')
        self.conf.set_default('api_paste_config', str(path), group='wsgi')

    fixture.setUp = set_up


class GreenTimeout(fixtures.Fixture):
    """fixtures.Timeout where eventlet runs the tests.

    That one raises in a signal handler, which finds eventlet's hub at work
    while a test waits, and the hub goes on: the test would hang for ever.
    """

    def __init__(self, timeout_secs, gentle):
        super().__init__()
        self.seconds = timeout_secs

    def _setUp(self):
        eventlet = importlib.import_module('eventlet')
        limit = eventlet.Timeout(self.seconds, fixtures.TimeoutException())
        self.addCleanup(limit.cancel)
