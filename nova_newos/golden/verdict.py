# SPDX-License-Identifier: Apache-2.0
"""The verdict on a golden image: facts from inspecting it.

Facts say what is so, not whether that is good: an image for BIOS needs no EFI
fallback. What an operator insists on is in ``[newos] refuse``.
"""

from nova_newos.golden import base
from nova_newos.golden import exception
from nova_newos.golden import inspection

TRUE = 'true'
FALSE = 'false'
UNKNOWN = 'unknown'

#: Facts that are true, false or unknown.
REFUSABLE = (
    'boot_loader',
    'efi_fallback',
    'virtio_drivers',
    'cloud_init',
    'ssh_host_keys_gone',
    'machine_id_gone',
    'file_systems_clean',
)

#: All facts. ``os`` is a short name of the installed system as libosinfo has
#: it (debian12, win2k22), or unknown.
FACTS = ('os', *REFUSABLE)

# Names of the fallback boot loader by architecture as libguestfs calls it:
# UEFI specification 2.10, 3.5.1.1.
_FALLBACKS = {
    'x86_64': 'bootx64.efi',
    'i386': 'bootia32.efi',
    'aarch64': 'bootaa64.efi',
    'arm': 'bootarm.efi',
    'riscv64': 'bootriscv64.efi',
}

#: What is looked for in the guest.
PATTERNS = {
    'host_keys': [
        '/etc/ssh/ssh_host_*_key',
        '/etc/ssh_host_*_key',
        '/etc/dropbear/dropbear_*_host_key',
        '/ProgramData/ssh/ssh_host_*_key',
    ],
    # The second: systemd takes it for the first when that is empty.
    'machine_id': ['/etc/machine-id', '/var/lib/dbus/machine-id'],
    'cloud_init': [
        '/usr/bin/cloud-init',
        '/usr/local/bin/cloud-init',
        '/Program Files/Cloudbase Solutions/Cloudbase-Init',
        '/Program Files (x86)/Cloudbase Solutions/Cloudbase-Init',
    ],
    'other_etc': inspection.OTHER_ETC,
    'cloud_init_off': ['/etc/cloud/cloud-init.disabled'],
    # What starts it: units that are enabled, which its generator only brings
    # together, and OpenRC. Others of its units make no host keys.
    'cloud_init_units': [
        '/etc/systemd/system/*.wants/cloud-init.service',
        '/etc/systemd/system/*.wants/cloud-init-local.service',
        '/etc/systemd/system/*.wants/cloud-init-main.service',
        '/etc/systemd/system/*.wants/cloud-init-network.service',
        '/etc/runlevels/*/cloud-init*',
    ],
    'windows_drivers': [
        '/Windows/System32/DriverStore/FileRepository/viostor.inf_*',
        '/Windows/System32/DriverStore/FileRepository/vioscsi.inf_*',
        '/Windows/System32/drivers/viostor.sys',
        '/Windows/System32/drivers/vioscsi.sys',
    ],
}

#: Names of those that snapshots must not hold either.
EVERYWHERE = ('host_keys', 'machine_id')

# Datasources of cloud-init that find what Nova offers, see its documentation.
_SERVED = {'OpenStack', 'ConfigDrive', 'Ec2'}

_ABOUT_ETC = ('ssh_host_keys_gone', 'machine_id_gone')

# Each finds a root disk, on either of the buses that need virtio.
_DRIVER_SETS = (
    {'virtio_pci', 'virtio_blk'},
    {'virtio_pci', 'virtio_scsi'},
)


def facts(found):
    """The facts, from what was found on a disk.

    :param found: dict as of ``inspector.program.inspect``; None of a guest
        that could not be inspected, or not in time
    :returns: dict of each of :data:`FACTS` to a short str; what cannot be told
        is unknown
    """
    known = dict.fromkeys(FACTS, UNKNOWN)
    if found is None:
        return known
    known['file_systems_clean'] = _file_systems_clean(found['filesystems'])
    known['boot_loader'] = _boot_loader(found['boot'])
    if len(found['systems']) != 1:
        return known
    [system] = found['systems']
    paths = found['paths']
    known['os'] = _os(system)
    known['efi_fallback'] = _efi_fallback(found['boot'], system['arch'])
    known['cloud_init'] = _word(_all(_cloud_init(found)))
    snapshots = found['snapshots']
    known['ssh_host_keys_gone'] = _word(
        _all(_is_gone(each['host_keys']) for each in (paths, snapshots))
    )
    if system['type'] == 'windows':
        known['virtio_drivers'] = _word(_is_there(paths['windows_drivers']))
        known['machine_id_gone'] = _is_generalized(found['image_state'])
    else:
        known['virtio_drivers'] = _linux_virtio(found['kernels'])
        known['machine_id_gone'] = _word(
            _all(
                is_no_machine_id(each['machine_id'])
                for each in (paths, snapshots)
            )
        )
    if paths['other_etc'] != {}:
        # Which is the system's is not known.
        known |= dict.fromkeys(_ABOUT_ETC, UNKNOWN)
    return known


def check(facts, refused):
    """Hold the facts against what the operator insists on.

    :param facts: as :func:`facts` returns them
    :param refused: names of facts that must be true, ``[newos] refuse``
    :raises VerdictRefused: names those that are not
    """
    failed = [
        f'{name}={facts[name]}' for name in refused if facts[name] != TRUE
    ]
    if failed:
        raise exception.VerdictRefused(facts=', '.join(failed))


def _is_there(sizes):
    return None if sizes is None else bool(sizes)


def _is_gone(sizes):
    return None if sizes is None else not sizes


def _word(truth):
    """A fact's value; None is unknown."""
    return UNKNOWN if truth is None else TRUE if truth else FALSE


def _all(truths):
    """True of none is not known, and one that is false is enough."""
    truths = list(truths)
    if False in truths:
        return False
    return None if not truths or None in truths else True


def _file_systems_clean(filesystems):
    return _word(_all(each['clean'] for each in filesystems))


def _boot_loader(boot):
    return _word(bool(boot['files']) or boot['grub'])


def _efi_fallback(boot, arch):
    names = [_FALLBACKS[arch]] if arch in _FALLBACKS else _FALLBACKS.values()
    return _word(any(f'/efi/boot/{name}' in boot['files'] for name in names))


def _os(system):
    """Name that libosinfo has, or one made of distribution and version."""
    name = system['osinfo']
    if not name or name == UNKNOWN:
        name = f'{system["distro"]}{system["major"]}'
    return base.sanitize(name, 40) or UNKNOWN


def _linux_virtio(kernels):
    return _word(_all(_has_virtio(kernel) for kernel in kernels))


def _has_virtio(kernel):
    builtin, initramfs = kernel['builtin'], kernel['initramfs']
    present = {*(builtin or ()), *(initramfs or ())}
    if any(drivers <= present for drivers in _DRIVER_SETS):
        return True
    return None if None in (builtin, initramfs) else False


def _cloud_init(found):
    """What makes it ask Nova at the next boot, each as far as it is known."""
    paths = found['paths']
    yield _is_there(paths['cloud_init'])
    yield _is_gone(paths['cloud_init_off'])
    configured = found.get('cloud_init')
    if configured is not None:
        # Its units may also be enabled by presets, at the first boot.
        yield True if paths['cloud_init_units'] else None
        is_off = configured['is_off']
        yield None if is_off is None else not is_off
        sources = configured['datasources']
        if sources is None:
            yield None
        else:
            yield sources == 'default' or not _SERVED.isdisjoint(sources)


def is_no_machine_id(sizes):
    """Whether none of these files has a machine-id; None when unknown.

    :param sizes: dict of path to size, or None
    """
    if sizes is None:
        return None
    # There is none, or it is empty or "uninitialized": see machine-id(5).
    gone = [None if size is None else size < 32 for size in sizes.values()]
    return _all([True, *gone])


def _is_generalized(state):
    if state is None:
        return UNKNOWN
    return _word(state == inspection.GENERALIZED)
