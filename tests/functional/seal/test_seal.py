# SPDX-License-Identifier: Apache-2.0
"""Disks sealed and looked into with the real tools."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import signal
import time

import pytest

from nova_newos import exception
from nova_newos import seal
from nova_newos import verdict
from nova_newos.seal import appliance as appliances
from nova_newos.seal import sparsify
from tests.functional.seal import conftest

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
    '/boot/efi/EFI/BOOT/BOOTX64.EFI',
)
UNIT = '/etc/systemd/system/multi-user.target.wants/newos-host-keys.service'


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def converted_size(disk, directory):
    """Bytes that an image of the disk would have."""
    path = directory / 'image.qcow2'
    conftest.run(
        *('qemu-img', 'convert', '-f', disk.format, '-O', 'qcow2'),
        *(disk.path, path),
    )
    return path.stat().st_size


def test_debian(conf, make_appliance, overlay, guest, initrd, tmp_path):
    appliance = make_appliance()
    root = tmp_path / 'root'
    disk = overlay_of(root, overlay, appliance, guest, initrd)
    before = digest(root)
    size = converted_size(disk, tmp_path)
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
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ['root', 'copy.qcow2', 'image.qcow2', 'initrd', 'kernel', 'lib']
    )
    assert verdict.examine(disk, appliance) == facts | {
        'ssh_host_keys_gone': 'true',
        'machine_id_gone': 'true',
    }
    assert converted_size(disk, tmp_path) < size - 60 * MIB
    found = json.loads(
        appliance.run(
            disk,
            *(appliances.SYSTEM_PYTHON, '-I', guest, 'read', disk.path),
            *(*GONE, *EMPTIED, *KEPT, UNIT),
        )
    )
    assert [name for name in GONE if found[name] is not None] == []
    assert {found[name] for name in EMPTIED} == {''}
    assert [name for name in KEPT if not found[name]] == []
    assert 'ssh-keygen -A' in found[UNIT]


def overlay_of(root, overlay, appliance, guest, initrd):
    """A disk over the made guest."""
    # Only tells where the room has to be.
    root.touch()
    disk = overlay(root)
    appliance.run(
        disk,
        *(appliances.SYSTEM_PYTHON, '-I', guest, 'make', root, initrd),
    )
    os.unlink(disk.path)
    return overlay(root)


def test_garbage(conf, make_appliance, overlay, tmp_path):
    """What a guest may write: no partition table, no file system."""
    root = tmp_path / 'root'
    root.write_bytes(os.urandom(MIB))
    disk = overlay(root)
    facts = verdict.examine(disk, make_appliance())
    assert facts == dict.fromkeys(verdict.FACTS, 'unknown') | {
        'boot_loader': 'false'
    }
    with pytest.raises(exception.SealFailed, match='no operating system'):
        seal.Sealers(conf).seal(disk, make_appliance())


def test_format_is_never_guessed(make_appliance, overlay, tmp_path):
    """A guest may write a qcow2 header onto its raw disk."""
    secret = tmp_path / 'secret'
    secret.write_bytes(b'GRUB'.ljust(MIB, b'\0'))
    root = tmp_path / 'root'
    conftest.run(
        *('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw'),
        *('-b', secret, root),
    )
    facts = verdict.examine(overlay(root), make_appliance())
    assert facts['boot_loader'] == 'false'


def qemus(path):
    """Ids of QEMU processes that have opened a disk."""
    found = []
    for command in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = command.read_bytes().split(b'\0')
        except OSError:
            continue
        if b'qemu-system' in words[0] and any(
            path.encode() in w for w in words
        ):
            found.append(int(command.parent.name))
    return found


def test_appliance_that_hangs(make_appliance, overlay, tmp_path):
    """virt-sparsify puts QEMU into a process group of its own."""
    root = tmp_path / 'root'
    root.write_bytes(os.urandom(MIB))
    disk = overlay(root)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        future = executor.submit(
            sparsify.SparsifySealer(None).seal, disk, make_appliance(20)
        )
        while not qemus(disk.path) and not future.done():
            time.sleep(0.05)
        [qemu] = qemus(disk.path)
        os.kill(qemu, signal.SIGSTOP)
        with pytest.raises(exception.SealFailed, match='appliance_timeout=20'):
            future.result(60)
    assert qemus(disk.path) == []
    assert not pathlib.Path(f'/proc/{qemu}').exists()
