# SPDX-License-Identifier: Apache-2.0

import fixtures

from benchmarks import burst
from benchmarks import errors
from tests.unit import base

MIB = 2**20


class Box:
    """Servers that are built one a look, and off two looks later."""

    def __init__(self, servers):
        self.servers = servers
        self.looks = 0
        self.asked = None

    def create(self, image, count):
        self.asked = image, count

    def built(self):
        self.looks += 1
        return {n: n < self.looks for n in range(self.servers)}

    def off(self):
        return {'another'} | set(range(self.looks - 2))


class CreateTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.seconds = 0
        self.patch('time.monotonic', lambda: self.seconds)
        self.patch('time.sleep', self.sleep)

    def patch(self, name, new):
        self.useFixture(fixtures.MonkeyPatch(name, new))

    def sleep(self, seconds):
        self.seconds += seconds

    def test_when_each_was_built_and_off(self):
        box = Box(burst.SERVERS)
        active, off = burst._create(box, 'image')
        self.assertEqual(('image', burst.SERVERS), box.asked)
        expected = range(burst.SERVERS)
        self.assertEqual({n: n for n in expected}, active)
        self.assertEqual({n: n + 2 for n in expected}, off)

    def test_one_that_never_ends(self):
        box = Box(burst.SERVERS)
        box.off = lambda: set(range(burst.SERVERS - 1))
        with self.assertRaisesRegex(errors.BenchmarkError, 'not within'):
            burst._create(box, 'image')


class ConsolesTest(base.TestCase):
    def test_a_guest_that_did_something_else(self):
        consoles = {'a': 'probe: installed x', 'b': 'probe: failed'}

        class Consoles:
            console = staticmethod(consoles.get)

        burst._check_consoles(Consoles, ['a'], 'probe: installed')
        with self.assertRaisesRegex(errors.BenchmarkError, 'probe: failed'):
            burst._check_consoles(Consoles, 'ab', 'probe: installed')


class CompareTest(base.TestCase):
    def test_rows(self):
        many = burst.SERVERS
        stock = burst.Burst(
            (1, 2), (3, 4), 1.0, {'image cache': many * MIB, 'disk': 0}
        )
        ours = burst.Burst(
            (5, 6),
            (7, 8),
            2.0,
            {'image cache': many * MIB, 'disk.newos': 9 * many * MIB},
        )
        self.assertEqual(
            [
                ('s until Nova says ACTIVE', (1, 2), (5, 6)),
                ('s until the guest is off', (3, 4), (7, 8)),
                ('ISOs that Glance has read', (1.0,), (2.0,)),
                ('MiB of disk a server', (1.0,), (10.0,)),
                ('MiB of disk a server, without disk.newos', (1.0,), (1.0,)),
            ],
            [
                (each.title, each.stock, each.ours)
                for each in burst.compare(stock, ours)
            ],
        )
