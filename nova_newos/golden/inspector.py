# SPDX-License-Identifier: Apache-2.0
"""Inspect a disk inside the libguestfs appliance, and finish it there.

A program of its own, for the system's Python: libguestfs' bindings belong to
that, and nova-compute may run with another. Hence no import but theirs and
the standard library's, in Python 3.9::

    /usr/bin/python3 -I inspector.py PATH FORMAT PLAN

PLAN is JSON, see :func:`inspect`. On the standard output comes what that
returns, as JSON. What cannot be told is null. Nothing of the guest is run, and
whether the disk may become an image is not decided here.

All is done in one boot of the appliance, and each question is asked once:
without KVM a boot takes as long as all the questions, and each command that
the appliance runs some tenths of a second.
"""

import fnmatch
import json
import os
import posixpath
import shlex
import sys

#: Exit status when libguestfs' bindings are not installed, as of sysexits.h.
EX_UNAVAILABLE = 69

#: A guest chooses how much there is: of each kind no more than this is told.
LIMIT = 100

#: What blkid(8) calls a disk or partition that LVM has.
LVM = 'LVM2_member'

#: Begins the name of a volume that takes the free room of a volume group for
#: a moment.
SPARE_VOLUME = 'newos-discarded-'

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


def devices(g):
    """Everything that could hold a file system.

    Not by list_filesystems, which asks parted and sfdisk about each partition:
    as much work as half a boot, and inspect_os calls it once more.

    :returns: dict of device to what is in it, as of blkid(8), or ''; in the
        order of the devices
    """
    partitions = attempt(g.list_partitions) or []
    partitioned = {attempt(g.part_to_dev, name) for name in partitions}
    disks = [
        *(attempt(g.list_devices) or []),
        *(attempt(g.list_md_devices) or []),
    ]
    found = _kinds(
        g,
        [
            *(name for name in disks if name not in partitioned),
            *partitions,
            *(attempt(g.list_dm_devices) or []),
            *(attempt(g.list_ldm_volumes) or []),
        ],
    )
    if LVM in found.values():
        found.update(_kinds(g, attempt(g.lvs) or []))
    return dict(sorted(found.items()))


def _kinds(g, names):
    return {name: attempt(g.vfs_type, name) or '' for name in names}


def _filesystems(kinds):
    """Those of the devices with a file system, also with one that is hidden.

    An encrypted one cannot be mounted, and nothing can be told of it.
    """
    return [
        (device, kind)
        for device, kind in kinds.items()
        if kind not in ('', 'unknown', 'swap', 'swsuspend')
        and not kind.endswith('_member')
    ]


def filesystems(g, kinds, write=False):
    """The state of each file system, when nothing is mounted.

    :param kinds: as of :func:`devices`
    :param write: whether what is written stays: then nothing is
    :returns: list of dict with its ``type`` and whether it is ``clean``
    """
    return [
        {'type': kind, 'clean': attempt(_is_clean, g, device, kind, write)}
        for device, kind in _filesystems(kinds)
    ]


def _is_clean(g, device, kind, write):
    if kind in ('ext2', 'ext3', 'ext4'):
        fields = g.tune2fs_l(device)
        state = fields.get('Filesystem state')
        features = fields.get('Filesystem features', '').split()
        return state and (
            state == 'clean' and 'needs_recovery' not in features
        )
    if kind == 'xfs':
        # Without nomodify it refuses a journal that is not empty, and else
        # changes but the overlay. If that is not one, the journal was emptied
        # when it was mounted.
        return g.xfs_repair(device, nomodify=write) == 0
    if kind == 'btrfs':
        if g.feature_available(['btrfs']):
            return succeeds(g.btrfs_fsck, device)
    if kind == 'ntfs':
        return g.ntfs_3g_probe(True, device) == 0
    if kind == 'vfat':
        # It corrects what it finds, and has no option to leave it.
        status = (_check_vfat if write else _repair_vfat)(g, device)
        return None if status is None else status == 0
    return None


def _repair_vfat(g, device):
    return g.fsck('vfat', device)


def _check_vfat(g, device):
    # By its UUID: in the appliance the device may have another name.
    command = (
        'fsck.vfat -n "$(blkid -U %s)" > /dev/null 2>&1; echo $?'
        % shlex.quote(g.vfs_uuid(device))
    )
    status = int(g.debug('sh', [command]))
    # fsck.fat(8): 2 and more say nothing about the file system.
    return status if status < 2 else None


def boot(g, kinds, discard=False):
    """What could boot, on whichever file system.

    :param kinds: as of :func:`devices`
    :param discard: whether to discard what the file systems do not use, while
        they are mounted
    :returns: dict: ``grub``, whether GRUB is in the boot sector;
        ``files``, lower-case paths of boot loaders
    """
    files = set()
    for device, _kind in _filesystems(kinds):
        is_written = discard and succeeds(
            g.mount_options, 'discard', device, '/'
        )
        if is_written or succeeds(g.mount_ro, device, '/'):
            files.update(_efi_files(g))
            files.update(_bios_files(g))
        if is_written:
            _trim(g, device)
        attempt(g.umount_all)
    return {'grub': _grub(g), 'files': sorted(files)[:LIMIT]}


def _trim(g, device):
    try:
        g.fstrim('/')
    except RuntimeError as error:
        # Not each file system can be trimmed, and no read-only volume.
        is_read_only = attempt(g.blockdev_getro, device)
        if 'not supported' not in str(error) and not is_read_only:
            raise


def discard_unmounted(g, kinds):
    """Discard what no file system covers: swap, and room in volume groups."""
    for device, kind in kinds.items():
        if kind == 'swap':
            _discard_swap(g, device)
    if LVM in kinds.values():
        for group in attempt(g.vgs) or []:
            # A name that no guest can have a volume of.
            name = SPARE_VOLUME + os.urandom(4).hex()
            if succeeds(g.lvcreate_free, name, group, 100):
                volume = '/dev/%s/%s' % (group, name)
                try:
                    g.blkdiscard(volume)
                finally:
                    g.lvremove(volume)


def _discard_swap(g, device):
    # The header has the label and the UUID, by which the guest finds it.
    header = attempt(g.pread_device, device, 4096, 0)
    header = header and _bytes(header)
    if header and header.endswith(b'SWAPSPACE2'):
        g.blkdiscard(device)
        g.pwrite_device(device, header, 0)


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
    for directory in (attempt(g.ls, top) or [])[:LIMIT] if top else []:
        path = posixpath.join(top, directory)
        for name in (attempt(g.ls, path) or [])[:LIMIT]:
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
    return text and text[:LIMIT]


def mount_system(g, root, kinds, write=False):
    """Mount what the system would.

    :param kinds: as of :func:`devices`
    :param write: whether to mount so that it can be written
    :returns: list of mount points that cannot be looked below. A file system
        of this disk that does not mount may be behind any path: then ``/``.
    """
    points = attempt(g.inspect_get_mountpoints, root)
    if not points:
        return ['/']
    mount = g.mount if write else g.mount_ro
    missing = []
    for point, device in sorted(points.items(), key=lambda item: len(item[0])):
        if not succeeds(mount, device, point):
            is_here = _is_here(g, device, kinds)
            missing.append(point if is_here is False else '/')
    return missing


def _is_here(g, device, kinds):
    """Whether a device is on this disk; None when it cannot be told."""
    if not device.startswith('btrfsvol:'):
        return device in kinds if kinds else None
    listed = attempt(g.list_filesystems)
    return None if listed is None else device in listed


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
    return {path: attempt(g.filesize, path) for path in matches[:LIMIT]}


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
    for path in (attempt(g.glob_expand, '/boot/vmlinuz-*') or [])[:LIMIT]:
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


def edit(g, edits, found):
    """Change files of the system that is mounted.

    :param edits: list of dict as of ``nova_newos.golden.base.Edit``
    :param found: dict as of :func:`paths`, to decide which are made
    :returns: list of the paths of those that were made
    """
    made = []
    for each in edits:
        # What cannot be told is neither found nor not found.
        if all(found[name] for name in each['if_found']) and all(
            found[name] == {} for name in each['unless_found']
        ):
            _edit_path(g, each['path'], each['content'], each['link'])
            made.append(each['path'])
    return made


def _edit_path(g, path, content, link):
    if content is None:
        _remove(g, path)
        return
    g.mkdir_p(posixpath.dirname(path))
    # To a file that is there: it keeps its mode and its SELinux label.
    g.write(path, content)
    if link is not None:
        g.mkdir_p(posixpath.dirname(link))
        g.ln_sf(path, link)


def _remove(g, path):
    try:
        matches = g.glob_expand(path)
    except UnicodeError:
        # Names that are not UTF-8 cannot be named: the directory goes with
        # them, and comes back as it was.
        directory = posixpath.dirname(path)
        state = g.statns(directory)
        g.rm_rf(directory)
        g.mkdir_mode(directory, state['st_mode'] & 0o7777)
        g.chown(state['st_uid'], state['st_gid'], directory)
        return
    for match in matches:
        g.rm_rf(match.rstrip('/'))


def inspect(g, plan):
    """Inspect a disk, and do what is planned.

    :param g: a guestfs.GuestFS that is launched
    :param plan: dict: ``write``, whether what is done here stays; ``discard``,
        whether to discard what is not used; ``asked``, name of each sealer to
        a dict of its ``patterns``, as of :func:`paths`, and ``edits``, as of
        :func:`edit`; ``patterns``, of which is said what is there at the end
    :returns: dict: ``filesystems``, ``boot``, ``systems``, and of a disk with
        one system ``missing``, ``paths``, ``asked`` (name to ``paths``, as
        they were before, and ``edited``) and ``kernels`` or ``image_state``
    """
    kinds = devices(g)
    # LVM makes volumes with it.
    if LVM not in kinds.values():
        stop_udev(g)
    found = {}
    if not plan['write']:
        # First: who mounts a file system, read-only too, replays its journal.
        found['filesystems'] = filesystems(g, kinds)
    found['systems'] = systems(g)
    # Of several systems none is the one that was installed.
    if len(found['systems']) == 1:
        found.update(_inspect_system(g, found['systems'][0], kinds, plan))
        attempt(g.umount_all)
    found['boot'] = boot(g, kinds, plan['discard'])
    if plan['discard']:
        discard_unmounted(g, kinds)
    if plan['write']:
        # Last: as the image will have them.
        found['filesystems'] = filesystems(g, kinds, write=True)
    return found


def _inspect_system(g, system, kinds, plan):
    windows = system['type'] == 'windows'
    root = system['root']
    # Of Windows nothing is changed, and NTFS may not be for writing.
    missing = mount_system(g, root, kinds, plan['write'] and not windows)
    found = {'asked': {}}
    for name, asked in plan['asked'].items():
        known = paths(g, windows, asked['patterns'], missing)
        edited = []
        if not windows and '/' not in missing:
            edited = edit(g, asked['edits'], known)
        found['asked'][name] = {'paths': known, 'edited': edited}
    found['paths'] = paths(g, windows, plan['patterns'], missing)
    found['missing'] = [_short(point) for point in missing[:LIMIT]]
    if windows:
        found['image_state'] = attempt(image_state, g, root)
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


def add_disk(g, path, disk_format, plan):
    """Add the disk, or an overlay if it must not be written.

    Not with readonly: libguestfs then makes an overlay too, but names no
    format of what is in it, so QEMU goes by the guest's first bytes. Those
    could be the header of an image with any file of the host behind it.
    """
    # Unsafe: after a crash of the host nobody wants the copy.
    options = {'cachemode': 'unsafe'}
    if plan['discard']:
        options['discard'] = 'enable'
    if not plan['write']:
        overlay = posixpath.join(g.get_tmpdir(), 'inspected.qcow2')
        g.disk_create(
            overlay, 'qcow2', -1, backingfile=path, backingformat=disk_format
        )
        path, disk_format = overlay, 'qcow2'
    g.add_drive_opts(path, format=disk_format, **options)


def stop_udev(g):
    """End udev in the appliance.

    It has made its links when the appliance is up. Later it only looks at the
    disk again each time that parted has opened it, and libguestfs waits until
    it has: a fifth of the work of list_filesystems, which inspect_os calls.
    """
    attempt(g.debug, 'sh', ['udevadm control --exit'])


def main(path, disk_format, plan):
    try:
        import guestfs
    except ImportError as error:
        print(error, file=sys.stderr)
        return EX_UNAVAILABLE
    plan = json.loads(plan)
    g = guestfs.GuestFS(python_return_dict=True)
    try:
        add_disk(g, path, disk_format, plan)
        g.launch()
        found = inspect(g, plan)
        # It fails if not all has reached the disk.
        g.shutdown()
    except _FAILURES as error:
        print('error:', error, file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
