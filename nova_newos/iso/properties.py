# SPDX-License-Identifier: Apache-2.0
"""What is said of an ISO in Glance's words, as image properties.

Nova reads some of them. It asks libosinfo for ``os_distro`` as a short id, and
takes disk bus and network model from what it finds; so the name of a
distribution is said, which is no short id but where a distribution has just
one version, and never that of a version. A ``hw_`` property with a value that
Nova does not know makes every server of the image fail, so the only one has a
constant.
"""

from collections.abc import Callable
from collections.abc import Sequence

from nova_newos.iso.database import System
from nova_newos.iso.facts import Iso

#: Of what is found and said here: changes when a new look at an ISO may find
#: more.
VERSION = '1'

# Nova copies properties onto servers, and cuts them there.
_MAX_LENGTH = 255

_TYPES = {
    'linux': 'linux',
    'winnt': 'windows',
    'win9x': 'windows',
    'win16': 'windows',
}
# What Glance's documentation of common properties calls differently.
_DISTROS = {'win': 'windows', 'winnt': 'windows', 'archlinux': 'arch'}
# Of libosinfo's those that Nova's field "architecture" knows.
_ARCHITECTURES = frozenset(
    (
        'aarch64',
        'armv7l',
        'i686',
        'ia64',
        'parisc',
        'ppc',
        'ppc64',
        'ppc64le',
        's390x',
        'sparc64',
        'x86_64',
    )
)


def properties(iso: Iso, systems: Sequence[System]) -> dict[str, str]:
    """Glance image properties for an ISO.

    Only what is the same for all systems is said, but for ``newos_os``, which
    names them.

    :param systems: that it may hold, from :meth:`Database.identify`
    :returns: values that are printable, not empty, and 255 characters long at
        most
    """
    architecture = _architecture(iso, systems)
    found = {
        'os_type': _common(systems, lambda each: _TYPES.get(each.family, '')),
        'os_distro': _common(
            systems, lambda each: _DISTROS.get(each.distro, each.distro)
        ),
        'os_version': _common(systems, lambda each: each.version),
        'architecture': architecture,
        'hw_firmware_type': _firmware_type(iso, architecture),
        'newos_install': _install(systems),
        'newos_os': _names(systems),
        'newos_boot': _boot(iso),
        'newos_volume_id': iso.label,
        'newos_inspected': VERSION,
    }
    return {
        name: value[:_MAX_LENGTH] for name, value in found.items() if value
    }


def minimums(systems: Sequence[System]) -> tuple[int, int]:
    """What the least demanding of some systems needs.

    :returns: MiB of memory and GiB of disk, 0 for what is not known of one
    """
    return (
        min((system.min_ram for system in systems), default=0),
        min((system.min_disk for system in systems), default=0),
    )


def _common(systems: Sequence[System], word: Callable[[System], str]) -> str:
    words = {word(system) for system in systems}
    return words.pop() if len(words) == 1 else ''


def _architecture(iso: Iso, systems: Sequence[System]) -> str:
    """By the systems, else by the boot loader if there is just one.

    What the systems say is not repeated if no boot loader is for it.
    """
    if systems:
        found = _common(systems, lambda system: system.architecture)
        if iso.loaders and found not in iso.loaders:
            return ''
    else:
        found = ''.join(iso.loaders) if len(iso.loaders) == 1 else ''
    return found if found in _ARCHITECTURES else ''


def _firmware_type(iso: Iso, architecture: str) -> str:
    """UEFI, where an x86 machine would not have it by itself."""
    if iso.firmware == {'uefi'} and architecture == 'x86_64':
        return 'uefi'
    return ''


def _install(systems: Sequence[System]) -> str:
    """'false' if there is nothing to install, and '' otherwise."""
    is_live = all(system.live and not system.installer for system in systems)
    return 'false' if systems and is_live else ''


def _names(systems: Sequence[System]) -> str:
    """As many short ids as fit, the likeliest first."""
    found = ''
    for short_id in dict.fromkeys(system.short_id for system in systems):
        longer = f'{found}|{short_id}' if found else short_id
        if len(longer) > _MAX_LENGTH:
            break
        found = longer
    return found


def _boot(iso: Iso) -> str:
    """What boots it, '' if that could not be read."""
    if not iso.boot_known:
        return ''
    return ','.join(sorted(iso.firmware)) or 'none'
