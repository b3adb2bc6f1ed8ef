# SPDX-License-Identifier: Apache-2.0
"""A small guest, made and read with tools of the host: it is no stranger's."""

import os

from tests import processes

MIB = 1 << 20

# The partitions, in MiB: where they begin, and their size.
EFI = (1, 20)
ROOT = (21, 256)
SIZE = 278

FILES = {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n'
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    'etc/debian_version': '12.5\n',
    'etc/fstab': 'LABEL=root / ext4 defaults 0 1\n'
    'LABEL=EFI /boot/efi vfat defaults 0 2\n'
    'tmpfs /tmp tmpfs defaults 0 0\n'
    # Of a volume, which is not on the disk.
    '/dev/vdz1 /srv/data ext4 defaults 0 2\n',
    'etc/hostname': 'installer\n',
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    'etc/ssh/sshd_config': 'Port 22\n',
    'etc/ssh/ssh_host_ed25519_key': 'SECRET\n',
    'etc/ssh/ssh_host_ed25519_key.pub': 'PUBLIC\n',
    'etc/udev/rules.d/70-persistent-net.rules': 'ATTR{address}=="52:54"\n',
    'root/.bash_history': 'echo secret\n',
    'root/.ssh/authorized_keys': 'ssh-ed25519 AAAA operator\n',
    'var/lib/dhcp/dhclient.leases': 'lease {}\n',
    'var/log/syslog': 'installer kernel: hello\n',
    'var/log/installer/cdebconf/questions.dat': 'Name: time/zone\n'
    'Template: time/zone\nValue: Etc/UTC\nOwners: d-i\nFlags: seen\n',
    'var/log/installer/cdebconf/templates.dat': 'Name: time/zone\n'
    'Type: select\nDescription: Select your time zone:\n',
    'var/log/journal/0123456789abcdef/system.journal': 'x\n',
    'var/cache/apt/archives/hello.deb': 'x\n',
    'var/mail/installer': 'hello\n',
    'var/spool/cron/crontabs/root': '@reboot true\n',
    'usr/sbin/sshd': 'x',
    'lib/systemd/systemd': 'x',
    'boot/vmlinuz-6.1.0-test': 'x',
    'lib/modules/6.1.0-test/modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
}


def make(path, directory, initrd):
    """Write a raw disk that looks like a Debian with EFI, and GRUB for BIOS.

    What its file system does not use is full of random bytes, as after much
    was deleted.

    :param path: where to write it
    :param directory: an empty one, to work in
    :param initrd: the initramfs, bytes
    """
    with open(path, 'wb') as disk:
        disk.write(bytes(ROOT[0] * MIB))
        for _number in range(ROOT[1]):
            disk.write(os.urandom(MIB))
        disk.write(bytes(MIB))
    _partition(path)
    _make_efi(path)
    _make_root(path, directory, initrd)


def _partition(path):
    parts = ''.join(
        f'start={start}MiB, size={size}MiB, type={kind}\n'
        for (start, size), kind in ((EFI, 'U'), (ROOT, 'L'))
    )
    processes.run('sfdisk', '-q', path, input=f'label: gpt\n{parts}'.encode())
    with open(path, 'r+b') as disk:
        # As GRUB's boot.img has it.
        disk.seek(0x180)
        disk.write(b'GRUB ')


def _make_efi(path):
    start, size = EFI
    processes.run(
        *('mkfs.vfat', '-n', 'EFI', f'--offset={start * 2048}', path),
        str(size * 1024),
    )
    image = f'{path}@@{start}M'
    for name in ('EFI', 'EFI/BOOT', 'EFI/debian'):
        processes.run('mmd', '-i', image, f'::{name}')
    for name in ('EFI/BOOT/BOOTX64.EFI', 'EFI/debian/grubx64.efi'):
        processes.run('mcopy', '-i', image, '-', f'::{name}', input=b'MZ')


def _make_root(path, directory, initrd):
    for name, content in FILES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    # A name that is not UTF-8, which libguestfs' bindings cannot give.
    (directory / 'etc' / os.fsdecode(b'caf\xe9')).touch()
    (directory / 'boot' / 'initrd.img-6.1.0-test').write_bytes(initrd)
    (directory / 'boot' / 'efi').mkdir()
    # By which the architecture is found.
    (directory / 'bin').mkdir()
    (directory / 'bin' / 'ls').write_bytes(_read('/bin/ls'))
    start, size = ROOT
    processes.run(
        *('mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-d', directory),
        *('-E', f'nodiscard,offset={start * MIB}', path, f'{size}M'),
    )


def _read(path):
    with open(path, 'rb') as file:
        return file.read()


def read(path, name):
    """A file of a guest's root file system.

    :param path: of a raw disk
    :param name: of the file
    :returns: bytes, None when there is no such file
    """
    device = f'{path}?offset={ROOT[0] * MIB}'
    if b'Inode:' not in _debugfs(device, f'stat {name}'):
        return None
    return _debugfs(device, f'cat {name}')


def _debugfs(device, request):
    return processes.run('debugfs', '-R', request, device)
