# SPDX-License-Identifier: Apache-2.0
"""What subvolumes of btrfs hold that the system does not mount.

Those are its snapshots, for the most part: snapper makes them on SUSE, of the
root file system with all that identifies the host.
"""

import glob

from . import ask
from . import paths

_BTRFS = 'btrfs'
_TOP = 5


def look(g, root, kinds, patterns):
    """Look for files in all of them, when nothing is mounted.

    :param root: of the system, see :func:`.systems.systems`
    :param kinds: as of :func:`.filesystems.devices`
    :param patterns: as of :func:`.paths.paths`
    :returns: dict of name to dict of path to its size; None instead of a dict
        when it cannot be told
    """
    found = {name: {} for name in patterns}
    mounted = ask.attempt(g.inspect_get_mountpoints, root)
    for device, kind in kinds.items():
        if kind != _BTRFS:
            continue
        used = None if mounted is None else set(mounted.values())
        held = used and ask.attempt(_held, g, device, used, patterns)
        for name in patterns:
            if not held or held[name] is None or found[name] is None:
                found[name] = None
            else:
                found[name].update(held[name])
        ask.attempt(g.umount_all)
    return found


def _held(g, device, used, patterns):
    g.mount_options('ro,subvolid=%d' % _TOP, device, '/')
    default = _TOP
    if device in used:
        default = g.btrfs_subvolume_get_default('/')
    found = {name: {} for name in patterns}
    tops = _tops(g, device, used, default)
    if len(tops) > ask.LIMIT:
        return dict.fromkeys(patterns)
    for top in tops:
        below = {
            name: [glob.escape(top) + path for path in wanted]
            for name, wanted in patterns.items()
        }
        for name, sizes in paths.paths(g, False, below).items():
            if sizes is None or found[name] is None:
                found[name] = None
            else:
                found[name].update(sizes)
    return found


def _tops(g, device, used, default):
    """Paths of the subvolumes that the system does not mount."""
    known = {_TOP: ''}
    for each in g.btrfs_subvolume_list('/'):
        known[each['btrfssubvolume_id']] = '/' + each['btrfssubvolume_path']
    return [
        path
        for number, path in known.items()
        if not (device in used and number == default)
        and 'btrfsvol:%s%s' % (device, path) not in used
    ]
