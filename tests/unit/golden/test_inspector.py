# SPDX-License-Identifier: Apache-2.0
"""With a made-up guest; tests/functional/golden has a real one."""

import dataclasses
import fnmatch
import json
import posixpath
import shlex

import ddt

from nova_newos.golden import appliance
from nova_newos.golden import base as golden_base
from nova_newos.golden import inspection
from nova_newos.golden import inspector
from tests.unit.golden import base


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
    WRITE = False

    def clean(self, kind, **functions):
        guest = FakeGuest(**functions)
        [found] = inspector.filesystems(guest, {'/dev/sda1': kind}, self.WRITE)
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
        self.assertEqual([], inspector.filesystems(FakeGuest(), kinds))


class WrittenFileSystemsTest(base.TestCase):
    """What is written stays: the check must not."""

    def clean(self, kind, **functions):
        guest = FakeGuest(**functions)
        [found] = inspector.filesystems(guest, {'/dev/sda1': kind}, write=True)
        return found['clean']

    def test_xfs(self):
        def xfs_repair(device, nomodify):
            self.assertIs(True, nomodify)
            return 1

        self.assertIs(False, self.clean('xfs', xfs_repair=xfs_repair))

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
        return FakeGuest(
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
            inspector.devices(self.guest(vfs_type=vfs_type)),
        )

    def test_lvm_is_asked_only_if_it_is_there(self):
        found = inspector.devices(self.guest(vfs_type='ext4'))
        self.assertNotIn('/dev/vg/root', found)

    def test_nothing_can_be_listed(self):
        self.assertEqual({}, inspector.devices(FakeGuest()))


@ddt.ddt
class BootTest(base.TestCase):
    def boot(self, *files, **functions):
        guest = FakeGuest(
            dict.fromkeys(files, 1),
            **{
                'mount_ro': None,
                'umount_all': None,
                'pread_device': b'\xeb\x63' + bytes(438),
            }
            | functions,
        )
        return inspector.boot(guest, {'/dev/sda1': 'vfat'})

    @ddt.data(
        (b'\xeb\x63\x90GRUB \x80\xff', True),
        ('\x00GRUB ', True),
        (b'\xfa\xb8', False),
    )
    @ddt.unpack
    def test_grub(self, sector, expected):
        self.assertIs(expected, self.boot(pread_device=sector)['grub'])

    def test_sector_cannot_be_read(self):
        self.assertIsNone(inspector.boot(FakeGuest(), {})['grub'])

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
        self.assertEqual(inspector.LIMIT, len(self.boot(*files)['files']))


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
        guest = FakeGuest(
            {'/bootmgr': 1},
            **{
                'mount_options': self.record('mount'),
                'mount_ro': self.record('mount_ro'),
                'fstrim': self.record('fstrim'),
                'umount_all': self.record('umount'),
            }
            | functions,
        )
        return inspector.boot(guest, {'/dev/sda1': 'ext4'}, discard=True)

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
        guest = FakeGuest(
            pread_device=header,
            blkdiscard=self.record('blkdiscard'),
            pwrite_device=self.record('pwrite'),
            vgs=['vg'],
            lvcreate_free=self.record('create'),
            lvremove=self.record('remove'),
        )
        inspector.discard_unmounted(guest, {'/dev/sda1': kind})
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


@ddt.ddt
class EditTest(base.TestCase):
    FOUND = {'there': {'/x': 1}, 'gone': {}, 'unknown': None}

    def setUp(self):
        super().setUp()
        self.calls = []

    def edit(self, **options):
        def record(name):
            return lambda *arguments: self.calls.append((name, *arguments))

        guest = FakeGuest(
            {'/var/mail/a': 1, '/var/mail/b': 1},
            mkdir_p=record('mkdir'),
            write=record('write'),
            ln_sf=record('link'),
            rm_rf=record('remove'),
        )
        edit = golden_base.Edit(**{'path': '/etc/x', 'content': 'y'} | options)
        return inspector.edit(guest, [dataclasses.asdict(edit)], self.FOUND)

    def test_file_and_link(self):
        self.assertEqual(['/etc/x'], self.edit(link='/d/l'))
        self.assertEqual(
            [
                ('mkdir', '/etc'),
                ('write', '/etc/x', 'y'),
                ('mkdir', '/d'),
                ('link', '/etc/x', '/d/l'),
            ],
            self.calls,
        )

    def test_removed(self):
        self.edit(path='/var/mail/*', content=None)
        self.assertEqual(
            [('remove', '/var/mail/a'), ('remove', '/var/mail/b')], self.calls
        )

    def test_removed_with_names_that_are_no_text(self):
        """The directory is emptied all the same, and is what it was."""

        def glob_expand(_path):
            raise UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid')

        def record(name):
            return lambda *arguments: self.calls.append((name, *arguments))

        guest = FakeGuest(
            statns={'st_mode': 0o42775, 'st_uid': 0, 'st_gid': 8},
            rm_rf=record('remove'),
            mkdir_mode=record('mkdir'),
            chown=record('chown'),
        )
        guest.glob_expand = glob_expand
        edit = golden_base.Edit('/var/mail/*', None)
        inspector.edit(guest, [dataclasses.asdict(edit)], self.FOUND)
        self.assertEqual(
            [
                ('remove', '/var/mail'),
                ('mkdir', '/var/mail', 0o2775),
                ('chown', 0, 8, '/var/mail'),
            ],
            self.calls,
        )

    @ddt.data(
        (('there',), (), True),
        (('gone',), (), False),
        (('unknown',), (), False),
        (('there', 'gone'), (), False),
        ((), ('gone',), True),
        ((), ('there',), False),
        ((), ('unknown',), False),
    )
    @ddt.unpack
    def test_condition(self, if_found, unless_found, is_made):
        made = self.edit(if_found=if_found, unless_found=unless_found)
        self.assertEqual(['/etc/x'] if is_made else [], made)
        self.assertEqual(is_made, bool(self.calls))


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
        guest = FakeGuest(
            inspect_get_mountpoints={'/': '/dev/sda1'},
            **{
                name: lambda *_args, name=name: mounted.append(name)
                for name in ('mount', 'mount_ro')
            },
        )
        inspector._inspect_system(
            guest,
            {'type': kind, 'root': '/dev/sda1'},
            {'/dev/sda1': 'x'},
            {'write': write, 'asked': {}, 'patterns': {}},
        )
        self.assertEqual([expected], mounted)


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
            inspector.paths(guest, False, self.KEYS),
        )

    def test_windows(self):
        guest = FakeGuest(
            {'/WINDOWS/Inf/VioStor.inf_amd64': 3, '/windows/x': 1}
        )
        self.assertEqual(
            {'driver': {'/WINDOWS/Inf/VioStor.inf_amd64': 3}, 'x': {}},
            inspector.paths(
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
            expected, inspector.paths(FakeGuest(files), windows, self.KEYS)
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
            expected, inspector.paths(guest, False, self.KEYS, missing)
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
            inspector.paths(guest, False, self.KEYS),
        )

    def test_many(self):
        guest = FakeGuest({f'/etc/ssh/{n}_key': 1 for n in range(300)})
        found = inspector.paths(guest, False, self.KEYS)
        self.assertEqual(inspector.LIMIT, len(found['keys']))


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
        return inspector.kernels(guest)

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
        inspector.kernels(guest)
        [command] = commands
        quoted = shlex.split(command[command.index('< ') :])[1]
        self.assertEqual(f'/sysroot/boot/initrd-{version}', quoted)


def inspect(guest, patterns=(), write=False, discard=False, **asked):
    plan = {
        'write': write,
        'discard': discard,
        'patterns': dict(patterns),
        'asked': asked,
    }
    return inspector.inspect(guest, plan)


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

    def test_what_cannot_be_told_is_none(self):
        [found] = inspector.systems(FakeGuest(**self.LINUX))
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
            }
        )
        kinds = dict.fromkeys(listed, 'ext4')
        return mounted, inspector.mount_system(guest, '/dev/sda2', kinds)

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
        guest = FakeGuest(**functions)
        kinds = {'/dev/sda2': 'ext4'}
        self.assertEqual(
            ['/'], inspector.mount_system(guest, '/dev/sda2', kinds)
        )

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

        guest = FakeGuest(
            inspect_get_mountpoints={
                '/': '/dev/sda2',
                '/home': 'btrfsvol:/dev/sda2/home',
            },
            mount_ro=mount_ro,
            **functions,
        )
        self.assertEqual(
            missing,
            inspector.mount_system(guest, '/dev/sda2', {'/dev/sda2': 'btrfs'}),
        )

    def test_root_does_not_mount(self):
        found = inspect(FakeGuest(**self.LINUX), {'x': ['/x']})
        self.assertEqual({'x': None}, found['paths'])
        self.assertEqual(['/', '/boot/efi'], found['missing'])

    def test_linux(self):
        guest = FakeGuest(**self.LINUX, mount_ro=None)
        found = inspect(guest, {'x': ['/x']})
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
        found = inspect(guest, {})
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
            inspect(FakeGuest(), {}),
        )


class OrderTest(base.TestCase):
    """The state of a file system is changed by who mounts it."""

    def order(self, write):
        """Names of the functions that are called, without repetitions."""
        calls = []

        def record(name, result=None):
            def call(*arguments, **options):
                calls.append(name)
                return result

            return call

        guest = FakeGuest(
            {'/etc/hostname': 5},
            list_partitions=['/dev/sda1'],
            part_to_dev='/dev/sda',
            vfs_type='ext4',
            tune2fs_l=record('check', {}),
            inspect_os=record('inspect_os', ['/dev/sda1']),
            inspect_get_type='linux',
            inspect_get_mountpoints={'/': '/dev/sda1'},
            mount=record('mount'),
            mount_ro=record('mount_ro'),
            mount_options=record('mount'),
            fstrim=record('fstrim'),
            umount_all=record('umount'),
            mkdir_p=None,
            write=record('write'),
        )
        edit = golden_base.Edit('/etc/hostname', '', if_found=['name'])
        asked = {
            'patterns': {'name': ['/etc/hostname']},
            'edits': [dataclasses.asdict(edit)] if write else [],
        }
        found = inspect(guest, write=write, discard=write, sysprep=asked)
        self.assertEqual(
            {
                'paths': {'name': {'/etc/hostname': 5}},
                'edited': ['/etc/hostname'] if write else [],
            },
            found['asked']['sysprep'],
        )
        return calls

    def test_inspected_only(self):
        self.assertEqual(
            ['check', 'inspect_os', *['mount_ro', 'umount'] * 2],
            self.order(write=False),
        )

    def test_written(self):
        self.assertEqual(
            [
                *('inspect_os', 'mount', 'write', 'umount'),
                *('mount', 'fstrim', 'umount', 'check'),
            ],
            self.order(write=True),
        )


class AddDiskTest(base.TestCase):
    """Every format is named."""

    def add(self, **plan):
        calls = []

        def record(*names, **options):
            calls.append((*names, options))

        guest = FakeGuest(
            get_tmpdir='/t', disk_create=record, add_drive_opts=record
        )
        inspector.add_disk(guest, '/s/copy', 'raw', plan)
        return calls

    def test_not_written(self):
        self.assertEqual(
            [
                (
                    *('/t/inspected.qcow2', 'qcow2', -1),
                    {'backingfile': '/s/copy', 'backingformat': 'raw'},
                ),
                (
                    '/t/inspected.qcow2',
                    {'format': 'qcow2', 'cachemode': 'unsafe'},
                ),
            ],
            self.add(write=False, discard=False),
        )

    def test_written(self):
        self.assertEqual(
            [
                (
                    '/s/copy',
                    {
                        'format': 'raw',
                        'cachemode': 'unsafe',
                        'discard': 'enable',
                    },
                ),
            ],
            self.add(write=True, discard=True),
        )


class StopUdevTest(base.TestCase):
    def test_appliance_without_it(self):
        """Then it only takes longer."""
        commands = []
        inspector.stop_udev(FakeGuest(debug=lambda *a: commands.append(a)))
        self.assertEqual([('sh', ['udevadm control --exit'])], commands)
        inspector.stop_udev(FakeGuest())

    def commands(self, kind):
        found = []
        guest = FakeGuest(
            list_partitions=['/dev/sda1'],
            part_to_dev='/dev/sda',
            vfs_type=kind,
            debug=lambda _command, arguments: found.extend(arguments),
        )
        inspect(guest)
        return found

    def test_lvm_needs_it(self):
        self.assertEqual([], self.commands('LVM2_member'))
        self.assertEqual(['udevadm control --exit'], self.commands('ext4'))


class InspectionTest(base.TestCase):
    EDIT = golden_base.Edit('/e', '')
    LAST_BOOT = golden_base.LastBoot(
        report=str, patterns={'c': ['/d']}, edits=[EDIT], discard=True
    )

    def inspect(self, answer, *wanted, **options):
        """The inspection, and the plan."""
        fake = base.FakeAppliance(json.dumps(answer))
        found = inspection.inspect(
            base.DISK, fake, {'a': ['/b']}, *wanted, **options
        )
        [(disk, tool, arguments)] = fake.commands
        self.assertEqual((base.DISK, '/usr/bin/python3'), (disk, tool))
        self.assertEqual(appliance.SYSTEM_PYTHON, tool)
        self.assertEqual(
            ['-I', inspector.__file__, '/snapshots/x/copy', 'qcow2'],
            arguments[:-1],
        )
        return found, json.loads(arguments[-1])

    def test_nothing_is_wanted(self):
        found, plan = self.inspect({'systems': []}, write=True)
        self.assertEqual({'systems': []}, found.disk)
        self.assertEqual(
            {
                'write': False,
                'discard': False,
                'patterns': {'a': ['/b']},
                'asked': {},
            },
            plan,
        )

    def test_wanted(self):
        answer = {'systems': [1], 'paths': 0, 'asked': {'x': {'paths': 2}}}
        found, plan = self.inspect(answer, {'x': self.LAST_BOOT}, write=True)
        self.assertEqual(2, found.asked['x']['paths'])
        self.assertEqual([1], found.asked['x']['systems'])
        self.assertEqual((True, True), (plan['write'], plan['discard']))
        self.assertEqual(
            {
                'x': {
                    'patterns': {'c': ['/d']},
                    'edits': [
                        {
                            'path': '/e',
                            'content': '',
                            'link': None,
                            'if_found': [],
                            'unless_found': [],
                        }
                    ],
                }
            },
            plan['asked'],
        )

    def test_not_written(self):
        found, plan = self.inspect({'systems': []}, {'x': self.LAST_BOOT})
        self.assertEqual([], found.asked['x']['systems'])
        self.assertEqual((False, False), (plan['write'], plan['discard']))
        self.assertEqual([], plan['asked']['x']['edits'])
