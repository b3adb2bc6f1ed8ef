# SPDX-License-Identifier: Apache-2.0

import shlex

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
    LISTED = [
        'usr/lib/modules/6.1/kernel/drivers/block/virtio_blk.ko.xz',
        'usr/lib/modules/6.1/kernel/fs/ext4/ext4.ko',
    ]
    FOUND = [
        {
            'builtin': ['virtio_pci'],
            'initramfs': ['virtio_blk'],
        }
    ]

    def kernels(self, **functions):
        guest = fakes.FakeGuest(self.FILES, grep=self.BUILTIN, **functions)
        return kernels.kernels(guest)

    def test_listed_by_libguestfs(self):
        self.assertEqual(self.FOUND, self.kernels(initrd_list=self.LISTED))

    def test_compressed_in_a_way_that_libguestfs_does_not_know(self):
        def debug(command, arguments):
            self.assertEqual('sh', command)
            self.assertIn('< /sysroot/boot/initrd.img-6.1 ', arguments[0])
            return '\n'.join(self.LISTED)

        self.assertEqual(self.FOUND, self.kernels(debug=debug))

    def test_only_microcode_listed(self):
        self.assertEqual(
            self.FOUND,
            self.kernels(
                initrd_list=['kernel/x86/microcode/GenuineIntel.bin'],
                debug='\n'.join(self.LISTED),
            ),
        )

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
        quoted = shlex.split(command[command.index('< ') :])[1]
        self.assertEqual(f'/sysroot/boot/initrd-{version}', quoted)
