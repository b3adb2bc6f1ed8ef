# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
import uuid

import ddt

from nova_newos import exception
from nova_newos import layout
from tests.unit import base

ISO = '11111111-1111-4111-8111-111111111111'
DRIVERS = '22222222-2222-4222-8222-222222222222'

LAYOUT = layout.Layout(
    iso=ISO, root_gb=20, media=(('virtio', DRIVERS), ('answers', 'abc'))
)

JUNK_SIZES = (
    '',
    ' 5',
    '5 ',
    '5\n',
    '1_0',
    '٣',
    '²',
    '-1',
    '+1',
    '0',
    '00',
    '1e3',
    '1.5',
    '0x10',
    '5G',
    'none',
    '1048577',
    '0000000005',
    None,
    True,
)


@ddt.ddt
class RootDiskSizeTest(base.TestCase):
    @ddt.data(
        # property, configured, flavor, min_disk, expected
        (None, None, 20, 0, 20),
        (None, None, 20, 10, 20),
        (None, 8, 20, 0, 8),
        (None, 8, 20, 10, 10),
        (None, 40, 20, 0, 20),
        (None, 8, 0, 0, 8),
        (None, 8, 0, 10, 10),
        ('5', None, 20, 0, 5),
        ('05', None, 20, 0, 5),
        (5, None, 20, 0, 5),
        ('5', 8, 20, 0, 5),
        ('5', 8, 20, 12, 5),
        ('1048576', None, 0, 0, 2**20),
        ('20', 8, 20, 0, 20),
        ('5', None, 0, 0, 5),
        ('50', 8, 0, 0, 50),
    )
    @ddt.unpack
    def test_size(self, asked, configured, flavor_gb, min_disk, expected):
        properties = {} if asked is None else {'newos_root_disk_size': asked}
        self.assertEqual(
            expected,
            layout.root_disk_gb(properties, configured, flavor_gb, min_disk),
        )

    def test_no_size_at_all(self):
        with self.assertRaises(exception.RootDiskSizeMissing) as caught:
            layout.root_disk_gb({}, None, 0)
        error = caught.exception
        for way_out in (
            'flavor',
            'newos_root_disk_size',
            '[newos] root_disk_size',
        ):
            self.assertIn(way_out, str(error))

    def test_min_disk_is_no_size(self):
        with self.assertRaises(exception.RootDiskSizeMissing):
            layout.root_disk_gb({}, None, 0, 9)

    def test_larger_than_flavor(self):
        with self.assertRaises(exception.RootDiskTooLarge) as caught:
            layout.root_disk_gb({'newos_root_disk_size': '21'}, None, 20)
        error = caught.exception
        self.assertEqual((21, 20), (error.size, error.flavor_gb))
        self.assertIn('larger flavor', str(error))

    @ddt.data(*JUNK_SIZES)
    def test_junk(self, value):
        with self.assertRaises(exception.PropertyInvalid) as caught:
            layout.root_disk_gb({'newos_root_disk_size': value}, 8, 20)
        error = caught.exception
        self.assertEqual('newos_root_disk_size', error.name)
        self.assertIn('whole number of GiB', str(error))

    @ddt.data(0, 20)
    def test_astronomical(self, flavor_gb):
        """A flavor without a limit does not make a size sensible."""
        with self.assertRaises(exception.NewosError) as caught:
            layout.root_disk_gb(
                {'newos_root_disk_size': '99999999999999999999'},
                None,
                flavor_gb,
            )
        error = caught.exception
        self.assertIn('99999999999999999999', str(error))


@ddt.ddt
class IsInstallIsoTest(base.TestCase):
    @ddt.data(
        {},
        {'newos_install': 'true'},
        {'newos_install': 'True'},
        {'newos_install': '1'},
        {'newos_install': 'yes'},
        {'newos_root_disk_size': 'junk'},
        {'hw_rescue_device': ''},
    )
    def test_install(self, properties):
        self.assertTrue(layout.is_install_iso('iso', properties))

    @ddt.data('false', 'False', '0', 'no', 'off', 'n', 'f')
    def test_switched_off(self, value):
        self.assertFalse(
            layout.is_install_iso('iso', {'newos_install': value})
        )

    @ddt.data('qcow2', 'raw', 'ISO', '', None)
    def test_other_format(self, disk_format):
        self.assertFalse(layout.is_install_iso(disk_format, {}))

    def test_other_format_with_junk(self):
        self.assertFalse(
            layout.is_install_iso('qcow2', {'newos_install': 'junk'})
        )

    @ddt.data('hw_rescue_device', 'hw_rescue_bus')
    def test_rescue_image(self, name):
        """A rescue ISO makes no install server."""
        self.assertFalse(layout.is_install_iso('iso', {name: 'cdrom'}))

    @ddt.data('', ' ', 'junk', '2', 'None', 'ja', 'true;false')
    def test_junk(self, value):
        with self.assertRaises(exception.PropertyInvalid) as caught:
            layout.is_install_iso('iso', {'newos_install': value})
        error = caught.exception
        self.assertEqual(('newos_install', value), (error.name, error.value))
        self.assertIn('true or false', str(error))


@ddt.ddt
class LayoutTest(base.TestCase):
    def test_installs(self):
        self.assertTrue(LAYOUT.installs)

    def test_restored(self):
        """No CD-ROM is attached any more, but it is known what they were."""
        restored = LAYOUT.restored()
        self.assertFalse(restored.installs)
        self.assertEqual(
            (LAYOUT.iso, LAYOUT.media, 'disk'),
            (restored.iso, restored.media, restored.root),
        )
        self.assertEqual(restored, restored.restored())

    def test_immutable(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            LAYOUT.root = 'disk'

    @ddt.data(
        LAYOUT,
        LAYOUT.restored(),
        layout.Layout(iso=ISO, root_gb=1),
        layout.Layout(iso=ISO, root_gb=1, media=(('a', 'ä"\\\n\0'),)),
    )
    def test_round_trip(self, value):
        self.assertEqual(value, layout.load({layout.KEY: layout.dump(value)}))

    def test_persisted_form(self):
        """What is in the databases of clouds must stay readable."""
        value = (
            '{"v":1,"iso":"%s","gb":20,'
            '"cd":[["virtio","%s"],["answers","abc"]],"root":"disk.newos"}'
        ) % (ISO, DRIVERS)
        self.assertEqual(LAYOUT, layout.load({'newos_layout': value}))

    def test_limit(self):
        def of_length(length):
            empty = layout.Layout(iso=ISO, root_gb=1, media=(('a', ''),))
            room = length - len(layout.dump(empty))
            return dataclasses.replace(empty, media=(('a', 'x' * room),))

        self.assertEqual(255, len(layout.dump(of_length(255))))
        with self.assertRaises(exception.LayoutTooLong) as caught:
            layout.dump(of_length(256))
        error = caught.exception
        self.assertEqual((256, 255), (error.length, error.limit))
        self.assertIn('[newos] media', str(error))

    def test_limit_counts_bytes(self):
        """MySQL's column and Python's len() mean the same: dump is ASCII."""
        value = layout.Layout(iso=ISO, root_gb=1, media=(('a', 'ä'),))
        self.assertTrue(layout.dump(value).isascii())


@ddt.ddt
class LoadTest(base.TestCase):
    @ddt.data(
        {},
        {'image_disk_format': 'iso', 'image_base_image_ref': ISO},
        {'image_newos_install': 'true'},
    )
    def test_stock_server(self, system_metadata):
        """Without the key it is a server of stock Nova, ISO or not."""
        self.assertIsNone(layout.load(system_metadata))

    def test_inherited_key(self):
        """What a snapshot carries over has a prefix and means nothing."""
        self.assertIsNone(
            layout.load({'image_newos_layout': layout.dump(LAYOUT)})
        )

    def _fields(self, **changes):
        return {**json.loads(layout.dump(LAYOUT)), **changes}

    def assert_invalid(self, value):
        with self.assertRaises(exception.LayoutInvalid) as caught:
            layout.load({layout.KEY: value})
        error = caught.exception
        self.assertEqual(value, error.value)
        self.assertIn('newos_layout', str(error))
        return error

    @ddt.data(2, 0, '1', None, [], {})
    def test_other_version(self, version):
        error = self.assert_invalid(json.dumps(self._fields(v=version)))
        self.assertIsInstance(error, exception.LayoutVersionUnknown)
        self.assertEqual((version, 1), (error.version, error.known))
        self.assertIn('upgrade nova-newos', str(error))

    @ddt.data(
        '',
        ' ',
        '{',
        '{"v":1',
        'null',
        'true',
        '1',
        '"disk.newos"',
        '[]',
        '[1]',
        '{}',
        '{"v":1}',
        '\0',
        '[' * 200,
    )
    def test_broken(self, value):
        self.assert_invalid(value)

    @ddt.data('iso', 'gb', 'cd', 'root', 'v')
    def test_missing_field(self, name):
        fields = self._fields()
        del fields[name]
        self.assert_invalid(json.dumps(fields))

    @ddt.data(
        {'root': 'disk.config'},
        {'root': '../../etc/passwd'},
        {'root': None},
        {'root': []},
        {'root': {}},
        {'gb': None},
        {'gb': 'many'},
        {'gb': []},
        {'gb': float('inf')},
        {'gb': float('nan')},
        {'cd': None},
        {'cd': 1},
        {'cd': [1]},
        {'cd': [[]]},
        {'cd': [['virtio']]},
        {'cd': [['virtio', DRIVERS, 'more']]},
        {'cd': ['virtio']},
        {'cd': [None]},
    )
    def test_hostile_types(self, changes):
        self.assert_invalid(json.dumps(self._fields(**changes)))

    def test_result_is_plain(self):
        """Whatever JSON says, callers get text."""
        loaded = layout.load(
            {layout.KEY: json.dumps(self._fields(iso=5, cd=[[1, None]]))}
        )
        self.assertEqual('5', loaded.iso)
        self.assertEqual((('1', 'None'),), loaded.media)
        hash(loaded)

    def test_key_is_not_for_users(self):
        """A rebuild replaces keys with 'image_', and users set them."""
        self.assertFalse(layout.KEY.startswith('image_'))


class ExampleIdsTest(base.TestCase):
    def test_are_uuids(self):
        for value in (ISO, DRIVERS):
            self.assertEqual(value, str(uuid.UUID(value)))
