# SPDX-License-Identifier: Apache-2.0
"""Ordinary servers go to Nova's own methods, all of them."""

import inspect
from unittest import mock

import ddt
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import driver as stock

from nova_newos import exception
from nova_newos.virt import driver
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import override
from tests.unit.virt import driver_base
from tests.unit.virt import fakes

#: Overrides that are about the host, and not about one of its servers.
HOST = {'__init__', 'init_host', 'update_provider_tree'}

OVERRIDES = {
    name: method
    for name, method in vars(driver.NewosLibvirtDriver).items()
    if hasattr(stock.LibvirtDriver, name) and inspect.isfunction(method)
}

SERVERS = sorted(OVERRIDES.keys() - HOST)

#: What Nova's own methods are called with where any object will not do.
ARGUMENTS = {
    'block_device_lists': ([],),
    'root_bdm': None,
    'block_device_info': None,
    'evacuate': False,
    'disk_mapping': {},
    'task_state': None,
}


@ddt.ddt
class OrdinaryTest(driver_base.DriverTestCase):
    def call(self, name, instance):
        """Call a method as Nova does.

        :returns: (mock of Nova's method, what was given to it)
        """
        method = getattr(stock.LibvirtDriver, name)
        given = {
            parameter: ARGUMENTS.get(parameter, mock.sentinel.argument)
            for parameter in inspect.signature(method).parameters
            if parameter not in ('self', 'args', 'kwargs')
        }
        given['instance'] = instance
        if 'image_meta' in given:
            given['image_meta'] = instance.image_meta
        positional = given.pop('block_device_lists', ())
        stock_method = self.stock_method(
            name, return_value=mock.sentinel.result
        )
        result = getattr(self.driver, name)(
            *given.values() if positional else (),
            *positional,
            **{} if positional else given,
        )
        stock_method.assert_called_once_with(
            self.driver,
            *given.values() if positional else (),
            *positional,
            **{} if positional else given,
        )
        return result

    @ddt.data(*SERVERS)
    def test_disk_image(self, name):
        instance = fakes.server(fakes.image_dict('qcow2'))
        self.check_untouched(name, instance)

    @ddt.data(*SERVERS)
    def test_iso_from_before_the_driver(self, name):
        """It has no layout, and is not spawned again."""
        instance = fakes.server(fakes.image_dict(newos_install='false'))
        self.check_untouched(name, instance)

    def check_untouched(self, name, instance):
        before = dict(instance.system_metadata)
        changed = instance.obj_what_changed()
        self.call(name, instance)
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual(changed, instance.obj_what_changed())
        self.assertEqual([], self.saved)
        self.assertEqual([], self.glance.mock_calls)

    @ddt.data(*SERVERS)
    def test_result(self, name):
        """What Nova's method returns, where it returns anything."""
        result = self.call(name, fakes.server(fakes.image_dict('qcow2')))
        # Nova's own spawn returns nothing.
        self.assertIn(result, (mock.sentinel.result, None))
        if name != 'spawn':
            self.assertIs(mock.sentinel.result, result)

    @ddt.data(*SERVERS)
    def test_through_the_door(self, name):
        """Each is made by nova_newos.virt.override, or listed here."""
        self.assertEqual(
            override.__file__, OVERRIDES[name].__code__.co_filename
        )

    @ddt.data(*SERVERS)
    def test_signature(self, name):
        """Nova's own tests compare them, and releases differ."""
        self.assertEqual(
            inspect.signature(getattr(stock.LibvirtDriver, name)),
            inspect.signature(OVERRIDES[name]),
        )

    def test_all_are_here(self):
        self.assertLess(HOST, OVERRIDES.keys())
        self.assertIn('snapshot', SERVERS)


class DoorTest(driver_base.DriverTestCase):
    """One override, on a driver of Nova's shape."""

    def setUp(self):
        super().setUp()
        self.stock = self.stock_method(
            'rescue', return_value=mock.sentinel.result
        )
        self.arguments = (
            'context',
            fakes.server(server_layout=fakes.LAYOUT),
            'network',
            'image',
            'password',
            'info',
            'shares',
        )

    def call(self, method, *args, **kwargs):
        method.__name__ = 'rescue'
        decorated = override.for_install_servers()(method)
        return decorated(self.driver, *args, **kwargs)

    def test_server(self):
        seen = []
        self.call(
            lambda _self, server, _call: seen.append(server), *self.arguments
        )
        self.assertEqual(fakes.LAYOUT, seen[0].layout)
        self.assertIs(self.arguments[1], seen[0].instance)
        self.stock.assert_not_called()

    def test_arguments(self):
        """By Nova's names, however they were given."""

        def method(_self, _server, call):
            return call.rescue_password, call.image_meta

        self.assertEqual(
            ('password', 'image'), self.call(method, *self.arguments)
        )
        names = list(inspect.signature(stock.LibvirtDriver.rescue).parameters)
        self.assertEqual(
            ('password', 'image'),
            self.call(
                method, **dict(zip(names[1:], self.arguments, strict=True))
            ),
        )

    def test_no_such_argument(self):
        with self.assertRaisesRegex(AttributeError, 'no_such'):
            self.call(
                lambda _self, _server, call: call.no_such, *self.arguments
            )

    def test_proceed(self):
        """With the arguments as they came, but for what is changed."""

        def method(_self, _server, call):
            result = call.proceed(image_meta='other')
            self.assertEqual('image', call.image_meta)
            return result

        self.assertIs(mock.sentinel.result, self.call(method, *self.arguments))
        self.stock.assert_called_once_with(
            self.driver, *self.arguments[:3], 'other', *self.arguments[4:]
        )

    def test_defaults_are_novas(self):
        """An argument that did not come is not given."""

        def method(_self, _server, call):
            self.assertIsNone(call.block_device_info)
            return call.proceed()

        method.__name__ = 'check_can_live_migrate_source'
        proceeded = self.stock_method('check_can_live_migrate_source')
        override.for_install_servers()(method)(
            self.driver, 'context', self.arguments[1], 'data'
        )
        proceeded.assert_called_once_with(
            self.driver, 'context', self.arguments[1], 'data'
        )

    def test_errors(self):
        def method(_self, _server, _call):
            raise exception.RescueIsoRefused()

        with self.assertRaisesRegex(
            nova_exception.InstanceUnacceptable, 'install ISO'
        ):
            self.call(method, *self.arguments)

    def test_unreadable_layout(self):
        """What this host does not understand it does not touch."""
        with self.assertRaisesRegex(
            nova_exception.InstanceUnacceptable, 'version 99'
        ):
            self.call(
                lambda *_args: self.fail('called'),
                'context',
                self.broken(),
                *self.arguments[2:],
            )
        self.stock.assert_not_called()

    def test_unreadable_layout_is_no_fault_of_a_destination(self):
        """Nova would try them all, and tell the user something else."""

        def method(*_args):
            self.fail('called')

        method.__name__ = 'check_can_live_migrate_source'
        decorated = override.for_install_servers(
            errors=virt_exception.unfit_destination
        )(method)
        with self.assertRaisesRegex(
            nova_exception.InstanceUnacceptable, 'version 99'
        ):
            decorated(self.driver, 'context', self.broken(), 'data')

    def test_no_further_arguments(self):
        def method(_self, call):
            return call.block_device_lists

        method.__name__ = 'default_device_names_for_instance'
        self.assertEqual(
            (),
            override.for_servers_to_be()(method)(
                self.driver, self.arguments[1], '/dev/vda'
            ),
        )

    def test_server_of_no_database(self):
        """Nova's own tests have such, which nothing can be asked."""
        self.call(
            lambda *_args: self.fail('called'),
            'context',
            objects.Instance(),
            *self.arguments[2:],
        )
        self.stock.assert_called_once()

    def test_not_now(self):
        """Then the server is not even asked for its layout."""

        def method(*_args):
            self.fail('called')

        method.__name__ = 'rescue'
        decorated = override.for_install_servers(when=lambda instance: False)(
            method
        )
        decorated(self.driver, 'context', 'no instance', *self.arguments[2:])
        self.stock.assert_called_once()
