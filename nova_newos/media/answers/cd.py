# SPDX-License-Identifier: Apache-2.0
"""From user data to label and files of the answer CD."""

import dataclasses
import functools

from nova_newos import exception
from nova_newos.media.answers import archive
from nova_newos.media.answers import detect
from nova_newos.media.answers import iso
from nova_newos.media.answers import names

#: Of a CD whose installer looks for no label.
ANY_LABEL = 'ANSWERS'

_META_DATA = 'meta-data'


@dataclasses.dataclass(frozen=True)
class Cd:
    """The answer CD of a server.

    :ivar label: volume label
    :ivar files: tuple of :class:`~nova_newos.media.answers.iso.File`
    """

    label: str
    files: tuple[iso.File, ...]

    @property
    def reboots_midway(self):
        """Whether the installer goes on after a reboot, as Windows' does."""
        return any(detect.AUTOUNATTEND.is_at(file.path) for file in self.files)


# Nova asks a few times in a row for the same server, and the worst user data
# takes most of a second to read. What is kept is a few megabytes each at most.
@functools.lru_cache(maxsize=4)
def from_user_data(data, uuid):
    """The CD that user data asks for. The last few are remembered.

    :param data: bytes, what Nova has decoded; hostile
    :param uuid: of the server
    :returns: a :class:`Cd`, or None when the user data is not for an
        installer
    :raises NewosError: when it is, and cannot be used
    """
    if archive.is_tar(data):
        return _from_tar(data, uuid)
    named = archive.multipart_files(data)
    if named is not None:
        return _from_multipart(named, uuid)
    kind = detect.recognise(data)
    if kind is None:
        return None
    executable = kind is detect.COMBUSTION
    return _cd([iso.File(kind.path, data, executable)], [kind], uuid)


def _from_tar(data, uuid):
    """A tar is for nobody but us: there is a CD or a refusal."""
    found = archive.tar_files(data)
    kinds = [kind for file in found if (kind := _kind_at(file.path))]
    if not kinds:
        raise exception.AnswerArchiveRefused(
            problem='has no answer file at its place',
            wanted=', '.join(kind.path for kind in detect.KINDS),
        )
    for file in found:
        if kind := _kind_at(file.path):
            detect.check(kind, file.data)
    return _cd(found, kinds, uuid)


def _from_multipart(named, uuid):
    """A multipart is cloud-init's, unless a part is an answer file.

    That is by both name and content: cloud-init's parts have names too.
    """
    kinds = [
        kind
        for name, content in named
        if (kind := _kind_at(name)) and detect.is_kind(kind, content)
    ]
    if not kinds:
        return None
    return _cd(archive.checked(named), kinds, uuid)


def _kind_at(path):
    """The kind of answers that are looked for at a path."""
    return next((kind for kind in detect.KINDS if kind.is_at(path)), None)


def _cd(found, kinds, uuid):
    label = _label(kinds)
    if detect.AUTOINSTALL in kinds and not any(
        file.path == _META_DATA for file in found
    ):
        data = f'instance-id: {uuid}\n'.encode()
        found = [*found, iso.File(_META_DATA, data)]
        names.check_distinct(file.path for file in found)
    return Cd(label, tuple(found))


def _label(kinds):
    """A label that all the installers look for."""
    wanted = [kind.labels for kind in kinds if kind.labels]
    if not wanted:
        return ANY_LABEL
    for label in wanted[0]:
        if all(label in labels for labels in wanted):
            return label
    raise exception.AnswersAmbiguous(
        labels=' and '.join(sorted({labels[0] for labels in wanted}))
    )
