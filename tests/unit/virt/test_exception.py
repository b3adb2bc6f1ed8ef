# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception

from nova_newos import exception
from nova_newos.golden import exception as golden_exception
from nova_newos.virt import exception as virt_exception
from tests.unit.virt import fakes

UUID = fakes.ISO

#: Each of our errors, with the longest arguments that are not hostile.
ERRORS = {
    'PropertyInvalid': {
        'name': 'newos_root_disk_size',
        'value': '%(reason)s {0} {x} %s',
        'expected': 'a whole number of GiB from 1 to 1048576',
    },
    'MetadataInvalid': {
        'name': 'newos_seal',
        'value': 'v' * 60,
        'expected': 'true or false',
    },
    'RootDiskSizeMissing': {},
    'RootDiskTooLarge': {'size': 1048576, 'flavor_gb': 1048575},
    'VolumeRootRefused': {},
    'FinishRefused': {},
    'InstallerWouldRepeat': {},
    'BootKeysRefused': {'source': 'server', 'reason': 'r' * 200},
    'BootKeysOff': {},
    'BusUnavailable': {
        'machine': 'pc-q35-rhel9.6.0',
        'bus': 'ide',
        'name': 'hw_cdrom_bus',
        'choices': 'virtio, scsi, sata',
    },
    'BusUnsuitable': {
        'device': 'CD-ROM',
        'bus': 'virtio',
        'name': 'hw_cdrom_bus',
        'choices': 'sata, scsi, ide, usb',
    },
    'BusFull': {'disk_bus': 'virtio', 'cdrom_bus': 'sata', 'cdroms': 26},
    'ImageIdInvalid': {
        'source': 'image property newos_virtio_image_id',
        'value': f'http://glance.example/{UUID}',
    },
    'MediumImageRefused': {
        'image_id': UUID,
        'medium': 'a' * 16,
        'reason': 'does not exist or may not be read',
    },
    'MediumTooLarge': {
        'image_id': UUID,
        'medium': 'a' * 16,
        'limit': 1048576,
    },
    'AnswersUnreadable': {'kind': 'Windows answer file', 'reason': 'r' * 100},
    'AnswerArchiveRefused': {
        'problem': 'has no answer file at its place',
        'wanted': 'w' * 105,
    },
    'AnswersAmbiguous': {'labels': 'CIDATA and OEMDRV and combustion'},
    'AnswersChanged': {'expected': 'f' * 64},
    'MediumLoadError': {'name': 'n', 'entry_point': 'm:C', 'reason': 'gone'},
    'SealerLoadError': {'name': 'n', 'entry_point': 'm:C', 'reason': 'gone'},
    'SysprepOperationUnknown': {'names': 'n' * 100},
    'ApplianceToolMissing': {'tool': 't' * 100, 'package': 'p' * 100},
    'KeepAnswersNotAllowed': {},
    'SealNotAllowed': {},
    'SealRequired': {},
    'SealBusy': {'count': 64},
    'GuestFileSystemBroken': {
        'point': 'p' * 20,
        'device': 'd' * 20,
        'reason': 'r' * 100,
    },
    'GuestFileSystemUnsupported': {
        'point': 'p' * 20,
        'device': 'd' * 20,
        'reason': 'r' * 100,
    },
    'SealFailed': {'tool': 't' * 100, 'reason': '{0} %s' * 100},
    'SealTimedOut': {'tool': 't' * 100, 'reason': 'r' * 100},
    'WindowsNotGeneralized': {'state': 's' * 100},
    'SealNoRoom': {'path': '/p' * 100},
    'VerdictRefused': {'facts': 'file_systems_clean=unknown, ' * 7},
    'SigningKeyUnusable': {
        'path': '/etc/nova/newos/' + 'k' * 80,
        'reason': 'no private key in PEM without a password',
    },
    'StatementTooLong': {'length': 1048576},
    'SignatureUnreadable': {
        'reason': 'its statement is of another version',
    },
    'TrustedKeyUnusable': {'file': '/' + 'k' * 120, 'reason': 'r' * 60},
    'NotAttestable': {
        'image_id': UUID,
        'reason': f'its statement is about {UUID}',
    },
    'LayoutInvalid': {
        'reason': "KeyError: 'root'",
        'value': '{"v":1}',
    },
    'LayoutVersionUnknown': {'version': '9' * 100, 'known': 1},
    'LayoutTooLong': {'length': 1000, 'limit': 255},
    'ImageContentRefused': {
        'image_id': UUID,
        'medium': 'a' * 16,
        'reason': 'r' * 40,
    },
    'HostDiskFull': {'path': '/var/lib/nova/instances'},
    'ImagesTypeUnsupported': {
        'images_type': 'rbd',
        'choices': 'qcow2, raw',
    },
    'RootDiskMissing': {'name': 'disk.newos'},
    'RootDiskShrinkRefused': {'size': 1048576, 'flavor_gb': 1048575},
    'CopyFailed': {
        'name': 'f' * 40,
        'host': 'c' * 30,
    },
    'DiskFormatMismatch': {
        'name': 'disk.newos',
        'found': 'qcow2',
        'expected': 'raw',
    },
    'DestinationUnknown': {'host': 'c' * 30, 'reason': 'r' * 100},
    'StockHostRefused': {
        'host': 'compute-0123456789.example.org',
        'trait': 'CUSTOM_NOVA_NEWOS',
    },
    'MediumMissing': {
        'host': 'compute-0123456789.example.org',
        'medium': 'a' * 16,
    },
    'WrongSnapshotDisk': {
        'found': f'/var/lib/nova/instances/{UUID}/disk',
        'expected': 'disk.newos',
    },
    'CaptureFailed': {'reason': 'r' * 300},
    'CaptureToolFailed': {'reason': 'r' * 300},
    'RescueIsoRefused': {},
    'EvacuationRefused': {},
}


BASES = (exception.NewosError, exception.HostError)


def all_errors():
    return {
        name: value
        for module in (exception, golden_exception)
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, exception.NewosError)
        and value not in BASES
    }


@ddt.ddt
class FaultTest(fakes.TestCase):
    def test_all_errors_are_here(self):
        self.assertEqual(all_errors().keys(), set(ERRORS))

    @ddt.data(*ERRORS)
    def test_refused(self, name):
        """A user reads our text, whatever is in the values."""
        error = all_errors()[name](**ERRORS[name])
        is_of_host = isinstance(error, exception.HostError)
        expected = (
            virt_exception.HostFault if is_of_host else virt_exception.Refused
        )
        instance = fakes.server()
        with (
            self.assertRaises(expected) as caught,
            virt_exception.refused(instance),
        ):
            raise error
        self.assertEqual(str(error), caught.exception.format_message())
        self.assertIs(error, caught.exception.__cause__)
        self.assertEqual({'newos_error': error.public()}, instance.metadata)

    def test_rolled_back(self):
        """The text is that of the inner error, which Nova shows."""
        error = exception.RescueIsoRefused()
        with (
            self.assertRaises(nova_exception.InstanceFaultRollback) as caught,
            virt_exception.rolled_back(fakes.server()),
        ):
            raise error
        inner = caught.exception.inner_exception
        self.assertIsInstance(inner, virt_exception.Refused)
        self.assertEqual(str(error), inner.format_message())

    def test_unfit_destination(self):
        error = exception.RescueIsoRefused()
        with (
            self.assertRaisesRegex(
                nova_exception.MigrationPreCheckError, str(error)
            ),
            virt_exception.unfit_destination(fakes.server()),
        ):
            raise error

    @ddt.data(*ERRORS)
    def test_fits(self, name):
        """Nova cuts a fault at 255 and puts the server's id before it."""
        error = all_errors()[name](**ERRORS[name])
        self.assertLessEqual(len(str(error)), 190, str(error))

    @ddt.data(*ERRORS)
    def test_what_is_the_operators(self, name):
        """Nova shows hosts and paths to administrators only."""
        secret = {'host': 'compute-7', 'path': '/srv/nova'}
        if name == 'WrongSnapshotDisk':
            secret['found'] = '/srv/nova/disk'
        error = all_errors()[name](**ERRORS[name] | secret)
        for value in secret.values():
            self.assertNotIn(value, error.public())
        self.assertLessEqual(len(error.public()), 190, error.public())

    def test_attributes(self):
        error = exception.RootDiskTooLarge(size=2, flavor_gb=1)
        self.assertEqual((2, 1), (error.size, error.flavor_gb))

    def test_types_that_nova_knows(self):
        """What the compute manager handles without another host."""
        for known in ('InstanceUnacceptable', 'ImageUnacceptable'):
            self.assertTrue(
                issubclass(
                    virt_exception.Refused, getattr(nova_exception, known)
                )
            )

    def test_another_host_may_do(self):
        """Nova reschedules a build that ends with what it does not know."""
        self.assertEqual(
            {'HostDiskFull', 'SealNoRoom'},
            {
                name
                for name in ERRORS
                if issubclass(all_errors()[name], exception.HostError)
            },
        )
        self.assertEqual(
            (nova_exception.NovaException,), virt_exception.HostFault.__bases__
        )

    def test_other_errors_pass(self):
        instance = fakes.server()
        for manager in (
            virt_exception.refused(instance),
            virt_exception.rolled_back(instance),
            virt_exception.unfit_destination(instance),
        ):
            with self.assertRaises(ZeroDivisionError), manager:
                raise ZeroDivisionError
