# SPDX-License-Identifier: Apache-2.0
"""Disks that guests made to hurt: typed answers, within the limits."""

import os
import resource
import subprocess
import time

import pytest

from nova_newos.golden import appliance
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


def test_hostile_disk(finisher, overlay, zstd_bomb, tmp_path_factory):
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
    found = finisher.finish(overlay(root), is_sealed=False)
    assert time.monotonic() - begun < LIMIT
    # Of the directory that is too large nothing can be told, of the snapshot
    # it can.
    assert found['verdict_ssh_host_keys_gone'] == 'false'
    assert found['verdict_machine_id_gone'] == 'false'
    assert found['verdict_virtio_drivers'] == 'unknown'
    assert found['verdict_cloud_init'] == 'unknown'
    assert found['verdict_file_systems_clean'] == 'false'
    assert found['verdict_os'] == 'debian12'
    # Here, and not in a child.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak < 1 << 20


def test_crowd(finisher, overlay, tmp_path):
    root = tmp_path / 'root'
    with open(root, 'wb') as disk:
        disk.truncate(120 * MIB)
    table = ''.join(f'start={n}MiB, size=1MiB\n' for n in range(1, 101))
    processes.run('sfdisk', '-q', root, input=f'label: gpt\n{table}'.encode())
    disk = overlay(root)
    found = finisher.finish(disk, is_sealed=False)
    assert set(found.values()) == {'unknown'}
