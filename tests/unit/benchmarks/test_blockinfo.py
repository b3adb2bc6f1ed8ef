# SPDX-License-Identifier: Apache-2.0

import functools

from nova.virt.libvirt import blockinfo as nova_blockinfo

from benchmarks import blockinfo
from benchmarks import errors
from tests.unit.virt import fakes


class BlockinfoTest(fakes.TestCase):
    def test_both_are_measured(self):
        """Each with its own functions in place, and stock ones at the end."""
        used = []
        real = nova_blockinfo.get_disk_info

        def get_disk_info(*args, **kwargs):
            used.append(nova_blockinfo.get_root_info)
            return real(*args, **kwargs)

        self.patch(nova_blockinfo, 'get_disk_info', get_disk_info)
        found = blockinfo.measure(2)

        self.assertEqual(
            [
                'one disk',
                'one disk: stock twice',
                'five disks, config drive',
                'five disks, config drive: stock twice',
            ],
            [row.title for row in found],
        )
        for row in found:
            self.assertEqual(2, len(row.stock))
            self.assertEqual(2, len(row.ours))
            self.assertGreater(min(row.stock + row.ours), 0)
        stock = nova_blockinfo.get_root_info
        self.assertFalse(hasattr(stock, '__wrapped__'))
        # For each server one call to compare results, then two rounds; two of
        # the three variants are stock.
        self.assertEqual(2 * (1 + 2 * 2 * blockinfo.CALLS), used.count(stock))
        self.assertEqual(
            2 * (1 + 2 * blockinfo.CALLS), len(used) - used.count(stock)
        )

    def test_all_disks_are_named(self):
        call = blockinfo._call(
            blockinfo._server('True'), blockinfo._more_disks()
        )
        self.assertEqual(
            ['hda', 'vda', 'vdb', 'vdc', 'vdd', 'vde'],
            sorted({info['dev'] for info in call()['mapping'].values()}),
        )

    def test_a_different_result_is_an_error(self):
        stock = nova_blockinfo.get_root_info

        def get_root_info(*args, **kwargs):
            return {**stock(*args, **kwargs), 'dev': 'vdz'}

        for name, function in (
            ('install', get_root_info),
            ('uninstall', stock),
        ):
            self.patch(
                blockinfo.blockinfo,
                name,
                functools.partial(
                    setattr, nova_blockinfo, 'get_root_info', function
                ),
            )
        with self.assertRaisesRegex(errors.BenchmarkError, 'differs'):
            blockinfo.measure(1)
        self.assertIs(stock, nova_blockinfo.get_root_info)
