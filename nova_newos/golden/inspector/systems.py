# SPDX-License-Identifier: Apache-2.0
"""The operating system, and what it mounts."""

from . import ask


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


def mount_system(g, root, kinds, write=False):
    """Mount what the system would.

    :param kinds: as of :func:`.filesystems.devices`
    :param write: whether to mount so that it can be written
    :returns: list of mount points that cannot be looked below. A file system
        of this disk that does not mount may be behind any path: then ``/``.
    """
    points = ask.attempt(g.inspect_get_mountpoints, root)
    if not points:
        return ['/']
    mount = g.mount if write else g.mount_ro
    missing = []
    for point, device in sorted(points.items(), key=lambda item: len(item[0])):
        if not ask.succeeds(mount, device, point):
            is_here = _is_here(g, device, kinds)
            missing.append(point if is_here is False else '/')
    return missing


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
