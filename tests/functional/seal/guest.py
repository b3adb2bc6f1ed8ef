# SPDX-License-Identifier: Apache-2.0
"""Make small guests, and read them; run by the system's Python.

::

    guest.py make PATH INITRD    a raw disk that looks like a Debian with EFI
    guest.py read PATH FILE...   JSON: content of files, null if missing
"""

import json
import os
import sys

import guestfs

MIB = 1 << 20
SIZE = 320 * MIB
#: Random bytes of a file that was deleted.
DELETED = 64 * MIB

FILES = {
    '/etc/os-release': 'ID=debian\nVERSION_ID="12"\n'
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    '/etc/debian_version': '12.5\n',
    '/etc/fstab': 'LABEL=root / ext4 defaults 0 1\n'
    'LABEL=EFI /boot/efi vfat defaults 0 2\n'
    'tmpfs /tmp tmpfs defaults 0 0\n'
    # Of a volume, which is not on the disk.
    '/dev/vdz1 /srv/data ext4 defaults 0 2\n',
    '/etc/hostname': 'installer\n',
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/etc/ssh/sshd_config': 'Port 22\n',
    '/etc/ssh/ssh_host_ed25519_key': 'SECRET\n',
    '/etc/ssh/ssh_host_ed25519_key.pub': 'PUBLIC\n',
    '/etc/udev/rules.d/70-persistent-net.rules': 'ATTR{address}=="52:54"\n',
    '/root/.bash_history': 'echo secret\n',
    '/root/.ssh/authorized_keys': 'ssh-ed25519 AAAA operator\n',
    '/var/lib/dhcp/dhclient.leases': 'lease {}\n',
    '/var/log/syslog': 'installer kernel: hello\n',
    '/var/log/journal/0123456789abcdef/system.journal': 'x\n',
    '/var/cache/apt/archives/hello.deb': 'x\n',
    '/var/spool/cron/crontabs/root': '@reboot true\n',
    '/usr/sbin/sshd': 'x',
    '/lib/systemd/systemd': 'x',
    '/boot/vmlinuz-6.1.0-test': 'x',
    '/lib/modules/6.1.0-test/modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
    '/boot/efi/EFI/BOOT/BOOTX64.EFI': 'MZ',
    '/boot/efi/EFI/debian/grubx64.efi': 'MZ',
}


def make(g, path, initrd):
    g.disk_create(path, 'raw', SIZE)
    g.add_drive_opts(path, format='raw')
    g.launch()
    g.part_init('/dev/sda', 'gpt')
    g.part_add('/dev/sda', 'p', 2048, 43007)
    g.part_add('/dev/sda', 'p', 43008, -2048)
    # As GRUB's boot.img begins.
    g.pwrite_device('/dev/sda', b'\xeb\x63\x90', 0)
    g.pwrite_device('/dev/sda', b'GRUB ', 0x180)
    g.mkfs('vfat', '/dev/sda1', label='EFI')
    g.mkfs('ext4', '/dev/sda2', label='root')
    g.mount('/dev/sda2', '/')
    g.mkdir_p('/boot/efi')
    g.mount('/dev/sda1', '/boot/efi')
    for name, content in FILES.items():
        g.mkdir_p(os.path.dirname(name))
        g.write(name, content)
    g.mkdir_p('/bin')
    g.mkdir_p('/etc/systemd/system')
    # By which the architecture is found.
    g.upload('/bin/ls', '/bin/ls')
    g.upload(initrd, '/boot/initrd.img-6.1.0-test')
    # A name that is not UTF-8, which the bindings cannot give.
    g.debug('sh', ["touch /sysroot/etc/$(printf 'caf\\351')"])
    _delete_something(g)
    g.shutdown()


def _delete_something(g):
    g.touch('/deleted')
    for start in range(0, DELETED, MIB):
        g.pwrite('/deleted', os.urandom(MIB), start)
    g.sync()
    g.rm('/deleted')


def read(g, path, *names):
    g.add_drive_opts(path, format='qcow2', readonly=True)
    g.launch()
    g.mount_ro('/dev/sda2', '/')
    g.mount_ro('/dev/sda1', '/boot/efi')
    print(json.dumps({name: _content(g, name) for name in names}))


def _content(g, name):
    try:
        return g.cat(name)
    except RuntimeError:
        return None


if __name__ == '__main__':
    {'make': make, 'read': read}[sys.argv[1]](
        guestfs.GuestFS(python_return_dict=True), *sys.argv[2:]
    )
