# SPDX-License-Identifier: Apache-2.0
"""Sealing with the real tools; each boot of the appliance takes seconds.

Few tests, each a whole story: with pytest-xdist, what they would share would
be made in each worker.
"""

from oslo_config import cfg
import pytest

from nova_newos import conf as newos_conf
from nova_newos.golden import base
from nova_newos.golden import finishing
from tests import processes


@pytest.fixture
def conf():
    made = cfg.ConfigOpts()
    newos_conf.register_opts(made)
    made([], default_config_files=[], default_config_dirs=[])
    made.set_override('appliance_memory', 768, 'newos')
    # Sufficient on a machine that is busy with other tests.
    made.set_override('appliance_timeout', 900, 'newos')
    return made


@pytest.fixture
def finisher(conf):
    # KVM may be there and not work, in a virtual machine for one.
    return finishing.Finisher(conf, emulate=True)


@pytest.fixture
def overlay(tmp_path):
    """Makes the disk that is sealed: an overlay over a server's raw disk."""

    def make(backing):
        path = tmp_path / 'copy.qcow2'
        processes.run(
            *('qemu-img', 'create', '-q', '-f', 'qcow2'),
            *('-b', backing, '-F', 'raw', path),
        )
        return base.Disk(str(path), 'qcow2')

    return make


@pytest.fixture
def initrd(tmp_path_factory):
    """An initramfs, bytes: microcode, then a compressed archive."""
    top = tmp_path_factory.mktemp('initrd')

    def archive(*names):
        for name in names:
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'x' * 100)
        return processes.run(
            *('cpio', '-o', '-H', 'newc', '--quiet'),
            input='\n'.join(names).encode(),
            cwd=top,
        )

    drivers = 'lib/modules/6.1.0-test/kernel/drivers'
    compressed = processes.run(
        *('zstd', '-q', '-c'),
        input=archive(
            f'{drivers}/block/virtio_blk.ko',
            f'{drivers}/virtio/virtio_pci.ko',
            'lib/modules/6.1.0-test/kernel/fs/ext4/ext4.ko',
        ),
    )
    return archive('kernel/x86/microcode/GenuineIntel.bin') + compressed
