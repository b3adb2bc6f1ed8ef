# SPDX-License-Identifier: Apache-2.0
"""The probe as a disk image that boots, with nothing installed before."""

from pathlib import Path

from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import host
from devstack.onebox.media import kernel
from devstack.onebox.media import probe

SECTORS = 131072


def obtain_disk(store, say, name, origin):
    """Return the path of a raw disk image with the probe.

    :param name: of the product; without its suffix it is also the marker
        that tells this disk from others
    :param origin: what the probe takes itself to be booted from, see
        guest/probe-init
    """
    directory = kernel.obtain(store, say)
    key = cache.key_of(
        probe.recipe(directory), Path(__file__).read_bytes(), origin
    )

    def build(target):
        say(f'making {name}')
        grub.write_bios_image(target, f'probe.from={origin}')
        with target.open('r+b') as image:
            image.truncate((grub.FIRST_SECTOR + SECTORS) * grub.SECTOR)
        _fill_partition(
            target,
            {
                'boot/vmlinuz': directory / 'vmlinuz',
                'boot/initrd.img': probe.write_initrd(target, directory),
                'probe/marker': _text(target, 'marker', Path(name).stem),
                'probe/boots': _text(target, 'boots', '0'),
            },
        )

    return store.product(name, key, build)


def _fill_partition(target, files):
    partition = f'{target}@@{grub.FIRST_SECTOR * grub.SECTOR}'
    geometry = ('-T', str(SECTORS), '-H', str(grub.FIRST_SECTOR))
    host.run('mformat', '-i', partition, *geometry, '::')
    host.run('mmd', '-i', partition, '::/boot', '::/probe')
    for name, source in files.items():
        host.run('mcopy', '-i', partition, source, f'::/{name}')


def _text(target, name, text):
    path = target.with_name(name)
    path.write_text(f'{text}\n')
    return path
