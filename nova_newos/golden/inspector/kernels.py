# SPDX-License-Identifier: Apache-2.0
"""Linux kernels, and what they can boot from."""

import posixpath
import shlex
import time

from . import ask
from . import paths

#: Drivers that are looked for in kernels.
DRIVERS = frozenset(('virtio_blk', 'virtio_pci', 'virtio_scsi'))


#: Bytes of a list of built-in drivers, of which real ones have some 40,000.
MAX_BUILTIN = 1 << 20

#: Seconds for all the initramfs of a disk. It takes some for each, ten without
#: KVM; a guest can have an archive that takes hours.
SECONDS = 120

# Says which drivers are in an initramfs: DRIVERS, and .ko if there is any.
# There may be a few archives, uncompressed, before the compressed one: cpio
# stops at the end of each, where the next reader goes on. The appliance has
# all these commands, libguestfs' own initrd_list knows but one of them. What
# does not begin like an archive is not read: cpio would look for one to its
# end. No more is read of an archive than a real one has, and cpio then says
# that it is not complete. sort makes few lines of what may be many.
_LIST_INITRAMFS = """
exec 2> /dev/null
file=%s
for early in true 'cpio -it' 'cpio -it; cpio -it' \
    'cpio -it; cpio -it; cpio -it'; do
  for cat in zstdcat zcat xzcat lz4cat bzcat lzop\\ -dc cat; do
    begin=$( { eval "$early" > /dev/null; $cat | head -c 5; } < "$file")
    [ "$begin" = 07070 ] || continue
    found=$( {
      eval "$early" > /dev/null
      $cat | head -c 1G | { cpio -it || echo incomplete; }
    } < "$file" |
      grep -oE '/virtio_(blk|pci|scsi)[.]ko|[.]ko|^incomplete$' | sort -u)
    case $found in
      *incomplete*.ko*|*.ko*incomplete*) exit 1;;
      *.ko*) echo "$found"; exit;;
    esac
  done
  # What follows is no archive either.
  [ "$begin" = 07070 ] || exit 1
done
exit 1
"""


def kernels(g):
    """Linux kernels and the virtio drivers that they can boot with.

    :returns: list of dict: ``builtin`` and ``initramfs``, lists of those of
        :data:`DRIVERS` that are there, None when it cannot be told
    """
    found = []
    end = time.monotonic() + SECONDS
    images = ask.attempt(paths.matches, g, False, '/boot', 'vmlinuz-*')
    for path in (images or [])[: ask.LIMIT]:
        version = posixpath.basename(path)[len('vmlinuz-') :]
        modules = '/lib/modules/' + version
        # Not a rescue kernel: those are named after another.
        if ask.attempt(g.is_dir, modules, followsymlinks=True):
            found.append(
                {
                    'builtin': _builtin(g, modules + '/modules.builtin'),
                    'initramfs': _initramfs(g, version, end),
                }
            )
    return found


def _builtin(g, path):
    size = ask.attempt(g.filesize, path)
    # A device is no file: to read it may never end.
    if size is None or size > MAX_BUILTIN or not _is_file(g, path):
        return None
    return _virtio(ask.attempt(g.grep, 'virtio', path))


def _is_file(g, path):
    return ask.attempt(g.is_file, path, followsymlinks=True)


def _initramfs(g, version, end):
    for name in ('initrd.img-%s', 'initramfs-%s.img', 'initrd-%s'):
        path = '/boot/' + name % version
        if _is_file(g, path):
            real = ask.attempt(g.realpath, path)
            return real and _virtio(ask.attempt(_list, g, real, end))
    return None


def _list(g, path, end):
    left = int(end - time.monotonic())
    if left < 1:
        return None
    script = _LIST_INITRAMFS % shlex.quote('/sysroot' + path)
    command = 'timeout -k 1 %d sh -c %s' % (left, shlex.quote(script))
    return g.debug('sh', [command]).splitlines()


def _virtio(names):
    if names is None:
        return None
    bases = {posixpath.basename(name).split('.')[0] for name in names}
    return sorted(DRIVERS & bases)
