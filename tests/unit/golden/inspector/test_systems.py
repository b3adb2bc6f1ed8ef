# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.golden.inspector import program
from nova_newos.golden.inspector import systems
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


@ddt.ddt
class MountToWriteTest(base.TestCase):
    @ddt.data(
        ('linux', True, 'mount'),
        ('linux', False, 'mount_ro'),
        ('windows', True, 'mount_ro'),
    )
    @ddt.unpack
    def test_only_what_is_changed(self, kind, write, expected):
        """NTFS that was not shut down may not be mounted for writing."""
        mounted = []
        guest = fakes.FakeGuest(
            inspect_get_mountpoints={'/': '/dev/sda1'},
            **{
                name: lambda *_args, name=name: mounted.append(name)
                for name in ('mount', 'mount_ro')
            },
        )
        program._inspect_system(
            guest,
            {'type': kind, 'root': '/dev/sda1'},
            {'/dev/sda1': 'x'},
            {'write': write, 'asked': {}, 'patterns': {}},
        )
        self.assertEqual([expected], mounted)


@ddt.ddt
class SystemsTest(base.TestCase):
    LINUX = {
        'list_partitions': ['/dev/sda2'],
        'vfs_type': '',
        'inspect_os': ['/dev/sda2'],
        'inspect_get_type': 'linux',
        'inspect_get_distro': 'debian',
        'inspect_get_arch': 'x86_64',
        'inspect_get_major_version': 12,
        'inspect_get_mountpoints': {
            '/boot/efi': '/dev/sda1',
            '/': '/dev/sda2',
        },
    }

    @ddt.data(
        (['/dev/sda2', 'btrfsvol:/dev/sda2/@/.snapshots/2/s'], ['/dev/sda2']),
        (['/dev/sda2'], ['/dev/sda2']),
        ([], []),
        # Which is the installed one cannot be told.
        (['btrfsvol:/dev/sda2/@', 'btrfsvol:/dev/sda2/@2'], None),
        (['/dev/sda2', 'btrfsvol:/dev/sda22/@'], None),
        (['/dev/sda2', '/dev/sda1'], None),
    )
    @ddt.unpack
    def test_snapshots_of_the_system(self, roots, expected):
        """To libguestfs each is a system of its own."""
        kinds = {
            '/dev/sda1': 'ext4',
            '/dev/sda2': 'btrfs',
            '/dev/sda22': 'btrfs',
        }
        found = [{'root': root} for root in roots]
        self.assertEqual(
            roots if expected is None else expected,
            [e['root'] for e in systems.without_copies(found, kinds)],
        )

    def test_what_cannot_be_told_is_none(self):
        [found] = systems.systems(fakes.FakeGuest(**self.LINUX))
        self.assertEqual(
            {
                'type': 'linux',
                'distro': 'debian',
                'osinfo': None,
                'arch': 'x86_64',
                'major': 12,
                'root': '/dev/sda2',
            },
            found,
        )

    def mount(self, listed, refused):
        """What was mounted, and what is said to be missing."""
        mounted = []

        def mount_ro(device, point):
            if point in refused:
                raise RuntimeError('mount: no such device')
            mounted.append((device, point))

        guest = fakes.FakeGuest(
            **self.LINUX
            | {
                'mount_ro': mount_ro,
            }
        )
        kinds = dict.fromkeys(listed, 'ext4')
        missing = systems.mount_system(guest, '/dev/sda2', kinds)
        return mounted, systems.hidden(missing)

    @ddt.data((1, False), (0, True), (None, False), (RuntimeError, False))
    @ddt.unpack
    def test_why(self, available, is_host):
        """Which file system it is, and whether the host cannot mount it."""

        def mount_ro(device, point):
            if point != '/':
                raise RuntimeError('mount: /sysroot/boot/efi: odd.')

        def filesystem_available(kind):
            self.assertEqual('vfat', kind)
            if available is RuntimeError:
                raise RuntimeError('no modprobe')
            return available

        guest = fakes.FakeGuest(
            **self.LINUX,
            mount_ro=mount_ro,
            filesystem_available=filesystem_available,
        )
        kinds = {'/dev/sda1': 'vfat', '/dev/sda2': 'ext4'}
        self.assertEqual(
            [
                {
                    'point': '/boot/efi',
                    'device': '/dev/sda1',
                    'reason': 'mount: /sysroot/boot/efi: odd.',
                    'host': is_host,
                    'hides': '/',
                }
            ],
            systems.mount_system(guest, '/dev/sda2', kinds),
        )

    @ddt.data(
        ('PARTUUID=1-2 /var ext4 defaults 0 2', ['/var']),
        ('/srv/ssh /etc/ssh none bind 0 0', ['/etc/ssh']),
        ('UUID=gone /home xfs rw', ['/home']),
        ('PARTUUID=1-2 / ext4 defaults 0 1', []),
        ('PARTUUID=3-4 /boot/efi vfat umask=0077 0 1', []),
        ('# /dev/sdb1 /data ext4 defaults', []),
        ('/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0', []),
        ('host:/home /home nfs4 _netdev 0 0', []),
        ('tmpfs /tmp tmpfs mode=1777 0 0', []),
        ('UUID=1 none swap sw 0 0', []),
        ('x /y', []),
    )
    @ddt.unpack
    def test_what_libguestfs_leaves_out(self, line, expected):
        """What is below it cannot be looked for, and not be cleaned."""
        guest = fakes.FakeGuest(
            {'/etc/fstab': 100},
            **self.LINUX,
            mount_ro=lambda *_arguments: None,
            read_file=f'# of the guest\n\n{line}\n'.encode() + b'\xe9',
        )
        missing = systems.mount_system(guest, '/dev/sda2', {})
        self.assertEqual(expected, systems.hidden(missing))

    def test_fstab_that_is_no_text(self):
        guest = fakes.FakeGuest(
            {'/etc/fstab': 1 << 20},
            **self.LINUX,
            mount_ro=lambda *_arguments: None,
        )
        self.assertEqual([], systems.mount_system(guest, '/dev/sda2', {}))

    def test_mounts_the_root_first(self):
        self.assertEqual(
            ([('/dev/sda2', '/'), ('/dev/sda1', '/boot/efi')], []),
            self.mount(['/dev/sda1', '/dev/sda2'], []),
        )

    def test_device_that_is_not_on_the_disk(self):
        self.assertEqual(
            ([('/dev/sda2', '/')], ['/boot/efi']),
            self.mount(['/dev/sda2'], ['/boot/efi']),
        )

    def test_device_of_the_disk_that_does_not_mount(self):
        """There may be links into it, of whatever path."""
        self.assertEqual(
            ([('/dev/sda2', '/')], ['/']),
            self.mount(['/dev/sda1', '/dev/sda2'], ['/boot/efi']),
        )

    def test_mount_points_are_not_known(self):
        functions = self.LINUX | {'mount_ro': None}
        del functions['inspect_get_mountpoints']
        guest = fakes.FakeGuest(**functions)
        kinds = {'/dev/sda2': 'ext4'}
        [missing] = systems.mount_system(guest, '/dev/sda2', kinds)
        self.assertEqual(('/', None), (missing['hides'], missing['device']))

    def test_devices_are_not_known(self):
        self.assertEqual(
            ([('/dev/sda2', '/')], ['/']), self.mount([], ['/boot/efi'])
        )

    @ddt.data(
        ({'list_filesystems': {'btrfsvol:/dev/sda2/home': 'btrfs'}}, ['/']),
        ({'list_filesystems': {'/dev/sda2': 'btrfs'}}, ['/home']),
        ({}, ['/']),
    )
    @ddt.unpack
    def test_subvolume_that_does_not_mount(self, functions, missing):
        def mount_ro(device, point):
            if point != '/':
                raise RuntimeError('mount: no such subvolume')

        guest = fakes.FakeGuest(
            inspect_get_mountpoints={
                '/': '/dev/sda2',
                '/home': 'btrfsvol:/dev/sda2/home',
            },
            mount_ro=mount_ro,
            **functions,
        )
        found = systems.mount_system(
            guest, '/dev/sda2', {'/dev/sda2': 'btrfs'}
        )
        self.assertEqual(missing, systems.hidden(found))

    def test_root_does_not_mount(self):
        found = fakes.inspect(fakes.FakeGuest(**self.LINUX), {'x': ['/x']})
        self.assertEqual({'x': None}, found['paths'])
        self.assertEqual(['/', '/boot/efi'], systems.hidden(found['missing']))

    def test_linux(self):
        guest = fakes.FakeGuest(**self.LINUX, mount_ro=None)
        found = fakes.inspect(guest, {'x': ['/x']})
        self.assertEqual({'x': {}}, found['paths'])
        self.assertEqual([], found['missing'])
        self.assertEqual([], found['kernels'])
        self.assertNotIn('image_state', found)

    def test_windows(self):
        names = {None: 1}
        guest = fakes.FakeGuest(
            **self.LINUX
            | {
                'inspect_get_type': 'windows',
                'inspect_get_windows_software_hive': '/SOFTWARE',
                'hivex_open': None,
                'hivex_root': 1,
                'hivex_node_get_child': lambda node, name: names.setdefault(
                    name, node + 1
                ),
                'hivex_node_get_value': lambda node, name: (node, name),
                'hivex_value_string': lambda value: 'STATE_%d_%s' % value,
            }
        )
        found = fakes.inspect(guest, {})
        self.assertEqual('STATE_6_ImageState', found['image_state'])
        self.assertEqual(
            ['Microsoft', 'Windows', 'CurrentVersion', 'Setup', 'State'],
            list(names)[1:],
        )

    def test_guest_that_answers_nothing(self):
        self.assertEqual(
            {
                'filesystems': [],
                'boot': {'grub': None, 'files': []},
                'systems': [],
            },
            fakes.inspect(fakes.FakeGuest(), {}),
        )
