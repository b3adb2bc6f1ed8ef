# SPDX-License-Identifier: Apache-2.0

import shlex
from unittest import mock

from nova_newos.golden.inspector import kernels
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


class KernelsTest(base.TestCase):
    FILES = {
        '/boot/vmlinuz-6.1': 1,
        '/boot/initrd.img-6.1': 1,
        '/lib/modules/6.1/modules.builtin': 1,
        '/boot/vmlinuz-0-rescue': 1,
    }
    BUILTIN = [
        'kernel/drivers/virtio/virtio_pci.ko',
        'kernel/drivers/virtio/virtio_mmio.ko',
    ]
    LISTED = '.ko\n/virtio_blk.ko\n'
    FOUND = [
        {
            'builtin': ['virtio_pci'],
            'initramfs': ['virtio_blk'],
        }
    ]

    def kernels(self, files=(), **functions):
        guest = fakes.FakeGuest(
            self.FILES | dict(files), grep=self.BUILTIN, **functions
        )
        return kernels.kernels(guest)

    def test_found(self):
        def debug(command, arguments):
            self.assertEqual('sh', command)
            self.assertIn('=/sysroot/boot/initrd.img-6.1\n', arguments[0])
            return self.LISTED

        self.assertEqual(self.FOUND, self.kernels(debug=debug))

    def test_time_is_of_all(self):
        """An archive that never ends takes no more than all may."""
        commands = []
        clock = iter([100, 100.5, 100 + kernels.SECONDS])

        def debug(_command, arguments):
            commands.extend(arguments)
            return self.LISTED

        files = {path.replace('6.1', '6.2'): 1 for path in self.FILES}
        with mock.patch('time.monotonic', lambda: next(clock)):
            first, second = self.kernels(files, debug=debug)
        self.assertEqual(['virtio_blk'], first['initramfs'])
        self.assertIsNone(second['initramfs'])
        [command] = commands
        self.assertTrue(
            command.startswith(f'timeout -k 1 {kernels.SECONDS - 1} sh -c ')
        )

    def test_list_of_drivers_that_is_none(self):
        """Too large, or a device that never ends."""
        name = '/lib/modules/6.1/modules.builtin'
        [found] = self.kernels({name: kernels.MAX_BUILTIN + 1})
        self.assertIsNone(found['builtin'])
        guest = fakes.FakeGuest(self.FILES, grep=self.BUILTIN)
        guest.is_file = lambda path, followsymlinks: False
        [found] = kernels.kernels(guest)
        self.assertIsNone(found['builtin'])

    def test_cannot_be_told(self):
        [found] = self.kernels()
        self.assertIsNone(found['initramfs'])

    def test_hostile_name(self):
        """The version is the name of a file, for the guest to choose."""
        version = "1' $(reboot) "
        commands = []
        guest = fakes.FakeGuest(
            {
                f'/boot/vmlinuz-{version}': 1,
                f'/boot/initrd-{version}': 1,
                f'/lib/modules/{version}/x': 1,
            },
            debug=lambda command, arguments: commands.extend(arguments) or '',
        )
        kernels.kernels(guest)
        [command] = commands
        script = shlex.split(command)[-1]
        self.assertIn(
            'file=' + shlex.quote(f'/sysroot/boot/initrd-{version}') + '\n',
            script,
        )
