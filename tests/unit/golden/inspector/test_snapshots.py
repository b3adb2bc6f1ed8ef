# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.golden.inspector import ask
from nova_newos.golden.inspector import snapshots
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes

PATTERNS = {'keys': ['/etc/ssh/*_key'], 'id': ['/etc/machine-id']}
DEVICE = '/dev/sda2'


def subvolumes(*names):
    return [
        {
            'btrfssubvolume_id': 256 + number,
            'btrfssubvolume_top_level_id': 5,
            'btrfssubvolume_path': name,
        }
        for number, name in enumerate(names)
    ]


@ddt.ddt
class SnapshotsTest(base.TestCase):
    FILES = {
        '/@/etc/ssh/a_key': 5,
        '/@/.snapshots/1/snapshot/etc/ssh/b_key': 6,
        '/@/.snapshots/1/snapshot/etc/machine-id': 33,
        '/x*/etc/ssh/c_key': 7,
        '/xy/etc/ssh/d_key': 8,
    }
    LISTED = ('@', '@/.snapshots', '@/.snapshots/1/snapshot', 'x*')
    HELD = {
        'keys': {
            '/@/.snapshots/1/snapshot/etc/ssh/b_key': 6,
            '/x*/etc/ssh/c_key': 7,
        },
        'id': {'/@/.snapshots/1/snapshot/etc/machine-id': 33},
    }

    def look(self, mounted='btrfsvol:/dev/sda2/@', **functions):
        options = []
        guest = fakes.FakeGuest(
            self.FILES,
            **{
                'inspect_get_mountpoints': {'/': mounted},
                'mount_options': lambda *args: options.append(args),
                'umount_all': None,
                'btrfs_subvolume_list': subvolumes(*self.LISTED),
                'btrfs_subvolume_get_default': 256,
            }
            | functions,
        )
        kinds = {'/dev/sda1': 'ext4', DEVICE: 'btrfs'}
        found = snapshots.look(guest, '/', kinds, PATTERNS)
        self.assertLessEqual(set(options), {('ro,subvolid=5', DEVICE, '/')})
        return found

    def test_what_the_system_does_not_mount(self):
        """Names are no patterns."""
        self.assertEqual(self.HELD, self.look())

    def test_default_subvolume(self):
        self.assertEqual(self.HELD, self.look(mounted=DEVICE))

    def test_file_system_of_others(self):
        self.assertIn('/@/etc/ssh/a_key', self.look('/dev/sda1')['keys'])

    @ddt.data(
        'inspect_get_mountpoints', 'mount_options', 'btrfs_subvolume_list'
    )
    def test_cannot_be_told(self, name):
        def fail(*_arguments):
            raise RuntimeError('no')

        self.assertEqual({'keys': None, 'id': None}, self.look(**{name: fail}))

    def test_many(self):
        many = subvolumes(*(f's{n}' for n in range(2 * ask.LIMIT)))
        self.assertEqual(
            {'keys': None, 'id': None}, self.look(btrfs_subvolume_list=many)
        )

    def test_no_btrfs(self):
        found = snapshots.look(
            fakes.FakeGuest(), '/', {'/dev/sda1': 'ext4'}, PATTERNS
        )
        self.assertEqual({'keys': {}, 'id': {}}, found)
