# SPDX-License-Identifier: Apache-2.0
"""A disk as a hostile guest would make it; one of many cases.

The root file system and the table of partitions are made with tools of the
host, the rest in an appliance of its own::

    /usr/bin/python3 -I corpus.py PATH
"""

import subprocess
import sys

MIB = 1 << 20

#: Partitions behind those of guest.py, in MiB: where they begin, their size.
BTRFS = (280, 128)
LVM = (410, 16)
BROKEN = (430, 8)
SIZE = 440

#: What the host could have too.
GROUP = 'debian-vg'

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


def main(path):
    import guestfs

    g = guestfs.GuestFS(python_return_dict=True)
    g.add_drive_opts(path, format='raw', cachemode='unsafe')
    g.launch()
    fill_directory(g)
    fill(g)
    g.shutdown()


if __name__ == '__main__':
    main(sys.argv[1])
