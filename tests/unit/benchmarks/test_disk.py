# SPDX-License-Identifier: Apache-2.0

import os
import pathlib

import fixtures

from benchmarks import disk
from tests.unit import base

MIB = 2**20


class UsageTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.instances = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, path, size, sparse=0):
        path = self.instances / path
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, 'wb') as stream:
            stream.write(os.urandom(size))
            stream.truncate(size + sparse)

    def test_files_of_all_servers_and_the_cache(self):
        self.write('one/disk', MIB)
        self.write('two/disk', 2 * MIB)
        self.write('two/disk.newos', 3 * MIB)
        self.write('_base/aaaa', 4 * MIB)
        self.write('_base/deeper/bbbb', MIB)
        self.assertEqual(
            {
                'disk': 3 * MIB,
                'disk.newos': 3 * MIB,
                'image cache': 5 * MIB,
            },
            disk.usage(self.instances),
        )

    def test_holes_take_no_room(self):
        self.write('one/disk', MIB, sparse=100 * MIB)
        self.assertEqual({'disk': MIB}, disk.usage(self.instances))

    def test_what_was_there_before_is_left_out(self):
        self.write('other/disk', MIB)
        self.write('compute_nodes', MIB)
        self.write('one/disk', 2 * MIB)
        self.assertEqual(
            {'disk': 2 * MIB},
            disk.usage(self.instances, {'other', 'compute_nodes'}),
        )


class CompareTest(base.TestCase):
    def test_what_each_server_adds(self):
        # Server n adds n MiB of disk; with ours 1 MiB more of disk.newos.
        stock = [{'image cache': 7 * MIB}]
        ours = [{'image cache': 7 * MIB}]
        for number in range(1, disk.SERVERS + 1):
            added = number * MIB
            cache = 10 * MIB
            total = stock[-1].get('disk', 0) + added
            stock.append({'image cache': cache, 'disk': total})
            ours.append(
                {
                    'image cache': cache,
                    'disk': total,
                    'disk.newos': number * MIB,
                }
            )

        found = {
            comparison.title: (comparison.stock, comparison.ours)
            for comparison in disk.compare(stock, ours)
        }

        self.assertEqual(
            {
                'server 1': ((4.0,), (5.0,)),
                'server 1, without disk.newos': ((4.0,), (4.0,)),
                'server 2': ((2.0,), (3.0,)),
                'server 2, without disk.newos': ((2.0,), (2.0,)),
                'server 5': ((5.0,), (6.0,)),
                'server 5, without disk.newos': ((5.0,), (5.0,)),
                'servers 1 to 5': ((18.0,), (23.0,)),
                'servers 1 to 5, without disk.newos': ((18.0,), (18.0,)),
            },
            found,
        )
