# SPDX-License-Identifier: Apache-2.0
"""The operating system, and what it mounts."""

from . import ask

_FSTAB = '/etc/fstab'
_MAX_FSTAB = 1 << 16

# Types of file systems that have nothing on a disk of the image.
_ELSEWHERE = frozenset(
    (
        '9p',
        'ceph',
        'cifs',
        'debugfs',
        'devpts',
        'devtmpfs',
        'hugetlbfs',
        'nfs',
        'nfs4',
        'proc',
        'securityfs',
        'smb3',
        'swap',
        'sysfs',
        'tmpfs',
        'virtiofs',
    )
)


def systems(g):
    """The operating systems, by libguestfs' inspection.

    :returns: list of dict, each what inspect_get_* say under these names
    """
    names = ('type', 'distro', 'osinfo', 'arch')
    found = []
    for root in ask.attempt(g.inspect_os) or []:
        system = {
            name: ask.short(
                ask.attempt(getattr(g, 'inspect_get_' + name), root)
            )
            for name in names
        }
        system['major'] = ask.attempt(g.inspect_get_major_version, root)
        system['root'] = root
        found.append(system)
    return found


def without_copies(found, kinds):
    """Leave out snapshots of the installed system, which are systems too.

    :param found: as of :func:`systems`
    :param kinds: as of :func:`.filesystems.devices`
    :returns: list like the argument. If all are on one btrfs, and one is what
        it mounts by default, as SUSE has it, then of that one only.
    """
    for device, kind in kinds.items():
        prefix = 'btrfsvol:%s/' % device
        if kind == 'btrfs' and all(
            each['root'] == device or each['root'].startswith(prefix)
            for each in found
        ):
            installed = [each for each in found if each['root'] == device]
            return installed or found
    return found


def mount_system(g, root, kinds, write=False):
    """Mount what the system would.

    :param kinds: as of :func:`.filesystems.devices`
    :param write: whether to mount so that it can be written
    :returns: list of dict, one of each that is missing: ``point``, where it
        should be mounted; ``device``, as libguestfs calls it, None when it is
        not known; ``reason``, libguestfs' own words; ``host``, whether the
        appliance does not know such file systems; ``hides``, what cannot be
        looked below: a file system of this disk may be behind any path, then
        it is ``/``
    """
    points = ask.attempt(g.inspect_get_mountpoints, root)
    if not points:
        return [_missing('/', None, 'mount points are not known', False, '/')]
    mount = g.mount if write else g.mount_ro
    missing = []
    for point, device in sorted(points.items(), key=lambda item: len(item[0])):
        reason = ask.failure(mount, device, point)
        if reason is not None:
            hides = point if _is_here(g, device, kinds) is False else '/'
            is_host = _is_unknown(g, kinds.get(device))
            missing.append(_missing(point, device, reason, is_host, hides))
    return missing + _unresolved(g, points)


def _unresolved(g, points):
    """What the system mounts and libguestfs says nothing of.

    It leaves out what it cannot find by UUID or label, all PARTUUIDs and
    PARTLABELs, and bind mounts. See fstab(5).
    """
    missing = []
    for line in (ask.attempt(_fstab, g) or '').splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith('#'):
            continue
        device, point, kind, options = fields[:4]
        if (
            point.startswith('/')
            and point not in points
            and kind not in _ELSEWHERE
            and 'noauto' not in options.split(',')
        ):
            missing.append(
                _missing(point, device, 'device not found', False, point)
            )
    return missing


def _fstab(g):
    if g.filesize(_FSTAB) > _MAX_FSTAB or not g.is_file(_FSTAB):
        raise RuntimeError(_FSTAB)
    return ask.as_bytes(g.read_file(_FSTAB)).decode(errors='replace')


def hidden(missing):
    """What cannot be looked below, of what :func:`mount_system` returns."""
    return [each['hides'] for each in missing]


def _missing(point, device, reason, host, hides):
    return {
        'point': ask.short(point),
        'device': ask.short(device),
        'reason': reason[: 5 * ask.LIMIT],
        'host': host,
        # Not cut: it is compared.
        'hides': hides,
    }


def _is_unknown(g, kind):
    """Whether the appliance's kernel cannot mount such file systems."""
    if not kind:
        return False
    return ask.attempt(g.filesystem_available, kind) in (False, 0)


def _is_here(g, device, kinds):
    """Whether a device is on this disk; None when it cannot be told."""
    if not device.startswith('btrfsvol:'):
        return device in kinds if kinds else None
    listed = ask.attempt(g.list_filesystems)
    return None if listed is None else device in listed


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
