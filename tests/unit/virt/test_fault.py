# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception

from nova_newos import exception
from nova_newos.virt import fault
from tests.unit.virt import fakes

#: One of each of our errors with arguments that occur.
ERRORS = {
    'PropertyInvalid': {'name': 'n', 'value': '{x} %s', 'expected': 'e'},
    'RootDiskSizeMissing': {},
    'RootDiskTooLarge': {'size': 2, 'flavor_gb': 1},
    'VolumeRootRefused': {},
    'BusUnavailable': {
        'machine': 'q35',
        'bus': 'ide',
        'name': 'hw_disk_bus',
        'choices': 'sata',
    },
    'BusFull': {
        'disk_bus': 'ide',
        'cdrom_bus': 'ide',
        'cdroms': 4,
        'reason': 'r',
    },
    'ImageIdInvalid': {'source': 's', 'value': '%(reason)s {0}'},
    'MediumImageRefused': {'image_id': 'i', 'medium': 'm', 'reason': 'r'},
    'MediumLoadError': {'name': 'n', 'entry_point': 'e', 'reason': 'r'},
    'LayoutInvalid': {'reason': 'r', 'value': '{"v":2}'},
    'LayoutTooLong': {'length': 256, 'limit': 255},
    'ImageContentRefused': {'image_id': 'i', 'medium': 'm', 'reason': 'r'},
    'HostDiskFull': {'path': 'p'},
    'ImagesTypeUnsupported': {'images_type': 'rbd', 'choices': 'qcow2'},
    'RootDiskMissing': {},
    'WrongSnapshotDisk': {'found': 'f', 'expected': 'e'},
    'OperationRefused': {'operation': 'o', 'cure': 'c'},
}


def all_errors():
    return {
        name
        for name, value in vars(exception).items()
        if isinstance(value, type)
        and issubclass(value, exception.NewosError)
        and value is not exception.NewosError
    }


@ddt.ddt
class FaultTest(fakes.TestCase):
    def test_all_errors_are_here(self):
        self.assertEqual(all_errors(), set(ERRORS))

    @ddt.data(*ERRORS)
    def test_install(self, name):
        """A user reads our text, whatever is in the values."""
        error = getattr(exception, name)(**ERRORS[name])
        with (
            self.assertRaises(fault.InstallRefused) as caught,
            fault.install_faults(fakes.server(), fakes.ISO),
        ):
            raise error
        text = caught.exception.format_message()
        self.assertIn(str(error), text)
        self.assertIn(fakes.ISO, text)
        self.assertIs(error, caught.exception.__cause__)

    @ddt.data(*ERRORS)
    def test_instance(self, name):
        error = getattr(exception, name)(**ERRORS[name])
        with (
            self.assertRaises(fault.InstanceRefused) as caught,
            fault.instance_faults(fakes.server()),
        ):
            raise error
        text = caught.exception.format_message()
        self.assertIn(str(error), text)
        self.assertIn(fakes.SERVER, text)

    def test_attributes(self):
        error = exception.RootDiskTooLarge(size=2, flavor_gb=1)
        self.assertEqual((2, 1), (error.size, error.flavor_gb))

    def test_types_that_nova_knows(self):
        """What the compute manager handles without another host."""
        for known in ('InstanceUnacceptable', 'ImageUnacceptable'):
            self.assertTrue(
                issubclass(
                    fault.InstallRefused, getattr(nova_exception, known)
                )
            )

    def test_other_errors_pass(self):
        instance = fakes.server()
        for manager in (
            fault.install_faults(instance, fakes.ISO),
            fault.instance_faults(instance),
        ):
            with self.assertRaises(ZeroDivisionError), manager:
                raise ZeroDivisionError
