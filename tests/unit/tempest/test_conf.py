# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt

from tests.tempest import conf
from tests.unit import base


@ddt.ddt
class ConfTest(base.TestCase):
    def groups(self, services=('compute', 'image', 'network')):
        return conf.groups(
            {
                'auth': {
                    'auth_url': 'http://127.0.0.1:1/v3',
                    'username': 'admin',
                    'password': 'secret',
                    'project_name': 'admin',
                    'project_domain_name': 'Default',
                },
                'region_name': 'RegionOne',
            },
            set(services),
            ['image', 'other image'],
            ['flavor', 'larger flavor'],
            pathlib.Path('/place'),
        )

    @ddt.data(
        (
            {'compute', 'image', 'network', 'identity'},
            {'nova', 'glance', 'neutron'},
        ),
        (
            {'compute', 'image', 'block-storage', 'object-store'},
            {'nova', 'glance', 'cinder', 'swift'},
        ),
        ({'volumev3'}, {'cinder'}),
        ((), set()),
    )
    @ddt.unpack
    def test_services_are_those_of_the_catalog(self, services, expected):
        available = self.groups(services)['service_available']
        self.assertEqual(
            expected, {name for name, there in available.items() if there}
        )
        # Tempest takes those for available that are not named.
        self.assertEqual(
            {'cinder', 'glance', 'neutron', 'nova', 'swift'}, set(available)
        )

    def test_cloud(self):
        groups = self.groups()
        self.assertEqual('secret', groups['auth']['admin_password'])
        self.assertEqual('http://127.0.0.1:1/v3', groups['identity']['uri_v3'])
        compute = groups['compute']
        self.assertEqual(
            ['image', 'other image', 'flavor', 'larger flavor'],
            [
                compute[name]
                for name in (
                    'image_ref',
                    'image_ref_alt',
                    'flavor_ref',
                    'flavor_ref_alt',
                )
            ],
        )
