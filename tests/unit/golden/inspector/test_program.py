# SPDX-License-Identifier: Apache-2.0

import dataclasses

from nova_newos.golden import base as golden_base
from nova_newos.golden.inspector import program
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


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

        guest = fakes.FakeGuest(
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
        found = fakes.inspect(guest, write=write, discard=write, sysprep=asked)
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

        guest = fakes.FakeGuest(
            get_tmpdir='/t', disk_create=record, add_drive_opts=record
        )
        program.add_disk(guest, '/s/copy', 'raw', plan)
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
        program.stop_udev(fakes.FakeGuest(debug=lambda *a: commands.append(a)))
        self.assertEqual([('sh', ['udevadm control --exit'])], commands)
        program.stop_udev(fakes.FakeGuest())

    def commands(self, kind):
        found = []
        guest = fakes.FakeGuest(
            list_partitions=['/dev/sda1'],
            part_to_dev='/dev/sda',
            vfs_type=kind,
            debug=lambda _command, arguments: found.extend(arguments),
        )
        fakes.inspect(guest)
        return found

    def test_lvm_needs_it(self):
        self.assertEqual([], self.commands('LVM2_member'))
        self.assertEqual(['udevadm control --exit'], self.commands('ext4'))
