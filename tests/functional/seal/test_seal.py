# SPDX-License-Identifier: Apache-2.0
"""Disks sealed and looked into with the real tools."""

import concurrent.futures
import hashlib
import os
import pathlib
import signal
import time

import pytest

from nova_newos import exception
from nova_newos import seal
from nova_newos import verdict
from nova_newos.seal import sparsify
from tests import processes
from tests.functional.seal import guest

MIB = 1 << 20

GONE = (
    '/etc/ssh/ssh_host_ed25519_key',
    '/etc/ssh/ssh_host_ed25519_key.pub',
    '/etc/udev/rules.d/70-persistent-net.rules',
    '/root/.bash_history',
    '/var/lib/dhcp/dhclient.leases',
    '/var/log/syslog',
    '/var/log/journal/0123456789abcdef/system.journal',
    '/var/cache/apt/archives/hello.deb',
)
EMPTIED = ('/etc/machine-id', '/etc/hostname')
KEPT = (
    '/etc/ssh/sshd_config',
    '/root/.ssh/authorized_keys',
    '/var/spool/cron/crontabs/root',
)
UNIT = 'etc/systemd/system/newos-host-keys.service'
WANTS = '/etc/systemd/system/multi-user.target.wants/newos-host-keys.service'


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def convert(disk, path, kind):
    """What Nova makes an image of; returns its size in bytes."""
    processes.run(
        *('qemu-img', 'convert', '-f', disk.format, '-O', kind),
        *(disk.path, path),
    )
    return path.stat().st_blocks * 512


def test_debian(conf, make_appliance, overlay, initrd, tmp_path_factory):
    appliance = make_appliance()
    work = tmp_path_factory.mktemp('work')
    root = work / 'root'
    guest.make(root, tmp_path_factory.mktemp('files'), initrd)
    before = digest(root)
    disk = overlay(root)
    size = convert(disk, work / 'unsealed', 'qcow2')
    facts = verdict.examine(disk, appliance)
    assert facts == {
        'os': 'debian12',
        'boot_loader': 'true',
        'efi_fallback': 'true',
        'virtio_drivers': 'true',
        'cloud_init': 'false',
        'ssh_host_keys_gone': 'false',
        'machine_id_gone': 'false',
        'file_systems_clean': 'true',
    }

    reports = seal.Sealers(conf).seal(disk, appliance)

    assert reports == {
        'sysprep': f'{len(conf.newos.sysprep_operations)} operations, '
        'host keys made by a unit',
        'sparsify': 'unused blocks discarded',
    }
    assert digest(root) == before
    assert os.listdir(os.path.dirname(disk.path)) == ['copy.qcow2']
    assert verdict.examine(disk, appliance) == facts | {
        'ssh_host_keys_gone': 'true',
        'machine_id_gone': 'true',
    }
    assert convert(disk, work / 'sealed', 'qcow2') < size - 200 * MIB
    convert(disk, work / 'raw', 'raw')
    assert_sealed(work / 'raw', root)


def assert_sealed(sealed, root):
    """What was there before, and what is there now."""
    for name in GONE:
        assert guest.read(root, name)
        assert guest.read(sealed, name) is None, name
    for name in EMPTIED:
        assert guest.read(root, name)
        assert guest.read(sealed, name) == b'', name
    for name in KEPT:
        assert guest.read(root, name) == guest.read(sealed, name) != b'', name
    assert b'ssh-keygen -A' in guest.read(sealed, UNIT)
    assert guest.read(sealed, WANTS) is not None


def test_garbage(conf, make_appliance, overlay, tmp_path_factory):
    """No file system, and a header that names a file of the host."""
    work = tmp_path_factory.mktemp('work')
    secret = work / 'secret'
    secret.write_bytes(b'GRUB'.ljust(MIB, b'\0'))
    root = work / 'root'
    processes.run(
        *('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw'),
        *('-b', secret, root),
    )
    disk = overlay(root)
    facts = verdict.examine(disk, make_appliance())
    assert facts == dict.fromkeys(verdict.FACTS, 'unknown') | {
        'boot_loader': 'false'
    }
    with pytest.raises(exception.SealFailed, match='no operating system'):
        seal.Sealers(conf).seal(disk, make_appliance())


def test_appliance_that_hangs(make_appliance, overlay, tmp_path):
    """virt-sparsify puts QEMU into a process group of its own."""
    root = tmp_path / 'root'
    root.write_bytes(os.urandom(MIB))
    disk = overlay(root)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        future = executor.submit(
            sparsify.SparsifySealer(None).seal, disk, make_appliance(40)
        )
        while not processes.qemus(disk.path) and not future.done():
            time.sleep(0.05)
        [qemu] = processes.qemus(disk.path)
        os.kill(qemu, signal.SIGSTOP)
        with pytest.raises(exception.SealFailed, match='appliance_timeout=40'):
            future.result(120)
    assert processes.qemus(disk.path) == []
    assert not pathlib.Path(f'/proc/{qemu}').exists()
