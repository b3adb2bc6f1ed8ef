# SPDX-License-Identifier: Apache-2.0

import io

import ddt

from nova_newos import iso
from tests.unit import base
from tests.unit.iso import samples
from tests.unit.iso.samples import BIOS
from tests.unit.iso.samples import BIOS_IMAGE
from tests.unit.iso.samples import CATALOG
from tests.unit.iso.samples import UEFI
from tests.unit.iso.samples import UEFI_IMAGE

END = samples.TERMINATOR


def inspect(content, size=None):
    return iso.inspect(io.BytesIO(content), size)


def watch(content, chunk, size=None):
    watcher = iso.Watch(size)
    for begin in range(0, len(content), chunk):
        watcher.feed(content[begin : begin + chunk])
    return watcher.result()


def bootable(catalog, **sectors):
    placed = {int(lba[1:]): data for lba, data in sectors.items()}
    return samples.medium(
        [samples.primary(), samples.boot_record(), END],
        {CATALOG: catalog} | placed,
    )


def with_loader(loaders, **words):
    return samples.medium(
        [samples.primary(**words), samples.boot_record(), END],
        {CATALOG: samples.BOTH, UEFI_IMAGE: samples.floppy(loaders)},
    )


@ddt.ddt
class LabelsTest(base.TestCase):
    def test_of_windows(self):
        found = inspect(samples.WINDOWS)
        self.assertEqual('CCCOMA_X64FRE_EN-US_DV9', found.volume_id)
        self.assertEqual('CCCOMA_X64FRE_EN-US_DV9', found.udf_volume_id)
        self.assertEqual('MICROSOFT CORPORATION', found.publisher_id)
        self.assertEqual('CDIMAGE 2.56 (01/01/2005 TM)', found.application_id)
        self.assertEqual('', found.joliet_volume_id)
        self.assertEqual('', found.system_id)
        self.assertTrue(found.has_udf)
        self.assertEqual(400 * 2048, found.size)
        self.assertEqual(400 * 2048, found.volume_size)
        self.assertFalse(found.truncated)

    def test_joliet(self):
        found = inspect(
            samples.medium(
                [samples.primary('SHORT'), samples.joliet('Länger ж'), END]
            )
        )
        self.assertEqual('Länger ж', found.joliet_volume_id)
        self.assertEqual('SHORT', found.label)

    @ddt.data(
        ('Debian\x1b[31m 12', 'Debian?[31m 12'),
        ('A\0B', 'A'),
        ('\r\n', '??'),
        ('\xc4\xff', 'Äÿ'),
        ('\xf0\x9f\x98\x80', '?'),
    )
    @ddt.unpack
    def test_printable(self, volume_id, expected):
        found = inspect(samples.medium([samples.primary(volume_id), END]))
        self.assertEqual(expected, found.volume_id)
        self.assertTrue(found.volume_id.isprintable())

    def test_joliet_beyond_its_plane(self):
        content = samples.medium(
            [samples.primary(), samples.joliet('a\U0001f600b'), END]
        )
        self.assertEqual('a?b', inspect(content).joliet_volume_id)

    def test_udf_alone(self):
        content = samples.medium(
            samples.UDF_DESCRIPTORS,
            {256: samples.anchor(), 60: samples.logical_volume('Só UDF')},
        )
        found = inspect(content)
        self.assertEqual(('', 'Só UDF'), (found.volume_id, found.label))
        self.assertEqual(0, found.volume_size)
        self.assertFalse(found.truncated)

    @ddt.data(399, 399 - 256)
    def test_udf_anchor_at_the_end(self, lba):
        size = 400 if lba == 399 else 656
        lba = size - 1 if lba == 399 else size - 257
        content = samples.medium(
            samples.UDF_DESCRIPTORS,
            {lba: samples.anchor(lba), 60: samples.logical_volume('END')},
            size=size,
        )
        self.assertEqual('END', inspect(content).udf_volume_id)
        self.assertEqual('', watch(content, 4096).udf_volume_id)
        self.assertEqual(
            'END', watch(content, 4096, len(content)).udf_volume_id
        )

    @ddt.data(
        # Beyond the end, of no length, into itself, and of another place.
        samples.anchor(sequence=1 << 31),
        samples.anchor(length=0),
        samples.anchor(sequence=256),
        samples.anchor(lba=255),
        # Of a wrong checksum.
        b'\x02\0\0\0\0' + samples.anchor()[5:],
        b'\x02',
    )
    def test_udf_without_a_label(self, anchor):
        content = samples.medium(
            [samples.primary(), END, *samples.UDF_DESCRIPTORS],
            {256: anchor, 60: samples.logical_volume('NOT READ')},
        )
        found = inspect(content)
        self.assertTrue(found.has_udf)
        self.assertEqual('', found.udf_volume_id)

    def test_udf_primary_volume(self):
        label = samples.tagged(1, 60, bytes(24) + samples.dstring('P', 32))
        content = samples.medium(
            samples.UDF_DESCRIPTORS, {256: samples.anchor(), 60: label}
        )
        self.assertEqual('P', inspect(content).udf_volume_id)

    @ddt.data(b'', b'\0' * 4096, b'MZ' * 40000, samples.floppy({}))
    def test_no_iso(self, content):
        self.assertRaises(iso.NotAnIso, inspect, content)
        self.assertRaises(iso.NotAnIso, watch, content, 1000)

    def test_boot_record_alone(self):
        content = samples.medium([samples.boot_record(), END])
        self.assertRaises(iso.NotAnIso, inspect, content)

    def test_lies_about_size(self):
        found = inspect(
            samples.medium([samples.primary(blocks=0xFFFFFFFF), END])
        )
        self.assertEqual(0xFFFFFFFF * 2048, found.volume_size)
        self.assertTrue(found.truncated)

    @ddt.data(
        (b'', set()),
        (bytes(450) + b'\x83' + bytes(7) + b'\x01' + bytes(51), {'mbr'}),
        (bytes(450) + b'\xee' + bytes(7) + b'\x01' + bytes(51), set()),
    )
    @ddt.unpack
    def test_mbr(self, table, expected):
        content = bytearray(samples.medium([samples.primary(), END]))
        content[: len(table)] = table
        content[510:512] = b'\x55\xaa'
        self.assertEqual(expected, inspect(content).hybrid)

    def test_gpt_and_apm(self):
        content = bytearray(samples.medium([samples.primary(), END]))
        content[512:520] = b'EFI PART'
        content[2048:2056] = b'PM\0\0\0\0\0\x03'
        self.assertEqual({'gpt', 'apm'}, inspect(content).hybrid)


@ddt.ddt
class CatalogTest(base.TestCase):
    def test_default_and_section(self):
        table = bytes(8) + (16).to_bytes(4, 'little')
        table += BIOS_IMAGE.to_bytes(4, 'little')
        found = inspect(bootable(samples.BOTH, _300=table))
        self.assertEqual(
            (
                iso.BootEntry('bios', True, BIOS_IMAGE, 4, 'none', True),
                iso.BootEntry('uefi', True, UEFI_IMAGE, 4, 'none', False),
            ),
            found.entries,
        )
        self.assertEqual({'bios', 'uefi'}, found.firmware)
        self.assertTrue(found.boot_known)

    def test_uefi_alone(self):
        found = inspect(
            bootable(samples.validation(UEFI) + samples.entry(UEFI_IMAGE))
        )
        self.assertEqual({'uefi'}, found.firmware)

    def test_not_bootable(self):
        found = inspect(
            bootable(samples.validation() + samples.entry(300, bootable=False))
        )
        self.assertEqual(frozenset(), found.firmware)
        self.assertEqual(1, len(found.entries))

    def test_emulation_and_platform(self):
        catalog = samples.validation(2) + samples.entry(300, emulation=2)
        catalog += samples.header(9) + samples.entry(301, emulation=7)
        found = inspect(bootable(catalog))
        self.assertEqual(
            [('mac', '1.44M'), ('unknown', 'unknown')],
            [(each.platform, each.emulation) for each in found.entries],
        )

    def test_sections_with_extensions(self):
        extension = b'\x44' + bytes(31)
        catalog = samples.validation() + samples.entry(300)
        catalog += samples.header(BIOS, 2, is_last=False)
        catalog += samples.entry(301) + extension + samples.entry(302)
        catalog += samples.header(UEFI) + samples.entry(303)
        catalog += samples.header(UEFI) + samples.entry(304)
        found = inspect(bootable(catalog))
        self.assertEqual(
            [300, 301, 302, 303], [each.lba for each in found.entries]
        )

    def test_no_boot_record(self):
        found = inspect(samples.medium([samples.primary(), END]))
        self.assertEqual(((), True), (found.entries, found.boot_known))

    @ddt.data(
        b'',
        b'\xff' * 2048,
        samples.validation()[:20],
        b'\x01' + bytes(29) + b'\x55\xaa',
        # Its sum is right, its signature is not.
        b'\x01' + bytes(27) + b'\xff\xff' + bytes(2) + samples.entry(300),
        samples.entry(300),
    )
    def test_broken(self, catalog):
        found = inspect(bootable(catalog))
        self.assertEqual(((), False), (found.entries, found.boot_known))
        self.assertIsNone(found.waits_for_key)

    @ddt.data(16, 17, 399, 400, 0xFFFFFFFF)
    def test_catalog_elsewhere(self, lba):
        """Into the descriptors, at the end, and beyond it."""
        found = inspect(
            samples.medium([samples.primary(), samples.boot_record(lba), END])
        )
        self.assertFalse(found.boot_known)

    def test_catalog_of_sections(self):
        catalog = samples.validation() + samples.entry(300)
        catalog += samples.header(BIOS, 0xFFFF, False) * 400_000
        content = samples.medium(
            [samples.primary(), samples.boot_record(), END],
            {CATALOG: catalog},
            size=7000,
        )
        self.assertGreaterEqual(254, len(inspect(content).entries))

    def test_truncated(self):
        content = bootable(samples.BOTH)[: CATALOG * 2048 + 70]
        found = inspect(content)
        self.assertEqual({'bios'}, found.firmware)
        self.assertTrue(found.truncated)


@ddt.ddt
class LoaderTest(base.TestCase):
    @ddt.data(
        (r'd:\os\obj\amd64\cdboot.pdb', True),
        ('cdboot.pdb', True),
        (r'd:\os\CDBOOT_NOPROMPT.PDB', False),
        ('bootmgfw.pdb', None),
        (None, None),
    )
    @ddt.unpack
    def test_windows_waits(self, pdb, expected):
        content = with_loader(
            {b'BOOTX64 EFI': samples.program(pdb)},
            publisher_id='MICROSOFT CORPORATION',
        )
        found = inspect(content)
        self.assertIs(expected, found.waits_for_key)
        self.assertEqual({'x86_64'}, found.loaders)

    @ddt.data(('cdboot.pdb', True), ('shim.pdb', False), (None, False))
    @ddt.unpack
    def test_others_wait(self, pdb, expected):
        content = with_loader({b'BOOTX64 EFI': samples.program(pdb)})
        self.assertIs(expected, inspect(content).waits_for_key)

    @ddt.data(
        (b'', frozenset()),
        (samples.floppy({}), frozenset()),
        (samples.floppy({b'BOOTX64 EFI': b'MZ'}), {'x86_64'}),
        (samples.floppy({b'BOOTX64 EFI': b'x' * 5000}), {'x86_64'}),
        (samples.floppy({b'BOOTAA64EFI': b''}), {'aarch64'}),
        (b'\xff' * 510 + b'\x55\xaa' + b'\xff' * 4000, frozenset()),
    )
    @ddt.unpack
    def test_unreadable(self, image, loaders):
        found = inspect(bootable(samples.BOTH, _310=image))
        self.assertIsNone(found.waits_for_key)
        self.assertEqual(loaders, found.loaders)

    def test_what_follows_a_directory(self):
        """An empty entry ends it, whatever is left behind it."""
        image = bytearray(samples.floppy({b'BOOTX64 EFI': b''}))
        root = 19 * 512
        image[root + 32 : root + 64] = image[root : root + 32]
        image[root : root + 32] = bytes(32)
        found = inspect(bootable(samples.BOTH, _310=image))
        self.assertEqual(frozenset(), found.loaders)

    def test_architectures(self):
        content = with_loader(
            {
                b'BOOTIA32EFI': samples.program(),
                b'BOOTX64 EFI': samples.program('cdboot.pdb'),
            }
        )
        found = inspect(content)
        self.assertEqual({'i686', 'x86_64'}, found.loaders)
        self.assertTrue(found.waits_for_key)

    def test_no_uefi(self):
        catalog = samples.validation() + samples.entry(300)
        self.assertIs(False, inspect(bootable(catalog)).waits_for_key)

    def test_no_uefi_of_microsoft(self):
        content = samples.medium(
            [
                samples.primary(publisher_id='MICROSOFT CORPORATION'),
                samples.boot_record(),
                END,
            ],
            {CATALOG: samples.validation() + samples.entry(300)},
        )
        self.assertIsNone(inspect(content).waits_for_key)


@ddt.ddt
class WatchTest(base.TestCase):
    @ddt.data(1, 511, 2048, 65536, 1 << 30)
    def test_as_a_file(self, chunk):
        content = samples.WINDOWS
        if chunk == 1:
            content = content[: 320 * 2048]
        self.assertEqual(inspect(content), watch(content, chunk))

    def test_large(self):
        """All that is asked for lies behind what is kept of the stream."""
        loader = samples.floppy({b'BOOTX64 EFI': samples.program('a.pdb')}, 80)
        catalog = samples.validation() + samples.entry(1000)
        catalog += samples.header(UEFI) + samples.entry(700)
        content = samples.medium(
            [samples.primary(), samples.boot_record(600), END],
            {600: catalog, 700: loader, 1000: b''},
            size=1200,
        )
        found = watch(content, 7000)
        self.assertEqual(inspect(content), found)
        self.assertIs(False, found.waits_for_key)

    def test_what_has_passed_is_unknown(self):
        """A catalog behind the image: its entries, but no look into it."""
        loader = samples.floppy({b'BOOTX64 EFI': samples.program('a.pdb')})
        catalog = samples.validation(UEFI) + samples.entry(600)
        content = samples.medium(
            [samples.primary(), samples.boot_record(900), END],
            {600: loader, 900: catalog},
            size=1000,
        )
        self.assertIs(False, inspect(content).waits_for_key)
        found = watch(content, 3000)
        self.assertEqual({'uefi'}, found.firmware)
        self.assertIsNone(found.waits_for_key)
        self.assertEqual(frozenset(), found.loaders)

    def test_nothing_is_kept_of_what_is_none(self):
        watcher = iso.Watch()
        for _ in range(100):
            watcher.feed(bytes(65536))
        self.assertRaises(iso.NotAnIso, watcher.result)
        self.assertRaises(iso.NotAnIso, watcher.result)

    def test_any_buffer(self):
        watcher = iso.Watch()
        watcher.feed(bytearray(samples.WINDOWS[:5000]))
        watcher.feed(b'')
        watcher.feed(memoryview(samples.WINDOWS)[5000:])
        self.assertEqual(inspect(samples.WINDOWS), watcher.result())


class SeekableTest(base.TestCase):
    def test_short_reads(self):
        class Slow(io.BytesIO):
            def read(self, size=-1):
                return super().read(min(size, 100))

        self.assertEqual(
            inspect(samples.WINDOWS), iso.inspect(Slow(samples.WINDOWS))
        )

    def test_size_is_told(self):
        """As by a file of the network, whose end nobody has to look for."""

        class Endless(io.BytesIO):
            def seek(self, offset, whence=io.SEEK_SET):
                assert whence == io.SEEK_SET
                assert offset < len(samples.WINDOWS)
                return super().seek(offset)

        file = Endless(samples.WINDOWS)
        found = iso.inspect(file, len(samples.WINDOWS))
        self.assertEqual(inspect(samples.WINDOWS), found)
        content = samples.medium(
            [samples.primary(), samples.boot_record(1 << 31), END]
        )
        file = Endless(content)
        self.assertFalse(iso.inspect(file, len(content)).boot_known)
