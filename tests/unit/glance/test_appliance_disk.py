# SPDX-License-Identifier: Apache-2.0

import os

import ddt
import fixtures

from glance_ext.appliance import disk
from glance_ext.appliance import exception
from tests.unit import base
from tests.unit.glance import appliances as make


@ddt.ddt
class InspectTest(base.TestCase):
    def inspect(self, content, max_gib=10):
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, 'disk')
        with open(path, 'wb') as file:
            file.write(content)
        return disk.inspect(path, max_gib)

    @ddt.data(
        # content, format, GiB
        (make.raw(), 'raw', 1),
        (b'nothing that is known' * 1000, 'raw', 1),
        (make.qcow2(), 'qcow2', 6),
        (make.qcow2(size=6 * 2**30), 'qcow2', 6),
        (make.vmdk(), 'vmdk', 2),
    )
    @ddt.unpack
    def test_format_and_size(self, content, format_name, gib):
        found = self.inspect(content)
        self.assertEqual((format_name, gib), (found.format, found.gib))

    def test_raw_disk_is_as_large_as_its_file(self):
        content = make.raw(size=7 * 2**20)
        self.assertEqual(len(content), self.inspect(content).size)

    @ddt.data(
        ('backing_file', make.qcow2(backing=0x200)),
        ('data_file', make.qcow2(incompatible=4)),
        ('unknown_features', make.qcow2(incompatible=2**20)),
        ('differences', make.vmdk(more='parentFileNameHint="/etc/passwd"')),
        (
            'differences',
            make.vmdk(more='PARENTFILENAMEHINT="base.vmdk"', parent_cid='1'),
        ),
        ('not safe', make.vmdk(extent='/etc/passwd')),
        ('not safe', make.vmdk(kind='monolithicFlat')),
        ('not safe', make.vmdk(kind='twoGbMaxExtentSparse')),
        ('it is iso', make.iso()),
        ('Multiple formats', make.raw(2**16)[:512] + make.iso()[512:]),
        ('has 0 GiB', b''),
        ('has 0 GiB', make.qcow2(size=0)),
        ('has 11 GiB', make.qcow2(size=10 * 2**30 + 1)),
        ('17179869184 GiB', make.qcow2(size=2**64 - 1)),
    )
    @ddt.unpack
    def test_refused(self, text, content):
        with self.assertRaisesRegex(exception.DiskRefused, text):
            self.inspect(content)

    @ddt.data(make.qcow2(backing=0x200), make.vmdk(kind='monolithicFlat'))
    def test_advice_is_of_the_format(self, content):
        with self.assertRaises(exception.DiskRefused) as caught:
            self.inspect(content)
        self.assertEqual(
            content.startswith(b'KDMV'), 'streamOpt' in str(caught.exception)
        )

    def test_descriptor_without_its_extents(self):
        text = make.vmdk()[512 : 21 * 512].rstrip(b'\0')
        with self.assertRaises(exception.DiskRefused):
            self.inspect(text)

    @ddt.data(make.qcow2(), make.vmdk(), make.iso(), make.raw())
    def test_truncated(self, content):
        for size in (1, 4, 20, 72, 103, 511, 600):
            with self.subTest(size=size):
                try:
                    found = self.inspect(content[:size])
                except exception.DiskRefused:
                    continue
                self.assertIn(found.format, disk.FORMATS)
