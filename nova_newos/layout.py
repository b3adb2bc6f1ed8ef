# SPDX-License-Identifier: Apache-2.0
"""The layout of an install server: decide it once, persist it, read it back.

Only plain values in and out, so that this module works without Nova. The
layout is decided from the image given to a spawn and is kept, as one JSON
value, in ``instance.system_metadata['newos_layout']``. Every later path asks
the persisted layout: Nova's idea of "the image of this server" changes under
unshelve, rescue and resize.
"""

from collections.abc import Mapping
import dataclasses
import json

from oslo_utils import strutils

from nova_newos import exception

#: Key in ``instance.system_metadata``. It has no ``image_`` prefix, so that a
#: rebuild keeps it and users cannot set it.
KEY = 'newos_layout'

#: The values of Nova's ``instance_system_metadata.value`` column end here.
MAX_LENGTH = 255

VERSION = 1

#: 1 PiB. A flavor with root_gb 0 sets no limit of its own.
MAX_ROOT_GB = 2**20

#: Names of disks, as Nova's disk_mapping and instance directory have them.
INSTALL_ROOT = 'disk.newos'
STOCK_ROOT = 'disk'
_DISK_OF_MEDIUM = 'disk.'

#: Placement trait that is reported by compute nodes whose driver can keep
#: install servers. Nova's own driver would lose ``disk.newos`` of a server
#: that moved there.
TRAIT = 'CUSTOM_NOVA_NEWOS'

# What follows it in the traits of nodes that have a medium's plug-in.
_TRAIT_OF_MEDIUM = '_MEDIUM_'

#: Image properties that this project reads from an install ISO.
PROPERTY_INSTALL = 'newos_install'
PROPERTY_ROOT_SIZE = 'newos_root_disk_size'

#: What nova-api puts before the names of image properties that it notes in
#: ``system_metadata``.
IMAGE_PREFIX = 'image_'

#: Properties that mark an image as one to rescue other servers with.
_RESCUE_PROPERTIES = ('hw_rescue_device', 'hw_rescue_bus')


@dataclasses.dataclass(frozen=True)
class Layout:
    """The decision and its figures.

    :ivar iso: id of the install ISO's Glance image
    :ivar root_gb: size of the blank root disk when it was made, in GiB
    :ivar media: ``(name, reference)`` of each further CD-ROM, in order; the
        device is ``disk.<name>`` and the reference is what the medium named
        to have its bytes again
    :ivar root: the disk that holds the operating system: ``disk.newos``, or
        ``disk`` once the server came back from an image of its root disk
        (unshelve)
    """

    iso: str
    root_gb: int
    media: tuple[tuple[str, str], ...] = ()
    root: str = INSTALL_ROOT

    @property
    def installs(self) -> bool:
        """Whether the server has ``disk.newos`` and the install media."""
        return self.root == INSTALL_ROOT

    @property
    def cdroms(self) -> tuple[str, ...]:
        """Names of the CD-ROM disks, in the order in which guests see them.

        :returns: tuple of str, like ``('disk', 'disk.virtio')``, the install
            ISO first; empty for a server that came back
        """
        if not self.installs:
            return ()
        return (
            STOCK_ROOT,
            *(f'{_DISK_OF_MEDIUM}{name}' for name, _reference in self.media),
        )

    def restored(self) -> 'Layout':
        """The layout after a spawn from an image of the root disk.

        It has no CD-ROMs; what they were is still where it comes from.
        """
        return dataclasses.replace(self, root=STOCK_ROOT)


def medium_trait(name: str) -> str:
    """Placement trait of compute nodes that can make a medium's CD-ROM.

    :param name: of the medium
    """
    return TRAIT + _TRAIT_OF_MEDIUM + name.upper().replace('-', '_')


def is_medium_trait(trait: str) -> bool:
    """Whether a trait is one of :func:`medium_trait`."""
    return trait.startswith(TRAIT + _TRAIT_OF_MEDIUM)


def medium_of(disk: str) -> str:
    """Name of the medium of a CD-ROM other than the install ISO's."""
    return disk.removeprefix(_DISK_OF_MEDIUM)


def dump(layout: Layout) -> str:
    """Serialise for ``system_metadata``.

    :returns: str of at most 255 characters
    :raises LayoutTooLong: when it would be longer
    """
    value = json.dumps(
        {
            'v': VERSION,
            'iso': layout.iso,
            'gb': layout.root_gb,
            'cd': layout.media,
            'root': layout.root,
        },
        separators=(',', ':'),
    )
    if len(value) > MAX_LENGTH:
        raise exception.LayoutTooLong(length=len(value), limit=MAX_LENGTH)
    return value


def load(system_metadata: Mapping[str, str]) -> Layout | None:
    """Read the layout of a server.

    :param system_metadata: the dict of the Nova instance
    :returns: a :class:`Layout`, or None for a server that stock Nova rules
    :raises LayoutInvalid: when there is a value that this version cannot
        read; guessing could attach or overwrite the wrong disk
    :raises LayoutVersionUnknown: which is one, when another version wrote it
    """
    if KEY not in system_metadata:
        return None
    value = system_metadata[KEY]
    try:
        fields = json.loads(value)
        if fields['v'] != VERSION:
            raise exception.LayoutVersionUnknown(
                version=fields['v'], known=VERSION, value=value
            )
        if fields['root'] not in (INSTALL_ROOT, STOCK_ROOT):
            raise ValueError(f'root {fields["root"]}')
        return Layout(
            iso=str(fields['iso']),
            root_gb=int(fields['gb']),
            media=tuple((str(n), str(r)) for n, r in fields['cd']),
            root=fields['root'],
        )
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise exception.LayoutInvalid(
            reason=f'{type(error).__name__}: {error}', value=value
        ) from error


def image_properties(system_metadata: Mapping[str, str]) -> dict[str, str]:
    """Properties of a server's image, with those Nova does not know.

    ``nova.utils.get_system_metadata_from_image`` keeps every property;
    ``ImageMeta`` drops what it has no field for.

    :param system_metadata: the dict of the Nova instance
    :returns: dict of str to str, ``disk_format`` and the like among them
    """
    return {
        key.removeprefix(IMAGE_PREFIX): value
        for key, value in system_metadata.items()
        if key.startswith(IMAGE_PREFIX)
    }


def is_install_iso(
    disk_format: str | None, properties: Mapping[str, str]
) -> bool:
    """Whether a server that is spawned from this image is to be installed.

    :param disk_format: of the image, may be None
    :param properties: the image's properties, str to str
    :raises PropertyInvalid: when ``newos_install`` is not a boolean
    """
    if disk_format != 'iso':
        return False
    if any(properties.get(name) for name in _RESCUE_PROPERTIES):
        return False
    value = properties.get(PROPERTY_INSTALL, 'true')
    try:
        return bool(strutils.bool_from_string(value, strict=True))
    except ValueError as error:
        raise exception.PropertyInvalid(
            name=PROPERTY_INSTALL, value=value, expected='true or false'
        ) from error


def root_disk_gb(
    properties: Mapping[str, str],
    configured: int | None,
    flavor_gb: int,
    min_disk: int = 0,
) -> int:
    """Size of the blank root disk.

    :param properties: the install ISO's properties, str to str
    :param configured: ``[newos] root_disk_size`` in GiB, or None
    :param flavor_gb: the flavor's ``root_gb``; 0 means that the flavor sets
        no limit, as everywhere in Nova
    :param min_disk: the install ISO's ``min_disk`` in GiB, which the
        configured size is raised to
    :returns: whole GiB, at least 1
    :raises PropertyInvalid, RootDiskTooLarge, RootDiskSizeMissing: when there
        is no answer
    """
    if PROPERTY_ROOT_SIZE in properties:
        return _asked_gb(properties[PROPERTY_ROOT_SIZE], flavor_gb)
    if configured:
        wanted = max(configured, min_disk)
        return min(wanted, flavor_gb) if flavor_gb else wanted
    if not flavor_gb:
        raise exception.RootDiskSizeMissing()
    return flavor_gb


def _asked_gb(value: object, flavor_gb: int) -> int:
    text = str(value)
    # int() also takes '1_0', ' 5 ' and other scripts' digits.
    plain = text.isascii() and text.isdigit() and len(text) <= 7
    size = int(text) if plain else 0
    if not 0 < size <= MAX_ROOT_GB:
        raise exception.PropertyInvalid(
            name=PROPERTY_ROOT_SIZE,
            value=value,
            expected=f'a whole number of GiB from 1 to {MAX_ROOT_GB}',
        )
    if flavor_gb and size > flavor_gb:
        raise exception.RootDiskTooLarge(size=size, flavor_gb=flavor_gb)
    return size
