# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.golden.inspector import ask
from nova_newos.golden.inspector import paths
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


@ddt.ddt
class PathsTest(base.TestCase):
    KEYS = {'keys': ['/etc/ssh/*_key', '/nowhere/*'], 'x': ['/etc/x']}

    def test_linux(self):
        guest = fakes.FakeGuest(
            {
                '/etc/ssh/a_key': 5,
                '/etc/ssh/b_key': None,
                '/etc/ssh/c_KEY': 5,
                '/etc/X': 5,
            }
        )
        self.assertEqual(
            {'keys': {'/etc/ssh/a_key': 5, '/etc/ssh/b_key': None}, 'x': {}},
            paths.paths(guest, False, self.KEYS),
        )

    def test_windows(self):
        guest = fakes.FakeGuest(
            {'/WINDOWS/Inf/VioStor.inf_amd64': 3, '/windows/x': 1}
        )
        self.assertEqual(
            {'driver': {'/WINDOWS/Inf/VioStor.inf_amd64': 3}, 'x': {}},
            paths.paths(
                guest,
                True,
                {
                    'driver': ['/Windows/i*/viostor.inf_*', '/Gone/viostor'],
                    'x': ['/Windows/y'],
                },
            ),
        )

    @ddt.data(
        ({'/etc/ssh': 1}, False, {'keys': None, 'x': {}}),
        ({'/ETC/ssh': 1}, True, {'keys': None, 'x': {}}),
        ({'/etc': 1}, False, {'keys': None, 'x': None}),
    )
    @ddt.unpack
    def test_directory_that_cannot_be_read(self, files, windows, expected):
        """What cannot be listed is not empty."""
        self.assertEqual(
            expected, paths.paths(fakes.FakeGuest(files), windows, self.KEYS)
        )

    def test_link_that_leads_nowhere(self):
        """As /var/lib/dbus/machine-id, when there is no machine-id."""
        link = '/var/lib/dbus/machine-id'
        guest = fakes.FakeGuest({link: None}, is_symlink=True, exists=False)
        self.assertEqual(
            {'name': {}}, paths.paths(guest, False, {'name': [link]})
        )

    @ddt.data(
        ([], {'keys': {}, 'x': {}}),
        (['/data', '/etc/s'], {'keys': {}, 'x': {}}),
        (['/etc/ssh'], {'keys': None, 'x': {}}),
        (['/data', '/etc'], {'keys': None, 'x': None}),
        (['/'], {'keys': None, 'x': None}),
    )
    @ddt.unpack
    def test_below_what_is_not_mounted(self, missing, expected):
        guest = fakes.FakeGuest({'/boot/x': 1})
        self.assertEqual(
            expected, paths.paths(guest, False, self.KEYS, missing)
        )

    def test_name_that_is_not_utf_8(self):
        """The bindings give no list with one in it."""

        class Guest(fakes.FakeGuest):
            def ls(self, directory):
                if directory == '/etc':
                    raise UnicodeDecodeError('utf-8', b'\xe9', 0, 1, 'odd')
                return super().ls(directory)

            def glob_expand(self, pattern):
                # As libguestfs marks directories.
                return ['/etc/ssh/'] if pattern == '/etc/ssh' else []

        guest = Guest({'/etc/ssh/a_key': 5})
        self.assertEqual(
            {'keys': {'/etc/ssh/a_key': 5}, 'x': {}},
            paths.paths(guest, False, self.KEYS),
        )

    def test_many(self):
        guest = fakes.FakeGuest({f'/etc/ssh/{n}_key': 1 for n in range(300)})
        found = paths.paths(guest, False, self.KEYS)
        self.assertEqual(ask.LIMIT, len(found['keys']))
