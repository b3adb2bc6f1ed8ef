# SPDX-License-Identifier: Apache-2.0
"""What a sealer is: one step between an installed disk and a golden image.

A third party adds a sealer by a class of :class:`Sealer` under an entry point
in the namespace ``nova_newos.sealers`` and its name in ``[newos] sealers``. It
works on a copy; the server and its own disk are out of its reach.
"""

import abc
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import re
from typing import Any
from typing import Protocol

#: Characters of a report that are kept.
REPORT_LENGTH = 100

_NOT_PRINTABLE = re.compile(r'[^\x20-\x7e]+')


def sanitize(text: object, length: int) -> str:
    """Make text that comes out of a guest harmless.

    :param text: anything; str() is taken of it
    :param length: number of characters to keep, from the beginning
    :returns: printable ASCII on one line
    """
    # Cut first: what a guest wrote may be megabytes.
    words = _NOT_PRINTABLE.sub(' ', str(text)[: 2 * length]).split()
    return ' '.join(words)[:length]


@dataclasses.dataclass(frozen=True)
class Disk:
    """The copy that is sealed.

    :ivar path: absolute, of a file that may be written. It may be an overlay:
        what is behind it must not be touched.
    :ivar format: as QEMU calls it, ``qcow2`` or ``raw``. A guest could write
        the header of another one: name this to every tool, let none guess.
    """

    path: str
    format: str


class Appliance(Protocol):
    """What a sealer sees of :class:`nova_newos.golden.appliance.Appliance`."""

    def run(self, disk: Disk, tool: str, *arguments: str) -> str:
        """Run a libguestfs tool on a disk, and return its output."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """A change of files of the guest, made in the last boot.

    It is not made to Windows, nor where the system cannot be told or mounted
    as a whole.

    :ivar path: absolute, in the guest
    :ivar content: what the file holds then; its directories are made. None to
        remove what is there, with all below: ``path`` may have wildcards then.
    :ivar link: path of a symbolic link to it that is made, or None
    :ivar if_found: names among the sealer's patterns: only if something was
        found of each
    :ivar unless_found: likewise: only if nothing was found of any
    """

    path: str
    content: str | None
    link: str | None = None
    if_found: Sequence[str] = ()
    unless_found: Sequence[str] = ()


#: What the last boot tells a sealer, see :class:`LastBoot`. Its shape is ours,
#: the text and numbers in it are the guest's.
Findings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class LastBoot:
    """Work that a sealer leaves to the last boot of the appliance.

    Each boot takes many seconds, and the last one, which inspects the sealed
    disk, is needed anyway.

    :ivar report: function that is given what was found when all is done: a
        mapping of ``systems``, a list of mappings with the ``type`` of each
        (``linux``, ``windows``); and, if there is one system, of ``missing``,
        a list of mappings with the ``point``, ``device`` and ``reason`` of
        each file system that could not be mounted; ``paths``, name of each
        pattern to a mapping of path to size, as it was before the edits, None
        when it cannot be told; ``edited``, the paths of the edits that were
        made; ``snapshots``, what of the verdict's patterns for host keys and
        machine-ids is in snapshots of btrfs, in the shape of ``paths``;
        ``image_state``, of Windows. Returns the report, as
        :meth:`Sealer.seal` does, or raises
        :class:`~nova_newos.exception.NewosError` to refuse the image.
    :ivar patterns: name to paths in the guest, with wildcards
    :ivar edits: in the order in which they are made
    :ivar discard: whether to discard what file systems do not use
    """

    report: Callable[[Findings], str]
    patterns: Mapping[str, Sequence[str]] = dataclasses.field(
        default_factory=dict
    )
    edits: Sequence[Edit] = ()
    discard: bool = False


class Sealer(abc.ABC):
    """One step. Instances are shared by threads and hold no state.

    :cvar name: of the sealer. Lower-case letters, digits and hyphens, at most
        16, beginning with a letter, and the same as the entry point's name.
    """

    name: str

    def __init__(self, conf: Any) -> None:
        """Keep the configuration.

        :param conf: Nova's ``oslo_config.cfg.ConfigOpts``. A sealer with
            options of its own registers them here.
        :raises nova_newos.exception.NewosError: for options that cannot be
            used; nova-compute does not start then
        """
        self.conf = conf

    @abc.abstractmethod
    def seal(self, disk: Disk, appliance: Appliance) -> str | LastBoot:
        """Change the disk in place.

        What the guest wrote is hostile: file systems are opened inside the
        appliance only, and text from there is not trusted either.

        :param disk: a :class:`Disk`
        :param appliance: a :class:`~nova_newos.golden.appliance.Appliance`,
            which runs libguestfs tools
        :returns: str, what was done, for a property of the golden image; at
            most :data:`REPORT_LENGTH` characters of printable ASCII are kept.
            Or a :class:`LastBoot`, for what is to be done when all sealers
            have run.
        :raises nova_newos.exception.NewosError: when it could not be done;
            the image fails with this text and is not kept
        """
