# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos.golden.inspector import cloud_init
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes

CONFIG = '/etc/cloud/cloud.cfg'
PARTS = '/etc/cloud/cloud.cfg.d/'


@ddt.ddt
class CloudInitTest(base.TestCase):
    def look(self, files, **functions):
        guest = fakes.FakeGuest(
            {path: len(text) for path, text in files.items()}
            | {PARTS + 'README': 1},
            read_file=files.__getitem__,
            **functions,
        )
        return cloud_init.look(guest)

    def assert_sources(self, expected, files):
        self.assertEqual(expected, self.look(files)['datasources'])

    @ddt.data(
        ({}, 'default'),
        ({CONFIG: 'users: []\n'}, 'default'),
        (
            {CONFIG: 'datasource_list: [ OpenStack, None ]'},
            ['OpenStack', 'None'],
        ),
        # As subiquity writes it, and as bytes that are no text come.
        (
            {
                CONFIG: 'datasource_list: [OpenStack]',
                PARTS + '90_dpkg.cfg': 'datasource_list: [NoCloud, OpenStack]',
                PARTS
                + '99-installer.cfg': b'datasource_list:\n- None\n# \xe9',
            },
            None,
        ),
        (
            {
                PARTS + '99-installer.cfg': 'datasource_list:\n- None\n',
                PARTS + '90_dpkg.cfg': 'datasource_list: [NoCloud, OpenStack]',
            },
            ['None'],
        ),
        ({CONFIG: '# datasource_list: [x]\na: 1'}, 'default'),
        # Tags are nothing to it.
        ({CONFIG: 'datasource_list: !!python/object:os.system [a]'}, ['a']),
    )
    @ddt.unpack
    def test_datasources(self, files, expected):
        self.assert_sources(expected, files)

    @ddt.data(
        'datasource_list: [',
        'datasource_list: OpenStack',
        'datasource_list: [a, {b: c}]',
        # What aliases stand for grows with each line.
        'a: &a [x, x]\nb: &b [*a, *a]\ndatasource_list: [*b, *b]',
        'datasource_list: ' + '[' * 5000,
        '[datasource_list]',
        'datasource_list: [' + 'a,' * 200 + ']',
        'datasource_list: [a]' + ' ' * (1 << 18),
    )
    def test_cannot_be_told(self, text):
        self.assert_sources(None, {CONFIG: text})

    def test_no_library(self):
        with mock.patch.object(cloud_init, 'yaml', None):
            self.assert_sources(None, {CONFIG: 'datasource_list: [a]'})
            self.assert_sources('default', {CONFIG: 'users: []'})

    def test_device_is_not_read(self):
        found = cloud_init.look(fakes.FakeGuest({CONFIG: 0}, is_file=False))
        self.assertIsNone(found['datasources'])

    @ddt.data(
        ({}, {}, False),
        ({'ds-identify.cfg': 'policy: disabled\n'}, {}, True),
        ({'ds-identify.cfg': '# policy: disabled\n'}, {}, False),
        ({'ds-identify.cfg': 'policy: enabled\n'}, {}, False),
        ({}, {'readlink': '/dev/null'}, True),
        ({}, {'readlink': '/lib/systemd/system/cloud-init.service'}, False),
    )
    @ddt.unpack
    def test_is_off(self, files, functions, expected):
        paths = {f'/etc/cloud/{name}': text for name, text in files.items()}
        self.assertIs(expected, self.look(paths, **functions)['is_off'])
