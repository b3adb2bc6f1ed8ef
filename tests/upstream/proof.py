# SPDX-License-Identifier: Apache-2.0
"""Proof that a run tests the class that was asked for.

To be imported only after the substitution, as any test of Nova's.
"""

from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.unit.virt.libvirt import test_driver
from nova.virt import driver
from nova.virt import fake
from nova.virt import libvirt

from tests.upstream import substitute


class SubstitutionTestCase(test.NoDBTestCase):
    def setUp(self):
        super().setUp()
        self.wanted = substitute.wanted_driver()

    def test_class_that_the_tests_reach(self):
        self.assertIs(self.wanted, test_driver.libvirt_driver.LibvirtDriver)
        self.assertIs(self.wanted, libvirt.LibvirtDriver)

    def test_class_that_nova_loads(self):
        # Nova's tests may not import the real libvirt.
        self.useFixture(nova_fixtures.LibvirtFixture())
        loaded = driver.load_compute_driver(
            fake.FakeVirtAPI(), 'libvirt.LibvirtDriver'
        )
        self.assertIs(self.wanted, type(loaded))
