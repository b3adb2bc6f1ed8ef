# SPDX-License-Identifier: Apache-2.0

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
            [comparison.title for comparison in found],
        )
        for comparison in found:
            self.assertEqual(2, len(comparison.stock))
            self.assertEqual(2, len(comparison.ours))
            self.assertGreater(min(comparison.stock + comparison.ours), 0)
        stock = nova_blockinfo.get_root_info
        self.assertFalse(hasattr(stock, '__wrapped__'))
        (wrapped,) = set(used) - {stock}
        self.assertIs(stock, wrapped.__wrapped__)
        # For each server one call to compare results, then two rounds; two of
        # the three variants are stock.
        self.assertEqual(2 * (1 + 2 * 2 * blockinfo.CALLS), used.count(stock))
        self.assertEqual(2 * (1 + 2 * blockinfo.CALLS), used.count(wrapped))

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

        self.patch(
            blockinfo.blockinfo,
            'install',
            lambda: setattr(nova_blockinfo, 'get_root_info', get_root_info),
        )
        with self.assertRaisesRegex(errors.BenchmarkError, 'differs'):
            blockinfo.measure(1)
        self.assertIs(stock, nova_blockinfo.get_root_info)

    def test_wrapped_before(self):
        blockinfo.variants()
        _stock, ours = blockinfo.variants()
        self.assertIn('get_root_info', ours)
        blockinfo.blockinfo.install()
        with self.assertRaisesRegex(errors.BenchmarkError, 'new process'):
            blockinfo.variants()
