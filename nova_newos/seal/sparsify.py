# SPDX-License-Identifier: Apache-2.0
"""The sealer ``sparsify``: what is not used takes no room."""

from nova_newos.seal import base


class SparsifySealer(base.Sealer):
    """Discards what file systems do not use, with virt-sparsify --in-place.

    Through a qcow2 overlay that makes zero clusters, which hide what is
    behind them and are not copied by a later ``qemu-img convert``.
    """

    name = 'sparsify'

    def seal(self, disk, appliance):
        """See :meth:`nova_newos.seal.base.Sealer.seal`."""
        appliance.run(
            disk,
            'virt-sparsify',
            '--in-place',
            '--format',
            disk.format,
            disk.path,
        )
        return 'unused blocks discarded'
