# SPDX-License-Identifier: Apache-2.0

import json
import pathlib

import ddt
import nova.privsep.qemu
import nova.privsep.utils
from nova.virt.libvirt import config as vconfig

from nova_newos import exception
from nova_newos.virt import snapshot
from tests.unit.virt import fakes

METADEFS = pathlib.Path(__file__).parents[3] / 'etc' / 'glance' / 'metadefs'


class Guest:
    """A nova.virt.libvirt.guest.Guest with the given XML."""

    def __init__(self, *disks):
        self._disks = disks

    def get_config(self):
        guest = vconfig.LibvirtConfigGuest()
        disks = ''.join(
            f"<disk type='file' device='{device}'>"
            f"<driver name='qemu' type='{disk_format}'/>"
            f"<source file='/i/{name}'/><target dev='{dev}' bus='scsi'/>"
            '</disk>'
            for name, device, disk_format, dev in self._disks
        )
        guest.parse_str(
            f"<domain type='kvm'><devices>{disks}</devices></domain>"
        )
        return guest


ROOT = ('disk.newos', 'disk', 'qcow2', 'sda')
CD = ('disk', 'cdrom', 'raw', 'sdb')
RESTORED = ('disk', 'disk', 'qcow2', 'vda')


@ddt.ddt
class DecisionTest(fakes.TestCase):
    @ddt.data(
        ('zstd', None, True),
        ('zlib', None, True),
        ('none', None, False),
        ('zstd', 'qcow2', True),
        ('zstd', 'raw', False),
        ('zstd', 'vmdk', False),
        ('none', 'qcow2', False),
    )
    @ddt.unpack
    def test_compression(self, compression, image_format, expected):
        """An explicit format of the operator's wins."""
        self.flags('newos', capture_compression=compression)
        self.flags('libvirt', snapshot_image_format=image_format)
        self.assertIs(expected, snapshot.Capture(None).is_wanted)

    def test_wanted_for_what_is_done_to_the_copy(self):
        self.flags('newos', capture_compression='none')
        self.assertIs(
            True, snapshot.Capture(None, finish=lambda disk: {}).is_wanted
        )

    def test_property_of_the_iso(self):
        instance = fakes.server(fakes.image_dict(newos_seal='1'))
        self.assertIs(True, snapshot.is_to_be_sealed(instance))

    def test_operator(self):
        self.assertIs(False, snapshot.is_to_be_sealed(fakes.server()))
        self.flags('newos', seal='require')
        self.assertIs(True, snapshot.is_to_be_sealed(fakes.server()))


@ddt.ddt
class ConvertTest(fakes.TestCase):
    """What is not compressed is written as Nova would."""

    @ddt.data(
        (True, False, 'qcow2', (True, False)),
        (True, True, 'qcow2', (True, True)),
        (False, True, 'raw', (False, False)),
    )
    @ddt.unpack
    def test_as_nova_would(self, direct, compression, stock, expected):
        self.flags('newos', capture_compression='none')
        self.flags('libvirt', snapshot_compression=compression)
        self.patch(
            nova.privsep.utils, 'supports_direct_io', return_value=direct
        )
        convert = self.patch(snapshot.qemu_img, 'convert')
        snapshot.Capture(None).extract('/i/disk', 'raw', '/s/image', stock)
        convert.assert_called_once_with(
            '/i/disk',
            'raw',
            '/s/image',
            stock,
            direct=expected[0],
            compress=expected[1],
        )


@ddt.ddt
class CheckRootTest(fakes.TestCase):
    def test_root_first(self):
        self.assertEqual(
            ('/i/disk.newos', 'qcow2'),
            snapshot.check_root(Guest(ROOT, CD), 'disk.newos'),
        )

    def test_restored(self):
        """Of a server that came back, Nova's 'disk' is captured."""
        self.assertEqual(
            ('/i/disk', 'qcow2'), snapshot.check_root(Guest(RESTORED), 'disk')
        )

    @ddt.data(
        ((CD, ROOT), 'disk.newos'),
        ((RESTORED,), 'disk.newos'),
        ((ROOT, CD), 'disk'),
        ((('disk.newos.old', 'disk', 'raw', 'vda'),), 'disk.newos'),
    )
    @ddt.unpack
    def test_another_disk_first(self, disks, root):
        """Rather no golden image than one of the ISO."""
        with self.assertRaises(exception.WrongSnapshotDisk) as caught:
            snapshot.check_root(Guest(*disks), root)
        self.assertEqual(
            ('/i/' + disks[0][0], root),
            (caught.exception.found, caught.exception.expected),
        )
        self.assertIn('reboot', str(caught.exception))


@ddt.ddt
class MinDiskTest(fakes.TestCase):
    @ddt.data(
        (1, 1),
        (fakes.GiB - 1, 1),
        (fakes.GiB, 1),
        (fakes.GiB + 1, 2),
        (7 * fakes.GiB, 7),
        (7 * fakes.GiB + 512, 8),
    )
    @ddt.unpack
    def test_rounded_up(self, size, expected):
        """Of the real disk, whatever the flavor was."""
        info = self.patch(
            nova.privsep.qemu,
            'unprivileged_qemu_img_info',
            return_value=json.dumps(
                {
                    'filename': 'disk.newos',
                    'format': 'raw',
                    'virtual-size': size,
                    'actual-size': 0,
                }
            ),
        )
        path = f'{self.instances_path}/disk.newos'
        open(path, 'w').close()
        self.assertEqual(expected, snapshot.min_disk(path, 'raw'))
        # The guest may have written a header: the format is never guessed.
        info.assert_called_once_with(path, format='raw')


@ddt.ddt
class CleanPropertiesTest(fakes.TestCase):
    @ddt.data(
        'newos_layout',
        'newos_install',
        'newos_root_disk_size',
        'newos_virtio_image_id',
        'newos_of_the_future',
        'provenance_iso',
        'seal_sysprep',
        'verdict_boot_loader',
        'golden_self',
        'golden_signature',
        'golden_signature_key',
        'golden_statement_1',
        'base_image_ref',
        'trait:CUSTOM_NOVA_NEWOS',
        'owner_specified.openstack.md5',
    )
    def test_dropped(self, name):
        """What concerns the installation is not inherited."""
        self.assertEqual({}, snapshot.clean_properties({name: 'required'}))

    @ddt.data(
        'os_type',
        'hw_disk_bus',
        'hw_firmware_type',
        'image_type',
        'user_id',
        'trait:CUSTOM_OTHER',
        'not_newos',
    )
    def test_kept(self, name):
        properties = {name: 'value'}
        self.assertEqual(properties, snapshot.clean_properties(properties))

    def test_argument_is_left_alone(self):
        properties = {'newos_install': 'true'}
        snapshot.clean_properties(properties)
        self.assertEqual({'newos_install': 'true'}, properties)


class ClaimsTest(fakes.TestCase):
    def test_complete(self):
        """What is said of golden images, and nothing that others say."""
        said = {
            name
            for path in ('newos-golden-image.json', 'newos-family.json')
            for name in json.loads((METADEFS / path).read_text())['properties']
        }
        # An image keeps what SCS-0102 has it say.
        ours = {name for name in said if name.startswith('golden_')}
        self.assertEqual(
            [], [n for n in ours if not n.startswith(snapshot._CLAIMS)]
        )
        self.assertFalse('golden_owner'.startswith(snapshot._CLAIMS))
