# SPDX-License-Identifier: Apache-2.0

import ddt
from openstack import exceptions

from nova_newos.registry import exception
from nova_newos.registry import glance
from tests.unit.registry import base


@ddt.ddt
class FindTest(base.RegistryTestCase):
    @ddt.data('debian (20260101)', 'in: x', 'neq:x', 'é')
    def test_by_name(self, name):
        image = self.image(name=name, os_hidden=True)
        self.image(name=name.upper() + 'x')
        self.assertEqual(image, glance.find(self.cloud, name)['id'])
        self.assertEqual(2, len(self.glance.requests))

    def test_by_id(self):
        image = self.image()
        self.assertEqual(image, glance.find(self.cloud, image)['id'])
        self.assertEqual(1, len(self.glance.requests))

    def test_other_case(self):
        image = self.image(name='debian')
        self.image(name='Debian')
        self.assertEqual(image, glance.find(self.cloud, 'debian')['id'])

    @ddt.data(0, 2)
    def test_not_one(self, count):
        for _number in range(count):
            self.image(name='debian')
        with self.assertRaisesRegex(exception.ImageNotFound, f'^{count} '):
            glance.find(self.cloud, 'debian')

    def test_no_such_id(self):
        with self.assertRaises(exceptions.NotFoundException):
            glance.find(self.cloud, '0b0c3d3e-8f4b-4c55-9f0c-2a6f4e1f6d11')
