# SPDX-License-Identifier: Apache-2.0

import io
import random
import struct

import ddt

from nova_newos import iso
from tests.unit import base
from tests.unit.iso import samples
from tests.unit.iso import test_hostile
from tests.unit.iso import udf_samples

# Of the second entry, behind the header of its section.
OFFSET = samples.CATALOG * 2048 + 3 * 32 + 8
CHANGE = iso.Prompt(True, OFFSET, struct.pack('<I', udf_samples.NO_PROMPT))
# What is promised in the docstring.
READ = 1024 * 1024


def look(content):
    return iso.look_at_prompt(io.BytesIO(content))


def catalog(*, sectors=4, image=samples.UEFI_IMAGE, bios=samples.BIOS_IMAGE):
    return (
        samples.validation()
        + samples.entry(bios)
        + samples.header(samples.UEFI)
        + samples.entry(image, sectors)
    )


@ddt.ddt
class PromptTest(base.TestCase):
    def test_change(self):
        self.assertEqual(CHANGE, look(udf_samples.medium(catalog(sectors=1))))

    def test_changed(self):
        """It then asks no more, and there is nothing left to change."""
        content = bytearray(udf_samples.medium(catalog(sectors=1)))
        content[OFFSET : OFFSET + 4] = CHANGE.content
        self.assertIs(False, iso.inspect(io.BytesIO(content)).waits_for_key)
        self.assertEqual(iso.Prompt(asks=False), look(bytes(content)))

    @ddt.data(
        ('names', ('EFI', 'Microsoft', 'Boot', 'EFISYS_NOPROMPT.BIN'), True),
        ('names', ('efi', 'microsoft', 'boot', 'efisys.bin'), False),
        ('names', ('efi', 'other', 'boot', 'efisys_noprompt.bin'), False),
        # Not where it says that it is.
        ('file_set', samples.tagged(256, 9, bytes(2048)), False),
        ('logical', bytes(2048), False),
        ('partition', bytes(2048), False),
        ('root', bytes(2048), False),
        ('root_content', b'junk' * 512, False),
        # Beyond the end of the ISO.
        ('size', 300 * 2048, False),
        ('no_prompt', bytes(2048), False),
    )
    @ddt.unpack
    def test_path(self, name, value, is_found):
        content = udf_samples.medium(catalog(sectors=1), **{name: value})
        expected = CHANGE if is_found else iso.Prompt(asks=True)
        self.assertEqual(expected, look(content))

    def test_in_pieces(self):
        file = udf_samples.entry(
            8,
            4096,
            udf_samples.extent(0, 2048, 10) + udf_samples.extent(0, 2048, 20),
        )
        content = udf_samples.medium(catalog(sectors=1), file=file)
        self.assertEqual(iso.Prompt(asks=True), look(content))

    @ddt.data(
        # Firmware would load less of it.
        catalog(sectors=4),
        # Which entry is meant cannot be told.
        catalog(sectors=1, bios=samples.UEFI_IMAGE),
    )
    def test_catalog(self, content):
        self.assertEqual(
            iso.Prompt(asks=True), look(udf_samples.medium(content))
        )

    def test_loaded_as_a_whole(self):
        self.assertEqual(
            CHANGE, look(udf_samples.medium(catalog(sectors=2880)))
        )

    def test_not_an_iso(self):
        self.assertEqual(iso.Prompt(asks=False), look(b'nothing'))

    def test_another_iso(self):
        content = samples.medium([samples.primary(), samples.TERMINATOR])
        self.assertEqual(iso.Prompt(asks=False), look(content))


class HostileTest(base.TestCase):
    def test_mutations(self):
        """Each has an answer, from few bytes, and inside of the ISO."""
        dice = random.Random(test_hostile.SEED)
        good = udf_samples.medium(catalog(sectors=1))
        places = [
            (lba * 2048, 256) for lba in udf_samples.sectors() if lba < 256
        ]
        seen = set()
        for _ in range(3000):
            content = bytearray(good)
            for _ in range(dice.randint(1, 3)):
                begin, length = dice.choice(places)
                at = begin + dice.randrange(length)
                number = dice.choice(
                    [*test_hostile.NUMBERS, dice.randrange(1 << 32)]
                )
                content[at : at + 4] = number.to_bytes(4, 'little')
                # Its checksum is right.
                tag = content[begin : begin + 16]
                tag[4] = (sum(tag[:4]) + sum(tag[5:])) & 0xFF
                content[begin : begin + 16] = tag
            file = test_hostile.CountingFile(content)
            found = iso.look_at_prompt(file)
            self.assertLess(file.count, READ)
            if found.offset is not None:
                self.assertEqual(OFFSET, found.offset)
                (lba,) = struct.unpack('<I', found.content)
                self.assertLess(lba * 2048, len(content))
            seen.add(found.offset is None)
        self.assertEqual({True, False}, seen)
