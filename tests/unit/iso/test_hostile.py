# SPDX-License-Identifier: Apache-2.0

"""Ten thousand media that nobody would write in good faith."""

import io
import random
import tracemalloc

from nova_newos import iso
from nova_newos.iso import reader
from tests.unit import base
from tests.unit.iso import samples

COUNT = 10_000
SEED = 20261121
# What the documentation promises.
READ = 256 * 1024
MEMORY = 1024 * 1024

# Where there is something to lie about.
PLACES = [
    (0, 4096),
    (16 * 2048, 6 * 2048),
    (samples.CATALOG * 2048, 256),
    (samples.SEQUENCE * 2048, 512),
    (256 * 2048, 64),
    (samples.UEFI_IMAGE * 2048, 64),
    (samples.UEFI_IMAGE * 2048 + 19 * 512, 32),
    (samples.UEFI_IMAGE * 2048 + 33 * 512, 3 * 512),
    (samples.UEFI_IMAGE * 2048 + 35 * 512, 0x700),
]
# Numbers that programs stumble over.
NUMBERS = [0, 1, 16, 17, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


class CountingFile(io.BytesIO):
    count = 0

    def read(self, size=-1):
        content = super().read(size)
        self.count += len(content)
        return content


def mutate(content, dice):
    """Change some bytes, and now and then cut the rest off."""
    for _ in range(dice.randint(1, 8)):
        begin, length = dice.choice(PLACES)
        at = begin + dice.randrange(length)
        if dice.random() < 0.5:
            content[at] = dice.randrange(256)
        else:
            number = dice.choice([*NUMBERS, dice.randrange(1 << 32)])
            content[at : at + 4] = number.to_bytes(4, 'little')
    if dice.random() < 0.2:
        del content[dice.randrange(len(content)) :]


def answer(call):
    try:
        return call()
    except iso.NotAnIso as error:
        return type(error)


def watch(content, chunk):
    watcher = iso.Watch(len(content))
    for begin in range(0, len(content), chunk):
        watcher.feed(content[begin : begin + chunk])
    return watcher.result()


class HostileTest(base.TestCase):
    def test_mutations(self):
        """Each has an answer, from few bytes; a stream has the same."""
        dice = random.Random(SEED)
        answers = set()
        most = 0
        for index in range(COUNT):
            content = bytearray(samples.WINDOWS)
            mutate(content, dice)
            file = CountingFile(content)
            found = answer(lambda file=file: iso.inspect(file))
            most = max(most, file.count)
            answers.add(found)
            if index % 20 == 0:
                chunk = dice.choice([4096, 65536, 1 << 20])
                seen = answer(lambda c=content, n=chunk: watch(c, n))
                if iso.NotAnIso in (found, seen):
                    self.assertEqual(found, seen)
                else:
                    self.assertEqual(found.firmware, seen.firmware)
        self.assertLess(most, READ)
        # It is not just one answer to all of them.
        self.assertLess(100, len(answers))
        self.assertIn(iso.NotAnIso, answers)

    def test_noise(self):
        dice = random.Random(SEED)
        for _ in range(50):
            content = bytearray(dice.randbytes(400 * 2048))
            content[16 * 2048 : 17 * 2048] = samples.primary()
            content[17 * 2048 : 18 * 2048] = samples.boot_record()
            content[18 * 2048 : 19 * 2048] = samples.descriptor(b'NSR02')
            self.assertFalse(iso.inspect(io.BytesIO(content)).boot_known)


class OwnErrorTest(base.TestCase):
    def test_a_stream_learns_of_it_at_the_end(self):
        """Else it would be an error of whoever reads the stream."""

        def examine():
            yield [reader.Span(0, 1)]
            raise ZeroDivisionError

        passing = reader.Passing(examine())
        passing.feed(b'ab')
        self.assertEqual(2, passing.passed)
        self.assertRaises(ZeroDivisionError, passing.result)


class MemoryTest(base.TestCase):
    def _peak(self, call):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    def test_of_a_file(self):
        file = io.BytesIO(samples.WINDOWS)
        self.assertLess(self._peak(lambda: iso.inspect(file)), MEMORY)

    def test_of_a_stream(self):
        """Of 64 MiB, in which something is waited for until the end."""
        chunk = bytes(1 << 20)
        watcher = iso.Watch(64 << 20)

        def feed():
            watcher.feed(samples.WINDOWS_FAR)
            for _ in range(63):
                watcher.feed(chunk)

        self.assertLess(self._peak(feed), MEMORY)
        self.assertFalse(watcher.result().boot_known)

    def test_nothing_is_kept_of_what_is_known(self):
        content = random.Random(SEED).randbytes(1 << 20)
        watcher = iso.Watch()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        watcher.feed(content)
        self.assertLess(tracemalloc.get_traced_memory()[0], 65536)
        self.assertRaises(iso.NotAnIso, watcher.result)
