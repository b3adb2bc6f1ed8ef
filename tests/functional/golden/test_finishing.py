# SPDX-License-Identifier: Apache-2.0
"""Disks sealed and inspected with the real tools."""

import concurrent.futures
import hashlib
import os
import pathlib
import signal
import time

import psutil
import pytest

from nova_newos.golden import appliance
from nova_newos.golden import exception
from nova_newos.golden import inspection
from nova_newos.golden import verdict
from tests import processes
from tests.functional.golden import guest

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
MAIL = '/var/mail/installer'
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


FACTS = {
    'verdict_os': 'debian12',
    'verdict_boot_loader': 'true',
    'verdict_efi_fallback': 'true',
    'verdict_virtio_drivers': 'true',
    'verdict_cloud_init': 'false',
    'verdict_ssh_host_keys_gone': 'false',
    'verdict_machine_id_gone': 'false',
    'verdict_file_systems_clean': 'true',
}


def test_debian(conf, finisher, overlay, initrd, tmp_path_factory):
    work = tmp_path_factory.mktemp('work')
    root = work / 'root'
    guest.make(root, tmp_path_factory.mktemp('files'), initrd)
    before = digest(root)
    disk = overlay(root)
    size = convert(disk, work / 'unsealed', 'qcow2')
    written = digest(disk.path)
    assert finisher.finish(disk, is_sealed=False) == FACTS
    assert digest(disk.path) == written

    properties = finisher.finish(disk, is_sealed=True)

    assert properties == FACTS | {
        'seal_sysprep': f'{len(conf.newos.sysprep_operations)} operations, '
        'host keys made by a unit',
        'seal_sparsify': 'unused blocks discarded',
        'verdict_ssh_host_keys_gone': 'true',
        'verdict_machine_id_gone': 'true',
    }
    assert digest(root) == before
    assert os.listdir(os.path.dirname(disk.path)) == ['copy.qcow2']
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
    assert guest.read(root, MAIL)
    assert guest.read(sealed, MAIL) is None
    assert b'ssh-keygen -A' in guest.read(sealed, UNIT)
    assert guest.read(sealed, WANTS) is not None


def test_garbage(finisher, overlay, tmp_path_factory):
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
    unknown = {f'verdict_{name}': 'unknown' for name in verdict.FACTS}
    assert finisher.finish(disk, is_sealed=False) == unknown | {
        'verdict_boot_loader': 'false'
    }
    with pytest.raises(exception.SealFailed, match='no operating system'):
        finisher.finish(disk, is_sealed=True)


def assert_confined(qemu):
    """What a guest that took QEMU over could do: little."""
    process = psutil.Process(qemu)
    arguments = process.cmdline()
    assert '-sandbox' in arguments
    # See QEMU's "-nic": without -nodefaults there would be one.
    assert '-nodefaults' in arguments
    assert not {'-netdev', '-nic', '-net'} & set(arguments)
    limit = (768 + 2048) << 20
    assert process.rlimit(psutil.RLIMIT_DATA) == (limit, limit)
    status = pathlib.Path(f'/proc/{qemu}/status')
    # QEMU has the process for a moment before it confines itself.
    end = time.monotonic() + 20
    while 'Seccomp:\t2' not in status.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_appliance_that_hangs(conf, overlay, tmp_path):
    root = tmp_path / 'root'
    root.write_bytes(os.urandom(MIB))
    disk = overlay(root)
    conf.set_override('appliance_timeout', 40, 'newos')
    hanging = appliance.Appliance(conf, emulate=True)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        future = executor.submit(inspection.inspect, disk, hanging, {})
        while not processes.qemus(tmp_path) and not future.done():
            time.sleep(0.05)
        [qemu] = processes.qemus(tmp_path)
        assert_confined(qemu)
        os.kill(qemu, signal.SIGSTOP)
        with pytest.raises(exception.SealFailed, match='appliance_timeout=40'):
            future.result(120)
    assert processes.qemus(tmp_path) == []
    assert not pathlib.Path(f'/proc/{qemu}').exists()
