# SPDX-License-Identifier: Apache-2.0
"""Linux kernels, and what they can boot from."""

import posixpath
import shlex

from . import ask

#: Drivers that are looked for in kernels.
DRIVERS = frozenset(('virtio_blk', 'virtio_pci', 'virtio_scsi'))


# Lists the names in an initramfs. There may be a few archives, uncompressed,
# before the compressed one: cpio stops at the end of each, where the next
# reader goes on. The appliance has all these commands, libguestfs' own
# initrd_list knows but one of them.
_LIST_INITRAMFS = """
for early in true 'cpio -it' 'cpio -it; cpio -it' \
    'cpio -it; cpio -it; cpio -it'; do
  for cat in zstdcat zcat xzcat lz4cat bzcat lzop\\ -dc cat; do
    names=$( ( eval "$early"; $cat | cpio -it ) < %s 2>/dev/null ) &&
      case $names in *.ko*) echo "$names"; exit;; esac
  done
done
exit 1
"""


def kernels(g):
    """Linux kernels and the virtio drivers that they can boot with.

    :returns: list of dict: ``builtin`` and ``initramfs``, lists of those of
        :data:`DRIVERS` that are there, None when it cannot be told
    """
    found = []
    for path in (ask.attempt(g.glob_expand, '/boot/vmlinuz-*') or [])[
        : ask.LIMIT
    ]:
        version = posixpath.basename(path)[len('vmlinuz-') :]
        modules = '/lib/modules/' + version
        # Not a rescue kernel: those are named after another.
        if ask.attempt(g.is_dir, modules, followsymlinks=True):
            found.append(
                {
                    'builtin': _virtio(
                        ask.attempt(
                            g.grep, 'virtio', modules + '/modules.builtin'
                        )
                    ),
                    'initramfs': _virtio(_initramfs(g, version)),
                }
            )
    return found


def _initramfs(g, version):
    for name in ('initrd.img-%s', 'initramfs-%s.img', 'initrd-%s'):
        path = '/boot/' + name % version
        if ask.attempt(g.is_file, path, followsymlinks=True):
            real = ask.attempt(g.realpath, path)
            listed = real and ask.attempt(g.initrd_list, real)
            if listed and any('.ko' in name for name in listed):
                return listed
            return real and ask.attempt(_list_initramfs, g, real)
    return None


def _list_initramfs(g, path):
    quoted = shlex.quote('/sysroot' + path)
    return g.debug('sh', [_LIST_INITRAMFS % quoted]).splitlines()


def _virtio(names):
    if names is None:
        return None
    bases = {posixpath.basename(name).split('.')[0] for name in names}
    return sorted(DRIVERS & bases)
