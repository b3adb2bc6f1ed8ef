# SPDX-License-Identifier: Apache-2.0
"""Disks that guests made to hurt: typed answers, within the limits."""

import os
import subprocess
import time

import pytest

from nova_newos.golden import appliance
from nova_newos.golden import inspection
from nova_newos.golden import verdict
from tests import processes
from tests.functional.golden import corpus
from tests.functional.golden import guest

MIB = 1 << 20

# Seconds of an inspection without KVM, on a machine that does other things.
LIMIT = 300


@pytest.fixture
def zstd_bomb():
    """Bytes that are 100 GiB when they are decompressed."""
    chunk = processes.run('sh', '-c', 'head -c 1G /dev/zero | zstd -q -c -1')
    # What is appended is decompressed too, see zstd(1).
    return chunk * 100


def make_tree(top):
    """What is where something else is expected."""
    (top / 'etc' / 'cloud').mkdir(parents=True)
    (top / 'etc' / 'cloud' / 'cloud.cfg.d').symlink_to('../cloud/cloud.cfg.d')
    (top / 'usr' / 'bin').mkdir(parents=True)
    (top / 'usr' / 'bin' / 'cloud-init').write_text('x')
    (top / 'var' / 'lib' / 'dbus' / 'machine-id').mkdir(parents=True)
    (top / 'usr' / 'local').write_text('a file, not a directory')
    (top / 'etc' / 'runlevels').symlink_to('runlevels')
    (top / 'boot').mkdir()
    (top / 'boot' / 'vmlinuz-a\n\x1b[2J').write_text('x')
    odd = top / 'lib' / 'modules' / 'a\n\x1b[2J' / 'modules.builtin'
    odd.mkdir(parents=True)


def own_appliance(path):
    environment = os.environ | {
        'LIBGUESTFS_BACKEND': 'direct',
        'LIBGUESTFS_BACKEND_SETTINGS': 'force_tcg',
    }
    subprocess.run(
        [appliance.SYSTEM_PYTHON, '-I', corpus.__file__, path],
        check=True,
        env=environment,
        timeout=LIMIT,
    )


def test_hostile_disk(conf, overlay, zstd_bomb, tmp_path_factory):
    work = tmp_path_factory.mktemp('work')
    tree = tmp_path_factory.mktemp('files')
    make_tree(tree)
    root = work / 'root'
    guest.make(root, tree, zstd_bomb)
    os.truncate(root, corpus.SIZE * MIB)
    corpus.partition(root, ((guest.EFI, 'U'), (guest.ROOT, 'L')))
    corpus.break_ext4(root)
    own_appliance(root)

    begun = time.monotonic()
    found = inspection.inspect(
        overlay(root),
        appliance.Appliance(conf, emulate=True),
        verdict.PATTERNS,
        everywhere=verdict.EVERYWHERE,
    ).disk
    assert time.monotonic() - begun < LIMIT
    assert_found(found)
    assert verdict.facts(found) == {
        'os': 'debian12',
        'boot_loader': 'true',
        'efi_fallback': 'true',
        'virtio_drivers': 'unknown',
        'cloud_init': 'unknown',
        'ssh_host_keys_gone': 'false',
        'machine_id_gone': 'false',
        'file_systems_clean': 'false',
    }


def assert_found(found):
    """What can be told, and nothing of what has no end."""
    # Too many names.
    assert found['paths']['host_keys'] is None
    # Links in circles, and a file where a directory should be.
    assert found['cloud_init']['datasources'] is None
    assert found['paths']['cloud_init'] is None
    assert found['paths']['machine_id'].keys() == {
        '/etc/machine-id',
        '/var/lib/dbus/machine-id',
    }
    assert list(found['snapshots']['host_keys']) == [corpus.KEY]
    assert sorted(each['type'] for each in found['filesystems']) == [
        *('btrfs', 'ext4', 'ext4', 'ext4', 'vfat'),
    ]
    # The archive, and a directory where a list should be.
    assert sorted(found['kernels'], key=str) == [
        {'builtin': None, 'initramfs': None},
        {'builtin': [], 'initramfs': None},
    ]


def test_crowd(finisher, overlay, tmp_path):
    root = tmp_path / 'root'
    with open(root, 'wb') as disk:
        disk.truncate(120 * MIB)
    table = ''.join(f'start={n}MiB, size=1MiB\n' for n in range(1, 101))
    processes.run('sfdisk', '-q', root, input=f'label: gpt\n{table}'.encode())
    disk = overlay(root)
    found = finisher.finish(disk, is_sealed=False)
    assert set(found.values()) == {'unknown'}
