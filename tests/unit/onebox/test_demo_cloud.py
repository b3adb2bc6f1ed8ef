# SPDX-License-Identifier: Apache-2.0

import itertools
from types import SimpleNamespace
from unittest import mock

import ddt
import fixtures

from devstack.onebox import demo_cloud
from devstack.onebox import demo_console
from devstack.onebox import demo_golden
from devstack.onebox.errors import BoxError
from tests.unit import base

CLEAN = {'disk_format': 'qcow2', 'min_disk': 4}


@ddt.ddt
class RecordTest(base.TestCase):
    def _problems(self, properties=None, **changes):
        return demo_golden.record_problems(CLEAN | changes, properties or {})

    def test_clean(self):
        self.assertEqual(
            [], self._problems({'hw_disk_bus': 'virtio', 'newostalgia': '1'})
        )

    @ddt.data(
        'newos_virtio_image_id',
        'newos_layout',
        'image_newos_layout',
        'base_image_ref',
    )
    def test_inherited_property(self, name):
        self.assertEqual(
            [f'it has the property {name}'], self._problems({name: 'x'})
        )

    def test_format_of_the_iso(self):
        self.assertEqual(
            ['its disk_format is iso'], self._problems(disk_format='iso')
        )

    def test_no_size(self):
        self.assertEqual(
            ['its min_disk is not set'], self._problems(min_disk=0)
        )


class RecognisedTest(base.TestCase):
    def test_known(self):
        self.assertEqual(
            'Glance says: "DEBIAN" boots with bios,uefi, and holds debian11',
            demo_cloud.recognised(
                {
                    'newos_volume_id': 'DEBIAN',
                    'newos_boot': 'bios,uefi',
                    'newos_os': 'debian11',
                }
            ),
        )

    def test_what_is_not_known(self):
        line = demo_cloud.recognised({})
        self.assertIn('what is unknown', line)
        self.assertIn('a system that its database lacks', line)


def identity_of(machine_id, *keys):
    lines = [f'machine-id: {machine_id}', *(f'host key: {k}' for k in keys)]
    console = demo_console.Console()
    console.feed('\n'.join(['Debian 12 ttyS0', *lines, 'host login: ']))
    return demo_golden.identity(console)


class IdentityTest(base.TestCase):
    def problems(self, *identities):
        return demo_golden.identity_problems(list(identities))

    def test_hosts_of_their_own(self):
        self.assertEqual(
            [],
            self.problems(
                identity_of('a', 'k1', 'k2'), identity_of('b', 'k3')
            ),
        )

    def test_shared(self):
        self.assertEqual(
            ['servers share host key: k'],
            self.problems(identity_of('a', 'k', 'x'), identity_of('b', 'k')),
        )
        self.assertEqual(
            ['servers share machine-id: a'],
            self.problems(identity_of('a', 'k'), identity_of('a', 'l')),
        )

    def test_missing(self):
        self.assertEqual(
            ['a server shows no machine-id or no host key'],
            self.problems(identity_of('a', 'k'), identity_of('b')),
        )
        self.assertEqual(2, len(self.problems(set(), set())))


class OriginTest(base.TestCase):
    def test_origin(self):
        self.assertEqual(
            [('provenance_iso', 'i'), ('seal_x', 's'), ('verdict_os', 'd')],
            demo_golden.origin(
                {
                    'verdict_os': 'd',
                    'os_type': 'linux',
                    'seal_x': 's',
                    'provenance_iso': 'i',
                }
            ),
        )


class DevicesTest(base.TestCase):
    def test_disks_and_empty_drives(self):
        listed = (
            ' Type   Device   Target   Source\n'
            '--------------------------------\n'
            ' file   disk     vda      /i/disk\n'
            ' file   cdrom    sda      -\n\n'
        )
        self.assertEqual(['disk', 'cdrom'], demo_golden.devices(listed))


def server(status, **attributes):
    return SimpleNamespace(
        id='s1', name='a server', status=status, **attributes
    )


class WatchTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.useFixture(fixtures.EnvironmentVariable('ONEBOX_LOGS', '/logs'))
        self.clock = itertools.count(0, 2)
        self.useFixture(
            fixtures.MockPatch('time.monotonic', lambda: next(self.clock))
        )
        self.said = self.useFixture(
            fixtures.MockPatchObject(demo_cloud, 'say')
        ).mock
        self.cloud = self.useFixture(
            fixtures.MockPatch('openstack.connect')
        ).mock.return_value
        self.compute = self.cloud.compute
        self.compute.find_server.return_value = server('BUILD')
        self.demo = demo_cloud.Demo(
            {
                'steps': [],
                'timeout': 600,
                'own_iso': True,
                'console_pattern': 'login: $',
            }
        )

    def _console(self, *logs):
        self.compute.get_server_console_output.side_effect = [
            {'output': log} for log in logs
        ]

    def test_installation_shows_each_line_once(self):
        self.compute.get_server.side_effect = [
            server('ACTIVE'),
            server('ACTIVE'),
            server('SHUTOFF'),
        ]
        self._console('0%\n', '0%\n50%\n', '0%\n50%\n100%\n')
        self.demo.watch_installation()
        self.assertEqual(
            [mock.call(f'   | {line}') for line in ('0%', '50%', '100%')],
            self.said.mock_calls,
        )

    def test_installer_that_gives_up(self):
        self.compute.get_server.return_value = server('ACTIVE')
        self._console('installer: ERROR: the disk vda holds data\n')
        self.assertRaisesRegex(
            BoxError, 'holds data', self.demo.watch_installation
        )

    def test_server_in_error(self):
        self.compute.get_server.return_value = server(
            'ERROR', fault={'message': 'No valid host was found.'}
        )
        self.assertRaisesRegex(
            BoxError,
            'No valid host.*\n.*/logs/',
            self.demo.watch_installation,
        )

    def test_time_is_over(self):
        self.compute.get_server.return_value = server('ACTIVE')
        self.compute.get_server_console_output.return_value = {
            'output': 'Press any key to boot'
        }
        self.assertRaisesRegex(
            BoxError,
            '(?s)10 minutes.*Press any key.*--timeout',
            self.demo.watch_installation,
        )

    def test_first_boot_ends_at_the_prompt(self):
        self.compute.get_server.return_value = server('ACTIVE')
        self._console('starting\n', 'starting\ndebian login: ')
        console = self.demo.watch_first_boot('booted')
        self.assertIsInstance(console, demo_console.Console)
        self.assertEqual('debian login: ', console.unfinished)

    def test_first_boot_that_powers_off(self):
        self.compute.get_server.return_value = server('SHUTOFF')
        self._console('No bootable device.\n')
        self.assertRaisesRegex(
            BoxError,
            'powered off',
            self.demo.watch_first_boot,
            'booted',
        )
