# SPDX-License-Identifier: Apache-2.0
"""Disks as a hostile guest would make them; each of many cases.

Of the first the root file system and the table of partitions are made with
tools of the host. The rest, and all of the others, is made in an appliance of
its own, one for all as its start takes the most time::

    /usr/bin/python3 -I corpus.py PATH SEALED BURIED
"""

import posixpath
import subprocess
import sys

MIB = 1 << 20

#: Partitions behind those of guest.py, in MiB: where they begin, their size.
BTRFS = (280, 128)
LVM = (410, 16)
BROKEN = (430, 8)
# mkfs.xfs makes none that is smaller.
BROKEN_XFS = (438, 300)
SIZE = 740

#: MiB of the other disks: an XFS, and what LVM has behind it.
XFS_SIZE = 300
SEALED_SIZE = 320

#: What the host could have too.
GROUP = 'debian-vg'
ROCKY_GROUP = 'rl'

KEY = '/@/.snapshots/1/snapshot/etc/ssh/ssh_host_rsa_key'


def partition(path, before):
    """Write a table of partitions with ours behind those of before."""
    table = ''.join(
        f'start={start}MiB, size={size}MiB, type={kind}\n'
        for (start, size), kind in (
            *before,
            (BTRFS, 'L'),
            (LVM, 'V'),
            (BROKEN, 'L'),
            (BROKEN_XFS, 'L'),
        )
    )
    subprocess.run(
        ['sfdisk', '-q', '--wipe=never', path],
        input=f'label: gpt\n{table}'.encode(),
        check=True,
    )


def break_ext4(path):
    """Make an ext4 that says of itself that it has errors, and has."""
    start, size = BROKEN
    subprocess.run(
        [
            *('mke2fs', '-q', '-t', 'ext4', '-O', '^metadata_csum'),
            *('-E', f'offset={start * MIB}', path, f'{size}M'),
        ],
        check=True,
    )
    with open(path, 'r+b') as disk:
        # That it has errors, which the superblock has at 1024: ext4(5).
        disk.seek(start * MIB + 1024 + 58)
        disk.write((2).to_bytes(2, 'little'))
        disk.seek(start * MIB + 4096)
        disk.write(b'\xff' * MIB)


def break_xfs(path):
    """Damage the first allocation group of an XFS, but not its superblock.

    The headers behind that, AGF, AGI and AGFL, are in the next sectors: see
    "XFS Algorithms & Data Structures", 13.
    """
    start, _size = BROKEN_XFS
    with open(path, 'r+b') as disk:
        disk.seek(start * MIB + 512)
        disk.write(b'\xff' * 1536)


def fill_directory(g):
    """More names than should be listed: 18,000 of 250 bytes.

    mke2fs, of the host, would take minutes.
    """
    g.mount('/dev/sda2', '/')
    g.mkdir_p('/etc/ssh')
    g.debug(
        'sh',
        ['cd /sysroot/etc/ssh && seq -f %0250.0f 18000 | xargs touch'],
    )
    g.umount_all()


def fill(g):
    """btrfs with a snapshot that holds a key, and a volume group."""
    g.mkfs('btrfs', '/dev/sda3')
    g.mount('/dev/sda3', '/')
    g.btrfs_subvolume_create('/@')
    g.mkdir_p('/@/etc/ssh')
    g.write('/@/etc/ssh/ssh_host_rsa_key', 'SECRET')
    g.write('/@/etc/machine-id', '0' * 32 + '\n')
    g.mkdir_p('/@/.snapshots/1')
    g.btrfs_subvolume_snapshot('/@', '/@/.snapshots/1/snapshot', ro=True)
    # The file system that is in use is clean.
    g.rm_rf('/@/etc')
    g.umount_all()
    g.pvcreate('/dev/sda4')
    g.vgcreate(GROUP, ['/dev/sda4'])
    g.lvcreate('root', GROUP, 8)
    g.mkfs('ext4', f'/dev/{GROUP}/root')
    g.mkfs('xfs', '/dev/sda6')


# A Rocky whose cloud-init asks nobody for the id of an instance, and makes no
# keys therefore: what would make them waits for it in vain.
_FILES = {
    '/etc/os-release': 'ID=rocky\nVERSION_ID="9.4"\n',
    '/etc/redhat-release': 'Rocky Linux release 9.4 (Blue Onyx)\n',
    '/etc/sysconfig/network': 'x\n',
    '/usr/sbin/sshd': 'x',
    '/usr/bin/cloud-init': 'x',
    '/usr/lib/systemd/systemd': 'x',
    '/usr/lib/systemd/system/sshd-keygen@.service': 'x',
    '/usr/lib/systemd/system/sshd-keygen@.service.d/'
    'disable-sshd-keygen-if-cloud-init-active.conf': 'x',
    '/etc/cloud/cloud.cfg': 'datasource_list: [None]\n',
    '/etc/cloud/cloud.cfg.d/05_logging.cfg': 'x: y\n',
    # Not where it is sought, see links below.
    '/ssh_host_rsa_key': 'SECRET',
    '/srv/wtmp': 'x',
    '/srv/kept': 'x',
    '/elsewhere/bash_history': 'x',
}
_LINKS = {
    '/bin': 'usr/bin',
    # In circles, and to where things are kept.
    '/etc/ssh': '/',
    '/var/log': '../srv',
    '/root/root': '.',
    '/root/.bash_history': '/elsewhere/bash_history',
    # Out of it: of the appliance this is another directory.
    '/root/.cache': '../../../../../../../../tmp',
    '/var/lib/dbus/machine-id': '/etc/machine-id/../passwd',
}


def fill_sealed(g, disk):
    """A root on XFS by UUID, traps for who changes its files, and LVM."""
    g.part_init(disk, 'gpt')
    begin = 2048
    root_end = begin + XFS_SIZE * 2048
    g.part_add(disk, 'p', begin, root_end - 1)
    g.part_add(disk, 'p', root_end, -2048)
    root, physical = f'{disk}1', f'{disk}2'
    g.mkfs('xfs', root)
    g.pvcreate(physical)
    g.vgcreate(ROCKY_GROUP, [physical])
    g.lvcreate('root', ROCKY_GROUP, 8)
    home = f'/dev/{ROCKY_GROUP}/root'
    g.mkfs('ext4', home)
    g.mount(root, '/')
    for path, text in _FILES.items():
        g.mkdir_p(posixpath.dirname(path))
        g.write(path, text)
    for path in ('/etc/systemd', '/home', '/root', '/var/lib/dbus'):
        g.mkdir_p(path)
    for path, target in _LINKS.items():
        g.ln_s(target, path)
    g.write(
        '/etc/fstab',
        f'UUID={g.vfs_uuid(root)} / xfs defaults 0 0\n'
        f'UUID={g.vfs_uuid(home)} /home ext4 defaults 0 0\n',
    )
    g.mkdir('/etc/machine-id')
    g.write('/etc/machine-id/machine-id', '0' * 32)
    # Who opens it waits for somebody who writes, or reads.
    g.mkfifo(0o644, '/etc/hostname')
    g.mount(home, '/home')
    g.mkdir('/home/user')
    g.write('/home/user/.bash_history', 'secret')
    g.umount_all()


def fill_buried(g, disk):
    """An XFS with more mail than can be named: 18,000 of 250 bytes."""
    g.mkfs('xfs', disk)
    g.mount(disk, '/')
    for path in ('/etc', '/bin', '/var/mail'):
        g.mkdir_p(path)
    g.write('/etc/fstab', f'UUID={g.vfs_uuid(disk)} / xfs defaults 0 0\n')
    g.write('/etc/os-release', 'ID=rocky\nVERSION_ID="9.4"\n')
    g.debug(
        'sh', ['cd /sysroot/var/mail && seq -f %0250.0f 18000 | xargs touch']
    )
    g.umount_all()


def main(*disks):
    import guestfs

    g = guestfs.GuestFS(python_return_dict=True)
    for path in disks:
        g.add_drive_opts(path, format='raw', cachemode='unsafe')
    g.launch()
    fill_directory(g)
    fill(g)
    fill_sealed(g, '/dev/sdb')
    fill_buried(g, '/dev/sdc')
    g.shutdown()


if __name__ == '__main__':
    main(*sys.argv[1:])
