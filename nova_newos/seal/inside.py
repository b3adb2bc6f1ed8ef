# SPDX-License-Identifier: Apache-2.0
"""Look into a disk, inside the libguestfs appliance, in one boot of it.

A program of its own, for the system's Python: libguestfs' bindings belong to
that, and nova-compute may run with another. Hence no import but theirs and
the standard library's, in Python 3.9::

    /usr/bin/python3 -I inside.py PATH FORMAT PATTERNS

PATTERNS is a JSON object of names to lists of paths with wildcards. On the
standard output comes what :func:`look` returns, as JSON. What cannot be told
is null. Nothing is decided here, and nothing of the guest is run. The disk is
not written: an overlay over it, in LIBGUESTFS_TMPDIR, takes the replay of
journals too.
"""

import fnmatch
import json
import posixpath
import shlex
import sys

#: Exit status when libguestfs' bindings are not installed, as of sysexits.h.
EX_UNAVAILABLE = 69

#: A guest chooses how much there is: of each kind no more than this is told.
MOST = 100

#: Drivers that are looked for in kernels.
DRIVERS = frozenset(('virtio_blk', 'virtio_pci', 'virtio_scsi'))

#: What the boot code of Windows and of syslinux loads.
BIOS_LOADERS = (
    '/bootmgr',
    '/ldlinux.sys',
    '/syslinux/ldlinux.sys',
    '/extlinux/ldlinux.sys',
    '/boot/ldlinux.sys',
    '/boot/syslinux/ldlinux.sys',
    '/boot/extlinux/ldlinux.sys',
)

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


# What libguestfs raises, and its bindings for text that is not UTF-8.
_FAILURES = (RuntimeError, UnicodeError)


def attempt(function, *arguments, **options):
    """What a function of libguestfs returns, or None when it fails.

    Guests are strange: every question may have no answer.
    """
    try:
        return function(*arguments, **options)
    except _FAILURES:
        return None


def succeeds(function, *arguments):
    """Whether a function of libguestfs that returns nothing succeeds."""
    try:
        function(*arguments)
    except _FAILURES:
        return False
    return True


def filesystems(g):
    """Each file system, before anything is mounted.

    :returns: list of dict with its ``type`` and whether it is ``clean``
    """
    return [
        {'type': kind, 'clean': attempt(_is_clean, g, device, kind)}
        for device, kind in _devices(g)
    ]


def _devices(g):
    """Devices with a file system, and its type."""
    for device, kind in sorted((attempt(g.list_filesystems) or {}).items()):
        is_subvolume = device.startswith('btrfsvol:')
        if kind not in ('swap', 'unknown') and not is_subvolume:
            yield device, kind


def _is_clean(g, device, kind):
    if kind in ('ext2', 'ext3', 'ext4'):
        fields = g.tune2fs_l(device)
        state = fields.get('Filesystem state')
        features = fields.get('Filesystem features', '').split()
        return state and (
            state == 'clean' and 'needs_recovery' not in features
        )
    if kind == 'xfs':
        # Without nomodify it refuses a journal that is not empty, and
        # else changes but the overlay.
        return g.xfs_repair(device) == 0
    if kind == 'btrfs':
        if g.feature_available(['btrfs']):
            return succeeds(g.btrfs_fsck, device)
    if kind == 'ntfs':
        return g.ntfs_3g_probe(True, device) == 0
    if kind == 'vfat':
        return g.fsck('vfat', device) == 0
    return None


def boot(g):
    """What could boot, on whichever file system.

    :returns: dict: ``grub``, whether GRUB is in the boot sector;
        ``files``, lower-case paths of boot loaders
    """
    files = set()
    for device, _kind in _devices(g):
        if succeeds(g.mount_ro, device, '/'):
            files.update(_efi_files(g))
            files.update(_bios_files(g))
        attempt(g.umount_all)
    return {'grub': _grub(g), 'files': sorted(files)[:MOST]}


def _grub(g):
    """GRUB's boot.img has its name in it, which other tools look for too."""
    sector = attempt(g.pread_device, '/dev/sda', 440, 0)
    return None if sector is None else b'GRUB' in _bytes(sector)


def _bytes(value):
    # The bindings give text of what is UTF-8.
    if isinstance(value, bytes):
        return value
    return value.encode('utf-8', 'surrogateescape')


def _efi_files(g):
    top = attempt(g.case_sensitive_path, '/efi')
    for directory in (attempt(g.ls, top) or [])[:MOST] if top else []:
        path = posixpath.join(top, directory)
        for name in (attempt(g.ls, path) or [])[:MOST]:
            if name.lower().endswith('.efi'):
                yield posixpath.join('/efi', directory, name).lower()


def _bios_files(g):
    return [path for path in BIOS_LOADERS if attempt(g.is_file, path)]


def systems(g):
    """The operating systems, by libguestfs' inspection.

    :returns: list of dict, each what inspect_get_* say under these names
    """
    names = ('type', 'distro', 'osinfo', 'arch')
    found = []
    for root in attempt(g.inspect_os) or []:
        system = {
            name: _short(attempt(getattr(g, 'inspect_get_' + name), root))
            for name in names
        }
        system['major'] = attempt(g.inspect_get_major_version, root)
        system['root'] = root
        found.append(system)
    return found


def _short(text):
    return text and text[:MOST]


def mount_system(g, root):
    """Mount what the system would.

    :returns: list of mount points that cannot be looked below. A file system
        of this disk that does not mount may be behind any path: then ``/``.
    """
    points = attempt(g.inspect_get_mountpoints, root)
    here = attempt(g.list_filesystems)
    if not points or here is None:
        return ['/']
    missing = []
    for point, device in sorted(points.items(), key=lambda item: len(item[0])):
        if not succeeds(g.mount_ro, device, point):
            missing.append('/' if device in here else point)
    return missing


def paths(g, windows, patterns, missing=()):
    """Which files there are.

    :param patterns: dict of name to list of paths with wildcards
    :param missing: as of :func:`mount_system`
    :returns: dict of name to dict of path to its size; None instead of a dict
        when it cannot be told of one of the name's patterns
    """
    found = {}
    for name, wanted in patterns.items():
        if any(_is_below(pattern, missing) for pattern in wanted):
            found[name] = None
        else:
            found[name] = attempt(_sizes, g, windows, wanted)
    return found


def _is_below(pattern, points):
    return any(
        pattern.startswith(posixpath.join(point, '')) for point in points
    )


def _sizes(g, windows, patterns):
    matches = []
    for pattern in patterns:
        matches += _glob(g, windows, pattern)
    return {path: attempt(g.filesize, path) for path in matches[:MOST]}


def _glob(g, windows, pattern):
    """Matches of a pattern, on Windows in whatever case.

    Not by glob_expand: to that a directory that cannot be read is empty.
    """
    found = ['/']
    for part in pattern.strip('/').split('/'):
        found = [
            path
            for directory in found
            for path in _matches(g, windows, directory, part)
        ]
    return found


def _matches(g, windows, directory, pattern):
    try:
        names = g.ls(directory)
    except UnicodeError:
        # It was read, and one name is enough for this.
        found = g.glob_expand(posixpath.join(directory, pattern))
        return [path.rstrip('/') for path in found]
    if windows:
        pattern = pattern.lower()
    return [
        posixpath.join(directory, name)
        for name in names
        if fnmatch.fnmatchcase(name.lower() if windows else name, pattern)
    ]


def kernels(g):
    """Linux kernels and the virtio drivers that they can boot with.

    :returns: list of dict: ``builtin`` and ``initramfs``, lists of those of
        :data:`DRIVERS` that are there, None when it cannot be told
    """
    found = []
    for path in (attempt(g.glob_expand, '/boot/vmlinuz-*') or [])[:MOST]:
        version = posixpath.basename(path)[len('vmlinuz-') :]
        modules = '/lib/modules/' + version
        # Not a rescue kernel: those are named after another.
        if attempt(g.is_dir, modules, followsymlinks=True):
            found.append(
                {
                    'builtin': _virtio(
                        attempt(g.grep, 'virtio', modules + '/modules.builtin')
                    ),
                    'initramfs': _virtio(_initramfs(g, version)),
                }
            )
    return found


def _initramfs(g, version):
    for name in ('initrd.img-%s', 'initramfs-%s.img', 'initrd-%s'):
        path = '/boot/' + name % version
        if attempt(g.is_file, path, followsymlinks=True):
            real = attempt(g.realpath, path)
            listed = real and attempt(g.initrd_list, real)
            if listed and any('.ko' in name for name in listed):
                return listed
            return real and attempt(_list_initramfs, g, real)
    return None


def _list_initramfs(g, path):
    quoted = shlex.quote('/sysroot' + path)
    return g.debug('sh', [_LIST_INITRAMFS % quoted]).splitlines()


def _virtio(names):
    if names is None:
        return None
    bases = {posixpath.basename(name).split('.')[0] for name in names}
    return sorted(DRIVERS & bases)


def look(g, patterns):
    """All of it.

    :param g: a guestfs.GuestFS that is launched
    :returns: dict
    """
    found = {'filesystems': filesystems(g), 'boot': boot(g)}
    found['systems'] = systems(g)
    # Of several systems none is the one that was installed.
    if len(found['systems']) == 1:
        [system] = found['systems']
        windows = system['type'] == 'windows'
        found['missing'] = mount_system(g, system['root'])
        found['paths'] = paths(g, windows, patterns, found['missing'])
        found['missing'] = [_short(point) for point in found['missing'][:MOST]]
        if windows:
            found['image_state'] = attempt(image_state, g, system['root'])
        else:
            found['kernels'] = kernels(g)
    return found


def image_state(g, root):
    r"""Windows' own word for whether it is generalized.

    HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State, ImageState;
    see "Windows Setup States" in Microsoft's documentation.
    """
    g.hivex_open(g.inspect_get_windows_software_hive(root))
    node = g.hivex_root()
    for name in ('Microsoft', 'Windows', 'CurrentVersion', 'Setup', 'State'):
        node = g.hivex_node_get_child(node, name)
    value = g.hivex_node_get_value(node, 'ImageState')
    return g.hivex_value_string(value)


def add_overlay(g, path, disk_format):
    """Add the disk as one that is not written.

    Not with readonly: libguestfs then makes an overlay too, but names no
    format of what is in it, so QEMU goes by the guest's first bytes. Those
    could be the header of an image with any file of the host behind it.
    """
    overlay = posixpath.join(g.get_tmpdir(), 'look.qcow2')
    g.disk_create(
        overlay, 'qcow2', -1, backingfile=path, backingformat=disk_format
    )
    g.add_drive_opts(overlay, format='qcow2', cachemode='unsafe')


def main(path, disk_format, patterns):
    try:
        import guestfs
    except ImportError as error:
        print(error, file=sys.stderr)
        return EX_UNAVAILABLE
    g = guestfs.GuestFS(python_return_dict=True)
    try:
        add_overlay(g, path, disk_format)
        g.launch()
    except RuntimeError as error:
        print('error:', error, file=sys.stderr)
        return 1
    print(json.dumps(look(g, json.loads(patterns))))
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
