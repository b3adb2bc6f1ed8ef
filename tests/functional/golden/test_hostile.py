# SPDX-License-Identifier: Apache-2.0
"""Disks that guests made to hurt: typed answers, within the limits."""

import hashlib
import os
import pathlib
import subprocess
import typing

import pytest

from nova_newos.golden import appliance
from nova_newos.golden import exception
from nova_newos.golden import finishing
from nova_newos.golden import inspection
from nova_newos.golden import verdict
from tests import processes
from tests.functional.golden import corpus
from tests.functional.golden import guest

MIB = 1 << 20


@pytest.fixture(scope='module')
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


def own_appliance(*disks):
    environment = os.environ | {
        'LIBGUESTFS_BACKEND': 'direct',
        'LIBGUESTFS_BACKEND_SETTINGS': 'force_tcg',
    }
    subprocess.run(
        [appliance.SYSTEM_PYTHON, '-I', corpus.__file__, *disks],
        check=True,
        env=environment,
    )


@pytest.fixture(scope='module')
def disks(zstd_bomb, tmp_path_factory):
    """Paths of the disks of the corpus."""
    work = tmp_path_factory.mktemp('work')
    tree = tmp_path_factory.mktemp('files')
    make_tree(tree)
    made = Disks(work / 'root', work / 'sealed', work / 'buried')
    guest.make(made.root, tree, zstd_bomb)
    os.truncate(made.root, corpus.SIZE * MIB)
    corpus.partition(made.root, ((guest.EFI, 'U'), (guest.ROOT, 'L')))
    corpus.break_ext4(made.root)
    for path, size in (
        (made.sealed, corpus.SEALED_SIZE),
        (made.buried, corpus.XFS_SIZE),
    ):
        path.touch()
        os.truncate(path, size * MIB)
    own_appliance(*made)
    corpus.break_xfs(made.root)
    return made


class Disks(typing.NamedTuple):
    root: pathlib.Path
    sealed: pathlib.Path
    buried: pathlib.Path


def test_hostile_disk(conf, overlay, disks):
    found = inspection.inspect(
        overlay(disks.root),
        appliance.Appliance(conf, emulate=True),
        verdict.PATTERNS,
        everywhere=verdict.EVERYWHERE,
    ).disk
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
        *('btrfs', 'ext4', 'ext4', 'ext4', 'vfat', 'xfs'),
    ]
    [xfs] = (f for f in found['filesystems'] if f['type'] == 'xfs')
    assert xfs['clean'] is False
    # The archive, and a directory where a list should be.
    assert sorted(found['kernels'], key=str) == [
        {'builtin': None, 'initramfs': None},
        {'builtin': [], 'initramfs': None},
    ]


@pytest.mark.slow
def test_sealing_a_hostile_disk(finisher, overlay, disks):
    """A root on XFS, with links and pipes where files should be."""
    before = digest(disks.sealed)
    disk = overlay(disks.sealed)
    properties = finisher.finish(disk, is_sealed=True)
    assert properties.pop('seal_sysprep').endswith(
        ' operations, host keys made by a unit'
    )
    assert properties == {
        'seal_sparsify': 'unused blocks discarded',
        'verdict_os': 'rocky9',
        'verdict_boot_loader': 'false',
        'verdict_efi_fallback': 'false',
        'verdict_virtio_drivers': 'unknown',
        'verdict_cloud_init': 'false',
        'verdict_ssh_host_keys_gone': 'true',
        # It is a directory.
        'verdict_machine_id_gone': 'unknown',
        'verdict_file_systems_clean': 'true',
    }
    # Nothing is written but the copy.
    assert digest(disks.sealed) == before
    assert os.listdir(os.path.dirname(disk.path)) == ['copy.qcow2']


@pytest.mark.slow
def test_sealing_a_buried_disk(conf, overlay, disks):
    """More mail than can be named cannot be removed."""
    # It is done in the last boot; all else would take one more.
    conf.set_override('sysprep_operations', ['mail-spool'], 'newos')
    finisher = finishing.Finisher(conf, emulate=True)
    before = digest(disks.buried)
    with pytest.raises(exception.SealFailed, match='glob_expand'):
        finisher.finish(overlay(disks.buried), is_sealed=True)
    assert digest(disks.buried) == before


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def test_crowd(finisher, overlay, tmp_path):
    root = tmp_path / 'root'
    with open(root, 'wb') as disk:
        disk.truncate(120 * MIB)
    table = ''.join(f'start={n}MiB, size=1MiB\n' for n in range(1, 101))
    processes.run('sfdisk', '-q', root, input=f'label: gpt\n{table}'.encode())
    disk = overlay(root)
    found = finisher.finish(disk, is_sealed=False)
    assert set(found.values()) == {'unknown'}
