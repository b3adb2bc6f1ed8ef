# SPDX-License-Identifier: Apache-2.0

import tracemalloc

import ddt

from glance_ext.appliance import exception
from glance_ext.appliance import ovf
from tests.unit import base
from tests.unit.glance import appliances as make


@ddt.ddt
class ParseTest(base.TestCase):
    @ddt.data(make.OVF_0, make.OVF_1, make.OVF_2)
    def test_what_is_said(self, namespace):
        found = ovf.parse(make.descriptor(namespace=namespace))
        self.assertEqual(
            ovf.Appliance(
                name='Web shop',
                disk='disk.vmdk',
                disk_size=None,
                memory=512,
                vcpus=2,
                uefi=False,
            ),
            found,
        )

    def test_vmware(self):
        self.assertEqual(
            ovf.Appliance('probe', 'p-disk1.vmdk', 4711, 256, 1, False),
            ovf.parse(make.vmware('p-disk1.vmdk', 4711, 256)),
        )

    def test_virtualbox(self):
        self.assertEqual(
            ovf.Appliance('probe', 'p-disk001.vmdk', None, 256, 2, False),
            ovf.parse(make.virtualbox('p-disk001.vmdk', 256)),
        )

    @ddt.data(
        (make.vmware('p', 1, 256), False),
        (make.vmware('p', 1, 256, 'efi'), True),
        (make.virtualbox('p', 256, '<Firmware type="BIOS"/>'), False),
        (make.virtualbox('p', 256, '<Firmware type="EFI"/>'), True),
        (make.virtualbox('p', 256, '<Firmware type="EFI64"/>'), True),
    )
    @ddt.unpack
    def test_firmware(self, content, expected):
        self.assertIs(expected, ovf.parse(content).uefi)

    def test_size_of_the_file(self):
        found = ovf.parse(
            make.descriptor(files=make.file(more='ovf:size="4711"'))
        )
        self.assertEqual(4711, found.disk_size)

    @ddt.data(
        ('512', 'byte * 2^20', 512),
        ('512', 'MegaBytes', 512),
        ('2', 'byte * 2^30', 2048),
        ('2', 'GigaBytes', 2048),
        ('1000000', 'byte * 10^3', 954),
        ('1048577', 'byte', 2),
        ('1024', 'KiloBytes', 1),
        # Not known.
        ('512', None, 0),
        ('512', 'parsecs', 0),
        ('512', 'byte * 2^100', 0),
        ('512', 'byte * 10^99', 0),
        ('-512', 'byte * 2^20', 0),
        ('0', 'byte * 2^20', 0),
        ('5e2', 'byte * 2^20', 0),
        ('٣', 'byte * 2^20', 0),
        ('9' * 15, 'byte * 2^20', 0),
        ('9' * 5000, 'byte * 2^20', 0),
    )
    @ddt.unpack
    def test_memory(self, quantity, units, expected):
        hardware = make.item(4, quantity, units)
        found = ovf.parse(make.descriptor(systems=make.system(hardware)))
        self.assertEqual(expected, found.memory)
        self.assertEqual(0, found.vcpus)

    def test_smallest_configuration_is_the_minimum(self):
        hardware = ''.join(
            make.item(4, n, 'byte * 2^30', f'ovf:configuration="c{n}"')
            + make.item(3, n, None, f'ovf:configuration="c{n}"')
            for n in (8, 2, 4)
        )
        found = ovf.parse(make.descriptor(systems=make.system(hardware)))
        self.assertEqual((2048, 2), (found.memory, found.vcpus))

    @ddt.data(
        ('', 'vm-1'),
        ('<Name/>', 'vm-1'),
        ('<Name>  A\n  B </Name>', 'A B'),
        ('<Name>a\u202eb\u0085</Name>', 'ab'),
    )
    @ddt.unpack
    def test_name(self, said, expected):
        found = ovf.parse(make.descriptor(systems=make.system(name=said)))
        self.assertEqual(expected, found.name)

    def test_other_files_are_not_of_interest(self):
        found = ovf.parse(
            make.descriptor(files=make.file('cd', 'tools.iso') + make.file())
        )
        self.assertEqual('disk.vmdk', found.disk)


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
NETWORK = '<!DOCTYPE x SYSTEM "http://example.com/x.dtd">'


@ddt.ddt
class HostileDescriptorTest(base.TestCase):
    @ddt.data(
        ('document type', {'prologue': LAUGHS}),
        ('document type', {'prologue': FILE}),
        ('document type', {'prologue': NETWORK}),
        ('has 0 disks', {'disks': ''}),
        (
            'has 2 disks',
            {
                'files': make.file() + make.file('file2', 'b.vmdk'),
                'disks': make.disk() + make.disk('file2'),
            },
        ),
        # An empty one beside the one with the system.
        (
            'has 2 disks',
            {'disks': make.disk() + '<Disk ovf:capacity="9"/>'},
        ),
        ('refers to no file', {'disks': '<Disk ovf:capacity="9"/>'}),
        ('refers to no file', {'disks': make.disk('other')}),
        ('refers to no file', {'files': ''}),
        ('more than one', {'files': make.file() + make.file()}),
        ('compressed', {'files': make.file(more='ovf:compression="gzip"')}),
        ('chunks', {'files': make.file(more='ovf:chunkSize="1000"')}),
        ('differences', {'disks': make.disk(more='ovf:parentRef="x"')}),
        ('has 0 virtual', {'systems': ''}),
        ('has 2 virtual', {'systems': make.system() + make.system()}),
    )
    @ddt.unpack
    def test_refused(self, text, parts):
        content = make.descriptor(**parts)
        with self.assertRaisesRegex(exception.DescriptorRefused, text):
            ovf.parse(content)

    @ddt.data(
        b'',
        b'\0' * 100,
        b'<Envelope>',
        b'<Envelope/>trailing',
        b'<Other/>',
        b'<?xml version="1.0" encoding="klingon"?><Envelope/>',
        b'<?xml version="1.0" encoding="utf-7"?><Envelope/>',
        b'<?xml version="1.0" encoding="utf-16"?><Envelope/>',
        b'<Envelope>\xff\xfe</Envelope>',
        b'<a:Other/>',
    )
    def test_no_descriptor(self, content):
        with self.assertRaises(exception.DescriptorRefused):
            ovf.parse(content)

    @ddt.data(
        b'<a>' * 100000 + b'</a>' * 100000,
        b'<Envelope>' + b'<a/>' * 200000 + b'</Envelope>',
    )
    def test_many_elements(self, content):
        with self.assertRaisesRegex(exception.DescriptorRefused, 'elements'):
            ovf.parse(content)

    @ddt.data('', 'x:')
    def test_namespace_is_not_multiplied(self, prefix):
        # A parser that knows namespaces writes them out in each name.
        names = ''.join(f'<{prefix}a{n} {prefix}b{n}=""/>' for n in range(999))
        content = (
            f'<Envelope xmlns="{"u" * 20000}" xmlns:x="{"u" * 20000}">'
            f'{names}</Envelope>'
        ).encode()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with self.assertRaises(exception.DescriptorRefused):
            ovf.parse(content)
        self.assertLess(tracemalloc.get_traced_memory()[1], 2**22)

    def test_attributes_of_other_namespaces(self):
        more = 'xmlns:href="http://example.com/x" x:href="elsewhere"'
        found = ovf.parse(
            make.descriptor(files=make.file(more=f'xmlns:x="x" {more}'))
        )
        self.assertEqual('disk.vmdk', found.disk)

    def test_text_fits_a_sentence(self):
        with self.assertRaises(exception.DescriptorRefused) as caught:
            ovf.parse(b'<' + b'x' * 10**6 + b'/>')
        self.assertLess(len(str(caught.exception)), 255)
