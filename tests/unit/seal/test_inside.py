# SPDX-License-Identifier: Apache-2.0
"""The questions with a made-up guest; tests/functional/seal asks real ones."""

import fnmatch
import json
import posixpath
import shlex

import ddt

from nova_newos.seal import appliance
from nova_newos.seal import inside
from nova_newos.seal import look
from tests.unit.seal import base


class FakeGuest:
    """A guestfs handle that knows only what it is told.

    All else fails, as libguestfs' functions do with a guest that lacks it.

    :param files: dict of path to size, or None when that cannot be read
    :param functions: by name, what a function returns, or a function
    """

    def __init__(self, files=(), **functions):
        self._files = dict(files)
        self._functions = functions

    def __getattr__(self, name):
        def call(*arguments, **options):
            if name not in self._functions:
                raise RuntimeError(f'{name}: not supported')
            result = self._functions[name]
            if callable(result):
                return result(*arguments, **options)
            return result

        return call

    def is_file(self, path, followsymlinks=False):
        return path in self._files

    def is_dir(self, path, followsymlinks=False):
        return any(each.startswith(path + '/') for each in self._files)

    def filesize(self, path):
        if self._files[path] is None:
            raise RuntimeError('filesize: Input/output error')
        return self._files[path]

    def realpath(self, path):
        return path

    def glob_expand(self, pattern):
        return fnmatch.filter(self._files, pattern)

    def ls(self, directory):
        top = posixpath.join(directory, '')
        below = [path for path in self._files if path.startswith(top)]
        if not below and directory != '/':
            raise RuntimeError('ls0: opendir: No such file or directory')
        return sorted({path[len(top) :].split('/')[0] for path in below})

    def case_sensitive_path(self, path):
        for known in self._files:
            if known.lower().startswith(path.lower().rstrip('/') + '/'):
                return known[: len(path)]
        raise RuntimeError('case_sensitive_path: no such file')


@ddt.ddt
class FileSystemsTest(base.TestCase):
    def clean(self, kind, **functions):
        guest = FakeGuest(list_filesystems={'/dev/sda1': kind}, **functions)
        [found] = inside.filesystems(guest)
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
        guest = FakeGuest(
            list_filesystems={
                '/dev/sda1': 'swap',
                '/dev/sda2': 'unknown',
                'btrfsvol:/dev/sda3/home': 'btrfs',
            }
        )
        self.assertEqual([], inside.filesystems(guest))

    def test_nothing_can_be_listed(self):
        self.assertEqual([], inside.filesystems(FakeGuest()))


@ddt.ddt
class BootTest(base.TestCase):
    def boot(self, *files, **functions):
        guest = FakeGuest(
            dict.fromkeys(files, 1),
            **{
                'list_filesystems': {'/dev/sda1': 'vfat'},
                'mount_ro': None,
                'umount_all': None,
                'pread_device': b'\xeb\x63' + bytes(438),
            }
            | functions,
        )
        return inside.boot(guest)

    @ddt.data(
        (b'\xeb\x63\x90GRUB \x80\xff', True),
        ('\x00GRUB ', True),
        (b'\xfa\xb8', False),
    )
    @ddt.unpack
    def test_grub(self, sector, expected):
        self.assertIs(expected, self.boot(pread_device=sector)['grub'])

    def test_sector_cannot_be_read(self):
        self.assertIsNone(inside.boot(FakeGuest())['grub'])

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
        self.assertEqual(inside.MOST, len(self.boot(*files)['files']))


@ddt.ddt
class PathsTest(base.TestCase):
    KEYS = {'keys': ['/etc/ssh/*_key', '/nowhere/*'], 'x': ['/etc/x']}

    def test_linux(self):
        guest = FakeGuest(
            {
                '/etc/ssh/a_key': 5,
                '/etc/ssh/b_key': None,
                '/etc/ssh/c_KEY': 5,
                '/etc/X': 5,
            }
        )
        self.assertEqual(
            {'keys': {'/etc/ssh/a_key': 5, '/etc/ssh/b_key': None}, 'x': {}},
            inside.paths(guest, False, self.KEYS),
        )

    def test_windows(self):
        guest = FakeGuest(
            {'/WINDOWS/Inf/VioStor.inf_amd64': 3, '/windows/x': 1}
        )
        self.assertEqual(
            {'driver': {'/WINDOWS/Inf/VioStor.inf_amd64': 3}, 'x': {}},
            inside.paths(
                guest,
                True,
                {
                    'driver': ['/Windows/i*/viostor.inf_*', '/Gone/viostor'],
                    'x': ['/Windows/y'],
                },
            ),
        )

    @ddt.data(
        ({'/etc/ssh': 1}, False, {'keys': None, 'x': {}}),
        ({'/ETC/ssh': 1}, True, {'keys': None, 'x': {}}),
        ({'/etc': 1}, False, {'keys': None, 'x': None}),
    )
    @ddt.unpack
    def test_directory_that_cannot_be_read(self, files, windows, expected):
        """What cannot be listed is not empty."""
        self.assertEqual(
            expected, inside.paths(FakeGuest(files), windows, self.KEYS)
        )

    @ddt.data(
        ([], {'keys': {}, 'x': {}}),
        (['/data', '/etc/s'], {'keys': {}, 'x': {}}),
        (['/etc/ssh'], {'keys': None, 'x': {}}),
        (['/data', '/etc'], {'keys': None, 'x': None}),
        (['/'], {'keys': None, 'x': None}),
    )
    @ddt.unpack
    def test_below_what_is_not_mounted(self, missing, expected):
        guest = FakeGuest({'/boot/x': 1})
        self.assertEqual(
            expected, inside.paths(guest, False, self.KEYS, missing)
        )

    def test_name_that_is_not_utf_8(self):
        """The bindings give no list with one in it."""

        class Guest(FakeGuest):
            def ls(self, directory):
                if directory == '/etc':
                    raise UnicodeDecodeError('utf-8', b'\xe9', 0, 1, 'odd')
                return super().ls(directory)

            def glob_expand(self, pattern):
                # As libguestfs marks directories.
                return ['/etc/ssh/'] if pattern == '/etc/ssh' else []

        guest = Guest({'/etc/ssh/a_key': 5})
        self.assertEqual(
            {'keys': {'/etc/ssh/a_key': 5}, 'x': {}},
            inside.paths(guest, False, self.KEYS),
        )

    def test_many(self):
        guest = FakeGuest({f'/etc/ssh/{n}_key': 1 for n in range(300)})
        found = inside.paths(guest, False, self.KEYS)
        self.assertEqual(inside.MOST, len(found['keys']))


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
        guest = FakeGuest(self.FILES, grep=self.BUILTIN, **functions)
        return inside.kernels(guest)

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
        guest = FakeGuest(
            {
                f'/boot/vmlinuz-{version}': 1,
                f'/boot/initrd-{version}': 1,
                f'/lib/modules/{version}/x': 1,
            },
            debug=lambda command, arguments: commands.extend(arguments) or '',
        )
        inside.kernels(guest)
        [command] = commands
        quoted = shlex.split(command[command.index('< ') :])[1]
        self.assertEqual(f'/sysroot/boot/initrd-{version}', quoted)


@ddt.ddt
class SystemsTest(base.TestCase):
    LINUX = {
        'list_filesystems': {},
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

    def test_what_cannot_be_told_is_none(self):
        [found] = inside.systems(FakeGuest(**self.LINUX))
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

        guest = FakeGuest(
            **self.LINUX
            | {
                'mount_ro': mount_ro,
                'list_filesystems': dict.fromkeys(listed, 'ext4'),
            }
        )
        return mounted, inside.mount_system(guest, '/dev/sda2')

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

    @ddt.data('inspect_get_mountpoints', 'list_filesystems')
    def test_mount_points_are_not_known(self, name):
        functions = self.LINUX | {'mount_ro': None}
        del functions[name]
        guest = FakeGuest(**functions)
        self.assertEqual(['/'], inside.mount_system(guest, '/dev/sda2'))

    def test_root_does_not_mount(self):
        found = inside.look(FakeGuest(**self.LINUX), {'x': ['/x']})
        self.assertEqual({'x': None}, found['paths'])
        self.assertEqual(['/', '/boot/efi'], found['missing'])

    def test_linux(self):
        guest = FakeGuest(**self.LINUX, mount_ro=None)
        found = inside.look(guest, {'x': ['/x']})
        self.assertEqual({'x': {}}, found['paths'])
        self.assertEqual([], found['missing'])
        self.assertEqual([], found['kernels'])
        self.assertNotIn('image_state', found)

    def test_windows(self):
        names = {None: 1}
        guest = FakeGuest(
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
        found = inside.look(guest, {})
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
            inside.look(FakeGuest(), {}),
        )


class OverlayTest(base.TestCase):
    def test_every_format_is_named(self):
        calls = []
        guest = FakeGuest(
            get_tmpdir='/t',
            disk_create=lambda *names, **options: calls.append(
                (*names, options)
            ),
            add_drive_opts=lambda *names, **options: calls.append(
                (*names, options)
            ),
        )
        inside.add_overlay(guest, '/s/copy', 'raw')
        self.assertEqual(
            [
                (
                    *('/t/look.qcow2', 'qcow2', -1),
                    {'backingfile': '/s/copy', 'backingformat': 'raw'},
                ),
                (
                    '/t/look.qcow2',
                    {'format': 'qcow2', 'cachemode': 'unsafe'},
                ),
            ],
            calls,
        )


class LookTest(base.TestCase):
    def test_is_run_by_the_python_of_the_system(self):
        fake = base.FakeAppliance('{"systems": []}')
        found = look.look(base.DISK, fake, {'a': ['/b']})
        self.assertEqual({'systems': []}, found)
        [(disk, tool, arguments)] = fake.commands
        self.assertEqual((base.DISK, '/usr/bin/python3'), (disk, tool))
        self.assertEqual(appliance.SYSTEM_PYTHON, tool)
        self.assertEqual(
            ['-I', inside.__file__, '/snapshots/x/copy', 'qcow2'],
            arguments[:-1],
        )
        self.assertEqual({'a': ['/b']}, json.loads(arguments[-1]))
