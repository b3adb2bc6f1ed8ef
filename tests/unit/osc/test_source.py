# SPDX-License-Identifier: Apache-2.0

import io
import pathlib
from unittest import mock

import ddt
import fixtures
from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import store
from nova_newos.osc import build
from tests.unit.build import base
from tests.unit.build.recipes import cloud


@ddt.ddt
class SourceTest(base.BuildTestCase):
    def setUp(self):
        super().setUp()
        consoles = self.cloud.consoles
        self.cloud = cloud.Cloud()
        self.cloud.consoles = consoles
        self.iso = self.cloud.iso
        self.cloud.compute.find_flavor = mock.Mock(
            return_value=self.cloud.flavors['f']
        )
        self.said = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.time.sleep', lambda _s: self.happen()
            )
        )
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.recipe = f'--recipe-file={self.write("r.yaml", cloud.RECIPE)}'
        self.secret = f'--secret=root={self.write("hash", b"$6$s$d")}'

    def write(self, name, data):
        path = self.top / name
        path.write_bytes(data)
        return path

    def create(self, *arguments):
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = build.CreateBuild(app, None)
        parsed = command.get_parser('openstack').parse_args(
            ['--network=none', *arguments]
        )
        names, values = command.take_action(parsed)
        return dict(zip(names, values, strict=True))

    def refused(self, error, text, *arguments):
        """It is refused, and nothing was made."""
        before = list(self.cloud.requests)
        with self.assertRaisesRegex(error, text):
            self.create(*arguments)
        self.assertEqual(before, self.cloud.requests)

    def test_file(self):
        shown = self.create(self.recipe, self.secret, '--wait')
        self.assertEqual('done', shown['phase'])
        self.assert_golden()
        [image] = self.cloud.golden()
        self.assertRegex(
            image.properties['golden_recipe_digest'], '^sha256:.{64}$'
        )

    def test_glance(self):
        store.create(self.cloud, 'deb', document.parse(cloud.RECIPE))
        self.create('--recipe=deb', self.secret, 'mine')
        [server] = self.cloud.servers.values()
        self.assertEqual('mine', server.metadata['golden_name'])

    def test_without_recipe(self):
        """As ever; no digest, and the default boot test."""
        data = self.write('data', b'#!/bin/sh\n')
        self.create(
            'mine',
            '--iso=debian-13',
            '--flavor=f',
            f'--user-data={data}',
            '--property=newos_seal=true',
        )
        [server] = self.cloud.servers.values()
        self.assertEqual('true', server.metadata['newos_seal'])
        self.assertEqual('console', server.metadata['golden_boot_test'])
        self.assertNotIn('golden_recipe_digest', server.metadata)
        self.assertEqual('IyEvYmluL3NoCg==', server.fields['user_data'])

    def test_options_go_first(self):
        self.create(
            self.recipe,
            self.secret,
            '--boot-test=none',
            '--property=newos_seal=false',
            '--flavor=f',
            '--iso=debian-13',
        )
        [server] = self.cloud.servers.values()
        self.assertEqual('false', server.metadata['newos_seal'])
        self.assertEqual('none', server.metadata['golden_boot_test'])

    @ddt.data(
        ['--iso=debian-13', '--flavor=f'],
        ['name', '--flavor=f'],
        ['name', '--iso=debian-13'],
    )
    def test_too_little(self, arguments):
        self.refused(exceptions.CommandError, 'or a recipe', *arguments)

    @ddt.data('--secret=a=b', '--if-changed')
    def test_for_recipes(self, option):
        self.refused(
            exceptions.CommandError,
            'is for a recipe',
            *('name', '--iso=debian-13', '--flavor=f', option),
        )

    def test_user_data_and_recipe(self):
        data = self.write('data', b'x')
        self.refused(
            exceptions.CommandError,
            '^--user-data: ',
            *(self.recipe, self.secret, f'--user-data={data}'),
        )

    def test_no_secret(self):
        self.refused(exception.SecretMissing, '--secret root=', self.recipe)

    @ddt.data((b'a\r\n', 'a'), (b'a', 'a'), (b' a \n', ' a '))
    @ddt.unpack
    def test_end_of_line(self, data, value):
        self.write('hash', data)
        with mock.patch(
            'nova_newos.build.recipes.order.order',
            side_effect=sdk_exceptions.SDKException,
        ) as order:
            self.refused(
                sdk_exceptions.SDKException, '', self.recipe, self.secret
            )
        self.assertEqual({'root': value}, order.mock_calls[0][2]['secrets'])

    @ddt.data(b'\xff', b'', b'a\nb\n')
    def test_secret_invalid(self, data):
        self.write('hash', data)
        self.refused(exception.SecretInvalid, 'root', self.recipe, self.secret)

    def test_if_changed(self):
        first = self.create(self.recipe, self.secret, '--if-changed', '--wait')
        before = list(self.cloud.requests)
        again = self.create(self.recipe, self.secret, '--if-changed', '--wait')
        self.assertEqual(before, self.cloud.requests)
        self.assertEqual(first['image'], again['image'])
        self.assertEqual(('', 'done'), (again['id'], again['phase']))
        self.iso.hash_value = 'other'
        self.create(self.recipe, self.secret, '--if-changed')
        self.assertEqual(1, len(self.cloud.servers))
