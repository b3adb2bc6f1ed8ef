# SPDX-License-Identifier: Apache-2.0
"""What is on the disk, and in what state."""

import shlex

from . import ask

#: What blkid(8) calls a disk or partition that LVM has.
LVM = 'LVM2_member'


#: More partitions and volumes than this are not looked into: of each several
#: commands are run. It is many times what an installer makes.
MAX_DEVICES = 48


def devices(g):
    """Everything that could hold a file system.

    Not by list_filesystems, which asks parted and sfdisk about each partition:
    as much work as half a boot, and inspect_os calls it once more.

    :returns: dict of device to what is in it, as of blkid(8), or ''; in the
        order of the devices; None if there are more than :data:`MAX_DEVICES`
    """
    partitions = ask.attempt(g.list_partitions) or []
    if len(partitions) > MAX_DEVICES:
        return None
    partitioned = {ask.attempt(g.part_to_dev, name) for name in partitions}
    disks = [
        *(ask.attempt(g.list_devices) or []),
        *(ask.attempt(g.list_md_devices) or []),
    ]
    found = _kinds(
        g,
        [
            *(name for name in disks if name not in partitioned),
            *partitions,
            *(ask.attempt(g.list_dm_devices) or []),
            *(ask.attempt(g.list_ldm_volumes) or []),
        ],
    )
    if LVM in found.values():
        found.update(_kinds(g, ask.attempt(g.lvs) or []))
    if len(found) > MAX_DEVICES:
        return None
    return dict(sorted(found.items()))


def _kinds(g, names):
    # One too many is enough.
    names = names[: MAX_DEVICES + 1]
    return {name: ask.attempt(g.vfs_type, name) or '' for name in names}


def mountable(kinds):
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
        {'type': kind, 'clean': ask.attempt(_is_clean, g, device, kind, write)}
        for device, kind in mountable(kinds)
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
        # Only with nomodify its status tells of damage, and only without it
        # refuses a journal that is not empty; then it changes but the
        # overlay. If that is not one, the journal was emptied when it was
        # mounted. See xfs_repair(8), "EXIT STATUS".
        is_sound = g.xfs_repair(device, nomodify=True) == 0
        return is_sound and (write or g.xfs_repair(device) == 0)
    if kind == 'btrfs':
        if g.feature_available(['btrfs']):
            return ask.succeeds(g.btrfs_fsck, device)
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
