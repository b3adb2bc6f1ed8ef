# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.golden.inspector import ask
from nova_newos.golden.inspector import boot
from nova_newos.golden.inspector import discarding
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


@ddt.ddt
class BootTest(base.TestCase):
    def boot(self, *files, **functions):
        guest = fakes.FakeGuest(
            dict.fromkeys(files, 1),
            **{
                'mount_ro': None,
                'umount_all': None,
                'pread_device': b'\xeb\x63' + bytes(438),
            }
            | functions,
        )
        return boot.boot(guest, {'/dev/sda1': 'vfat'})

    @ddt.data(
        (b'\xeb\x63\x90GRUB \x80\xff', True),
        ('\x00GRUB ', True),
        (b'\xfa\xb8', False),
    )
    @ddt.unpack
    def test_grub(self, sector, expected):
        self.assertIs(expected, self.boot(pread_device=sector)['grub'])

    def test_sector_cannot_be_read(self):
        self.assertIsNone(boot.boot(fakes.FakeGuest(), {})['grub'])

    def test_files(self):
        found = self.boot(
            '/EFI/Boot/BOOTX64.EFI',
            '/EFI/Boot/grub.cfg',
            '/EFI/debian/grubx64.efi',
            '/boot/extlinux/ldlinux.sys',
            '/home/ldlinux.sys',
        )
        self.assertEqual(
            [
                '/boot/extlinux/ldlinux.sys',
                '/efi/boot/bootx64.efi',
                '/efi/debian/grubx64.efi',
            ],
            found['files'],
        )

    def test_not_on_what_cannot_be_mounted(self):
        def mount_ro(*arguments):
            raise RuntimeError('mount: wrong fs type')

        found = self.boot('/bootmgr', mount_ro=mount_ro)
        self.assertEqual([], found['files'])

    def test_many(self):
        files = [f'/efi/{n}/{m}.efi' for n in range(20) for m in range(20)]
        self.assertEqual(ask.LIMIT, len(self.boot(*files)['files']))


@ddt.ddt
class DiscardTest(base.TestCase):
    """What is not used is discarded, wherever it is."""

    def setUp(self):
        super().setUp()
        self.calls = []

    def record(self, name, result=None):
        def call(*arguments):
            self.calls.append((name, *arguments))
            return result

        return call

    def boot(self, **functions):
        guest = fakes.FakeGuest(
            {'/bootmgr': 1},
            **{
                'mount_options': self.record('mount'),
                'mount_ro': self.record('mount_ro'),
                'fstrim': self.record('fstrim'),
                'umount_all': self.record('umount'),
            }
            | functions,
        )
        return boot.boot(guest, {'/dev/sda1': 'ext4'}, discard=True)

    def trim_fails(self, reason, read_only):
        def fstrim(path):
            raise RuntimeError(f'fstrim: {reason}')

        return self.boot(fstrim=fstrim, blockdev_getro=read_only)

    def test_file_system(self):
        self.assertEqual(['/bootmgr'], self.boot()['files'])
        self.assertEqual(
            [
                ('mount', 'discard', '/dev/sda1', '/'),
                ('fstrim', '/'),
                ('umount',),
            ],
            self.calls,
        )

    def test_file_system_that_cannot_be_written(self):
        def mount_options(*arguments):
            raise RuntimeError('mount: hibernated')

        found = self.boot(mount_options=mount_options)
        self.assertEqual(['/bootmgr'], found['files'])
        self.assertEqual(
            [('mount_ro', '/dev/sda1', '/'), ('umount',)], self.calls
        )

    @ddt.data(('the operation is not supported', False), ('any', True))
    @ddt.unpack
    def test_cannot_be_trimmed(self, reason, read_only):
        found = self.trim_fails(reason, read_only)
        self.assertEqual(['/bootmgr'], found['files'])

    def test_trim_fails(self):
        with self.assertRaisesRegex(RuntimeError, 'Input/output error'):
            self.trim_fails('Input/output error', False)

    def unmounted(self, kind, header=b''):
        guest = fakes.FakeGuest(
            pread_device=header,
            blkdiscard=self.record('blkdiscard'),
            pwrite_device=self.record('pwrite'),
            vgs=['vg'],
            lvcreate_free=self.record('create'),
            lvremove=self.record('remove'),
        )
        discarding.discard_unmounted(guest, {'/dev/sda1': kind})
        return self.calls

    def test_swap_keeps_its_header(self):
        header = b'uuid'.ljust(4086, b'\0') + b'SWAPSPACE2'
        self.assertEqual(
            [
                ('blkdiscard', '/dev/sda1'),
                ('pwrite', '/dev/sda1', header, 0),
            ],
            self.unmounted('swap', header),
        )

    def test_swap_of_another_kind(self):
        self.assertEqual([], self.unmounted('swap', bytes(4096)))

    def test_volume_group(self):
        create, discard, remove = self.unmounted('LVM2_member')
        _create, name, *rest = create
        # Of no volume that a guest can have made.
        self.assertRegex(name, '^newos-discarded-[0-9a-f]{8}$')
        self.assertEqual(['vg', 100], rest)
        volume = f'/dev/vg/{name}'
        self.assertEqual(
            [('blkdiscard', volume), ('remove', volume)], [discard, remove]
        )
