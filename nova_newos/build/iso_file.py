# SPDX-License-Identifier: Apache-2.0
"""An install ISO that is a file of the client's: looked at, then uploaded.

The image gets its properties and tags when it is made, and its bytes then:
Glance loses an image that is changed while it is uploaded.
"""

import dataclasses
import functools
import hashlib
import io
import pathlib

from nova_newos.build import exception
from nova_newos.build import words

# What El Torito boots; others' machines boot in ways that are not looked at.
_EL_TORITO = ('', 'i686', 'x86_64', 'aarch64')


@dataclasses.dataclass(frozen=True)
class IsoFile:
    """What is known of a file before it is uploaded.

    :ivar path: a :class:`pathlib.Path`
    :ivar name: of the image to be
    :ivar size: in bytes
    :ivar properties: of the image to be, dict of str to str
    :ivar notes: what whoever builds from it should know, for people
    :ivar disk_format: as of an image, as the next one
    :ivar min_disk: in GiB
    :ivar min_ram: in MiB
    :ivar hash_algo: of :attr:`hash_value`
    """

    path: pathlib.Path
    name: str
    size: int
    properties: dict
    notes: tuple = ()
    disk_format: str = 'iso'
    min_disk: int = 0
    min_ram: int = 0
    hash_algo: str = 'sha512'

    @functools.cached_property
    def hash_value(self):
        """As Glance will have it, unless its operator chose another one."""
        return _digest(self.path, self.hash_algo)


def look(path, database=None):
    """What a file is, by less than 256 KiB of it.

    :param path: a :class:`pathlib.Path`
    :param database: of libosinfo, with which a live system is told from an
        installer; without one it is not. None for the system's
    :returns: an :class:`IsoFile`
    :raises NewosError: when nothing can be installed from it
    :raises OSError: when it cannot be read
    """
    # The client loads this module to print its help.
    from nova_newos import iso

    with path.open('rb') as file:
        found = iso.inspect(file)
    properties = iso.properties(found, _systems(found, database))
    # Nova and Glance take printable text alone.
    name = ''.join(c if c.isprintable() else '?' for c in path.name)
    _check(name, found, properties)
    return IsoFile(
        path,
        name[: words.MAX_LENGTH],
        found.size,
        properties,
        tuple(_notes(found, properties)),
    )


def _systems(found, database):
    from nova_newos import iso

    try:
        return iso.Database(database or iso.DEFAULT_PATH).identify(found)
    except iso.NoDatabase:
        # Few clients have one, and an ISO installs without it.
        return ()


def _check(name, found, properties):
    if found.truncated:
        raise exception.IsoFileTruncated(
            iso=name, size=found.size, volume_size=found.volume_size
        )
    boots = found.firmware or not found.boot_known
    if not boots and properties.get('architecture', '') in _EL_TORITO:
        raise exception.IsoFileDoesNotBoot(iso=name)
    if properties.get('newos_install') == 'false':
        raise exception.IsoFileIsLive(
            iso=name, system=properties.get('newos_os', 'of its own')
        )


def _notes(found, properties):
    if properties.get('newos_os'):
        yield f'it installs {properties["newos_os"]}'
    if properties.get('hw_firmware_type') == 'uefi':
        yield 'it boots with UEFI only: the servers have that'
    if found.waits_for_key and found.firmware == {'uefi'}:
        yield (
            'its boot loader waits for a key: press one at the console of '
            'the install server'
        )


def kept(cloud, file):
    """An image of the same bytes that an earlier build has left, or None.

    :param cloud: an ``openstack.connection.Connection``
    :param file: an :class:`IsoFile`
    """
    digests = {}
    for image in cloud.image.images(
        tag=words.KEPT_ISO, owner=cloud.current_project_id
    ):
        if image.status != 'active' or image.size != file.size:
            continue
        algorithm = image.hash_algo
        if algorithm not in hashlib.algorithms_guaranteed:
            continue
        if algorithm not in digests:
            digests[algorithm] = _digest(file.path, algorithm)
        if image.hash_value == digests[algorithm]:
            return image
    return None


def _digest(path, algorithm):
    with path.open('rb') as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def interrupted(cloud, file):
    """Builds of which there is an image of that name without all its bytes.

    :param cloud: an ``openstack.connection.Connection``
    :param file: an :class:`IsoFile`
    :returns: list of the builds' ids; they may be at it
    """
    images = cloud.image.images(
        tag=words.ISO, is_hidden=True, owner=cloud.current_project_id
    )
    return [
        words.build_of(image.tags)
        for image in images
        if image.name == file.name and image.status != 'active'
    ]


def upload(cloud, file, build_id, keep=False, told=None):
    """Upload the ISO of a build; returns its image.

    :param file: an :class:`IsoFile`
    :param keep: whether the image outlives the build
    :param told: called with the bytes that were read, now and then
    :raises openstack.exceptions.SDKException: what the cloud refuses
    """
    tags = [words.TAG, words.tag_of(build_id), words.ISO]
    with _Told(file.path, told or (lambda done: None)) as data:
        image = cloud.image.create_image(
            file.name,
            data=data,
            disk_format='iso',
            container_format='bare',
            tags=[*tags, words.KEPT_ISO] if keep else tags,
            # It would look for another image of that name, and change it.
            allow_duplicates=True,
            # Hidden for as long as it is the build's, see facts.builds().
            meta={**file.properties, 'os_hidden': True},
            visibility='private',
        )
    return cloud.image.get_image(image.id)


class _Told(io.FileIO):
    """A file that says how far it was read."""

    def __init__(self, path, told):
        super().__init__(path)
        self._told = told

    def read(self, size=-1):
        """As of any file."""
        data = super().read(size)
        self._told(self.tell())
        return data


def drop(cloud, build_id, image):
    """Delete an ISO of a build, or make it what the build leaves behind."""
    if words.KEPT_ISO not in image.tags or image.status != 'active':
        cloud.image.delete_image(image)
        return
    cloud.image.update_image(image, is_hidden=False)
    # Last: by them it is found.
    for tag in (words.TAG, words.tag_of(build_id)):
        if tag in image.tags:
            cloud.image.remove_tag(image.id, tag)
