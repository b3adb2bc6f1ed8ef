# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.golden.inspector import filesystems
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


@ddt.ddt
class FileSystemsTest(base.TestCase):
    WRITE = False

    def clean(self, kind, **functions):
        guest = fakes.FakeGuest(**functions)
        [found] = filesystems.filesystems(
            guest, {'/dev/sda1': kind}, self.WRITE
        )
        self.assertEqual(kind, found['type'])
        return found['clean']

    @ddt.data(
        ('clean', 'has_journal extent', True),
        ('clean', 'has_journal needs_recovery', False),
        ('not clean', 'extent', False),
        ('clean with errors', 'extent', False),
    )
    @ddt.unpack
    def test_ext4(self, state, features, expected):
        fields = {
            'Filesystem state': state,
            'Filesystem features': features,
        }
        self.assertIs(expected, self.clean('ext4', tune2fs_l=fields))

    def test_ext4_that_does_not_say(self):
        self.assertIsNone(self.clean('ext4', tune2fs_l={}))

    @ddt.data(
        ('xfs', 'xfs_repair'), ('ntfs', 'ntfs_3g_probe'), ('vfat', 'fsck')
    )
    @ddt.unpack
    def test_status(self, kind, function):
        self.assertIs(True, self.clean(kind, **{function: 0}))
        self.assertIs(False, self.clean(kind, **{function: 2}))

    def test_btrfs(self):
        here = {'feature_available': True}
        self.assertIs(True, self.clean('btrfs', btrfs_fsck=None, **here))
        self.assertIs(False, self.clean('btrfs', **here))
        self.assertIsNone(self.clean('btrfs', feature_available=False))

    @ddt.data('ext4', 'xfs', 'ntfs', 'vfat', 'crypto_LUKS')
    def test_cannot_be_told(self, kind):
        self.assertIsNone(self.clean(kind))

    def test_what_is_no_file_system(self):
        kinds = {
            '/dev/sda1': 'swap',
            '/dev/sda2': 'unknown',
            '/dev/sda3': '',
            '/dev/sda4': 'LVM2_member',
        }
        self.assertEqual([], filesystems.filesystems(fakes.FakeGuest(), kinds))


@ddt.ddt
class WrittenFileSystemsTest(base.TestCase):
    """What is written stays: the check must not."""

    def clean(self, kind, write=True, **functions):
        guest = fakes.FakeGuest(**functions)
        [found] = filesystems.filesystems(
            guest, {'/dev/sda1': kind}, write=write
        )
        return found['clean']

    def test_xfs(self):
        """Nothing is changed of what stays."""

        def xfs_repair(device, nomodify=False):
            self.assertIs(True, nomodify)
            return self.status

        for self.status, expected in ((0, True), (1, False)):
            self.assertIs(expected, self.clean('xfs', xfs_repair=xfs_repair))

    # With nomodify and without: what is damaged is repaired then, and is no
    # failure; a journal that is not empty is seen only then.
    @ddt.data((0, 0, True), (1, 0, False), (0, 2, False))
    @ddt.unpack
    def test_xfs_of_an_overlay(self, checked, repaired, expected):
        def xfs_repair(device, nomodify=False):
            return checked if nomodify else repaired

        self.assertIs(
            expected, self.clean('xfs', write=False, xfs_repair=xfs_repair)
        )

    def test_vfat(self):
        commands = []

        def debug(command, arguments):
            commands.extend(arguments)
            return '1\n'

        self.assertIs(
            False, self.clean('vfat', debug=debug, fsck=0, vfs_uuid='12-AB')
        )
        self.assertIn('fsck.vfat -n "$(blkid -U 12-AB)" ', commands[0])
        self.assertIs(True, self.clean('vfat', debug='0\n', vfs_uuid='1'))
        self.assertIsNone(self.clean('vfat', fsck=0, vfs_uuid='1'))

    def test_vfat_that_cannot_be_opened(self):
        """It says nothing about the file system."""
        self.assertIsNone(self.clean('vfat', debug='6\n', vfs_uuid='1'))


class DevicesTest(base.TestCase):
    KINDS = {
        '/dev/sda1': 'vfat',
        '/dev/sda2': 'LVM2_member',
        '/dev/vg/root': 'ext4',
        '/dev/md0': 'xfs',
        '/dev/mapper/x': 'btrfs',
    }

    def guest(self, **functions):
        return fakes.FakeGuest(
            **{
                'list_devices': ['/dev/sda', '/dev/sdb'],
                'list_partitions': ['/dev/sda1', '/dev/sda2', '/dev/sda3'],
                'part_to_dev': lambda name: name[:-1],
                'list_md_devices': ['/dev/md0'],
                'list_dm_devices': ['/dev/mapper/x'],
                'lvs': ['/dev/vg/root'],
                'vfs_type': self.KINDS.__getitem__,
            }
            | functions
        )

    def test_everywhere(self):
        def vfs_type(name):
            if name not in self.KINDS:
                raise RuntimeError('vfs_type: nothing there')
            return self.KINDS[name]

        self.assertEqual(
            self.KINDS | {'/dev/sda3': '', '/dev/sdb': ''},
            filesystems.devices(self.guest(vfs_type=vfs_type)),
        )

    def test_lvm_is_asked_only_if_it_is_there(self):
        found = filesystems.devices(self.guest(vfs_type='ext4'))
        self.assertNotIn('/dev/vg/root', found)

    def test_crowd(self):
        """Of each several commands would be run."""
        limit = filesystems.MAX_DEVICES
        asked = []
        for function, prefix, fits in (
            ('list_partitions', '/dev/sda', limit - 4),
            ('lvs', '/dev/vg/', limit - 6),
        ):
            for count, is_crowd in ((fits, False), (9999, True)):
                asked.clear()
                guest = self.guest(
                    **{function: [f'{prefix}{n}' for n in range(count)]},
                    vfs_type=lambda name: asked.append(name) or 'LVM2_member',
                )
                found = filesystems.devices(guest)
                self.assertEqual(is_crowd, found is None, (function, count))
                self.assertLess(len(asked), 2 * limit)

    def test_crowd_is_not_looked_into(self):
        guest = fakes.FakeGuest(list_partitions=['/dev/sda1'] * 99)
        found = fakes.inspect(guest)
        self.assertIs(True, found['crowded'])
        self.assertEqual([], found['systems'])

    def test_nothing_can_be_listed(self):
        self.assertEqual({}, filesystems.devices(fakes.FakeGuest()))
