# SPDX-License-Identifier: Apache-2.0
"""Proof that a run tests the class that was asked for."""

import os

from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.unit.virt.libvirt import test_driver
from nova.virt import driver
from nova.virt import fake
from nova.virt import libvirt


class SubstitutionTestCase(test.NoDBTestCase):
    def setUp(self):
        super().setUp()
        self.module = {
            'ours': 'nova_newos.virt.driver',
            'stock': 'nova.virt.libvirt.driver',
        }[os.environ['UPSTREAM_DRIVER']]

    def test_class_that_the_tests_reach(self):
        found = test_driver.libvirt_driver.LibvirtDriver
        self.assertEqual(self.module, found.__module__)
        self.assertIs(found, libvirt.LibvirtDriver)

    def test_class_that_nova_loads(self):
        # Nova's tests may not import the real libvirt.
        self.useFixture(nova_fixtures.LibvirtFixture())
        loaded = driver.load_compute_driver(
            fake.FakeVirtAPI(), 'libvirt.LibvirtDriver'
        )
        self.assertEqual(self.module, type(loaded).__module__)
