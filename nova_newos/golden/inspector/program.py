# SPDX-License-Identifier: Apache-2.0
"""One disk: add it, inspect it, finish it."""

import json
import posixpath
import resource
import sys

from . import EX_UNAVAILABLE
from . import answers
from . import ask
from . import boot
from . import cloud_init
from . import discarding
from . import edits
from . import filesystems
from . import kernels
from . import paths
from . import snapshots
from . import systems

# Bytes of a file that this process may write from when the appliance is up. In
# such files libguestfs has the names in a directory before it makes a list of
# them: of a guest's directories no more than this gets into memory. It is many
# times what any that is looked into has.
_MAX_FILE = 4 << 20


def inspect(g, plan):
    """Inspect a disk, and do what is planned.

    :param g: a guestfs.GuestFS that is launched
    :param plan: dict: ``write``, whether what is done here stays; ``discard``,
        whether to discard what is not used; ``asked``, name of each sealer to
        a dict of its ``patterns``, as of :func:`.paths.paths`, and ``edits``,
        as of :func:`.edits.edit`; ``patterns``, of which is said what is there
        at the end; ``everywhere``, names of those that are looked for in
        snapshots too; or ``answers``, true to look for an installer's answers
        and nothing else
    :returns: dict: ``filesystems``, ``boot``, ``systems``, and of a disk with
        one system ``missing``, ``paths``, ``asked`` (name to ``paths``, as
        they were before, and ``edited``), ``snapshots``, as of
        :func:`.snapshots.look`, and ``kernels`` and ``cloud_init``, as of
        :func:`.cloud_init.look`, or ``image_state``.
        Of a disk with too many partitions to look into ``crowded`` is true.
        Of answers just ``answers``, as of :func:`.answers.look`.
    """
    if plan.get('answers'):
        return {'answers': _answers(g)}
    kinds = filesystems.devices(g)
    if kinds is None:
        nothing = {'grub': None, 'files': []}
        return {
            'crowded': True,
            'filesystems': [],
            'systems': [],
            'boot': nothing,
        }
    # LVM makes volumes with it.
    if filesystems.LVM not in kinds.values():
        stop_udev(g)
    found = {}
    if not plan['write']:
        # First: who mounts a file system, read-only too, replays its journal.
        found['filesystems'] = filesystems.filesystems(g, kinds)
    found['systems'] = systems.without_copies(systems.systems(g), kinds)
    # Of several systems none is the one that was installed.
    if len(found['systems']) == 1:
        [system] = found['systems']
        found.update(_inspect_system(g, system, kinds, plan))
        ask.attempt(g.umount_all)
        found['snapshots'] = snapshots.look(
            g,
            system['root'],
            kinds,
            {name: plan['patterns'][name] for name in plan['everywhere']},
        )
    found['boot'] = boot.boot(g, kinds, plan['discard'])
    if plan['discard']:
        discarding.discard_unmounted(g, kinds)
    if plan['write']:
        # Last: as the image will have them.
        found['filesystems'] = filesystems.filesystems(g, kinds, write=True)
    return found


def _answers(g):
    kinds = filesystems.devices(g)
    if kinds is None:
        return {}
    found = systems.without_copies(systems.systems(g), kinds)
    if len(found) != 1 or found[0]['type'] == 'windows':
        return {}
    systems.mount_system(g, found[0]['root'], kinds)
    return answers.look(g)


def _inspect_system(g, system, kinds, plan):
    windows = system['type'] == 'windows'
    root = system['root']
    # Of Windows nothing is changed, and NTFS may not be for writing.
    missing = systems.mount_system(
        g, root, kinds, plan['write'] and not windows
    )
    hidden = systems.hidden(missing)
    found = {'asked': {}}
    for name, asked in plan['asked'].items():
        known = paths.paths(g, windows, asked['patterns'], hidden)
        edited = []
        if not windows and '/' not in hidden:
            edited = edits.edit(g, asked['edits'], known)
        found['asked'][name] = {'paths': known, 'edited': edited}
    found['paths'] = paths.paths(g, windows, plan['patterns'], hidden)
    found['missing'] = missing[: ask.LIMIT]
    if windows:
        found['image_state'] = ask.attempt(systems.image_state, g, root)
    else:
        found['kernels'] = kernels.kernels(g)
        found['cloud_init'] = cloud_init.look(g)
    return found


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


def limit_files():
    """Have this process write no large files; QEMU runs already, and may."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE, hard))


def stop_udev(g):
    """End udev in the appliance.

    It has made its links when the appliance is up. Later it only looks at the
    disk again each time that parted has opened it, and libguestfs waits until
    it has: a fifth of the work of list_filesystems, which inspect_os calls.
    """
    ask.attempt(g.debug, 'sh', ['udevadm control --exit'])


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
        g.set_network(False)
        g.launch()
        limit_files()
        found = inspect(g, plan)
        # It fails if not all has reached the disk.
        g.shutdown()
    except ask.FAILURES as error:
        print('error:', error, file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0
