# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos.golden import exception
from tests.unit.virt import driver_base


@ddt.ddt
class AcceleratorTest(driver_base.DriverTestCase):
    @ddt.data(('qemu', True), ('kvm', False))
    @ddt.unpack
    def test_emulated(self, virt_type, emulated):
        self.flags('libvirt', virt_type=virt_type)
        with mock.patch('nova_newos.golden.finishing.Finisher') as finisher:
            self.driver._finisher  # noqa: B018
        finisher.assert_called_once_with(mock.ANY, emulate=emulated)

    def test_plug_in_that_is_not_there(self):
        self.flags('newos', sealers=['nosuch'])
        with self.assertRaises(exception.SealerLoadError):
            self.driver.init_host('host')
