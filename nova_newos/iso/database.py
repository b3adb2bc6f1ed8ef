# SPDX-License-Identifier: Apache-2.0
"""Which operating systems an ISO may hold, by libosinfo's database.

The database is read from its files, for libosinfo itself needs GObject, which
Glance's Python has not. It is matched as libosinfo does it: the texts of ISO
9660 against the database's regular expressions, anywhere in the text, and the
size of the volume if the database has one. What the database says fits more
than one system is answered with all of them, as Windows' labels often do.

The database is the operator's, the texts are a stranger's. They are 128
characters long at most, which ISO 9660 sees to. An expression that repeats a
repetition, which a text could be made for that takes for ever, is not used if
it looks so at a glance; in general that cannot be told, and who writes the
database is trusted with the rest.
"""

from collections.abc import Iterator
import dataclasses
import functools
import logging
import lzma
import os
import pathlib
import re
import tarfile
import threading
from typing import Any
from typing import NamedTuple
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from nova_newos.iso import exception
from nova_newos.iso.facts import Iso

LOG = logging.getLogger(__name__)

#: Where Debian's package osinfo-db, and everybody's, has it.
DEFAULT_PATH = '/usr/share/osinfo'

_MIB = 1024 * 1024
_GIB = 1024 * _MIB

# Ten times what the database of 2026 has.
_MAX_FILES = 10_000
_MAX_FILE_SIZE = 4 * _MIB

# What broken archives raise, and our own refusals.
_UNUSABLE = (EOFError, ValueError, lzma.LZMAError, tarfile.TarError)

# What libosinfo compares, by the names that both have for it.
_TEXTS = ('volume_id', 'system_id', 'publisher_id', 'application_id')
# (a+)* and the like, for which a text can be found that takes for ever. Finds
# not all of them: not (a+b?)*, say.
_EXPLOSIVE = re.compile(r'\((\?:)?(\[[^]]*\]|\\?[^\\])[*+]\)[*+{]')

# What a system has from another one that it does not say itself, the nearer
# relation first.
_RELATIONS = ('clones', 'derives-from', 'upgrades')
_MAX_DEPTH = 32


@dataclasses.dataclass(frozen=True)
class System:
    """An operating system that may be on an ISO.

    :ivar short_id: of the database, debian12 say
    :ivar name: for people
    :ivar family: 'linux', 'winnt', 'freebsd', ..., '' if unknown
    :ivar distro: 'debian', 'win', ..., '' if unknown
    :ivar version: as its vendor has it, '' if it has none
    :ivar architecture: 'x86_64', 'aarch64', ..., '' if any
    :ivar live: it runs from the ISO
    :ivar installer: it can be installed from the ISO
    :ivar min_ram: MiB that it needs, 0 if unknown as the next three
    :ivar recommended_ram: MiB
    :ivar min_disk: GiB that it needs
    :ivar recommended_disk: GiB
    :ivar unattended: libosinfo knows how to install it without questions
    """

    short_id: str
    name: str
    family: str = ''
    distro: str = ''
    version: str = ''
    architecture: str = ''
    live: bool = False
    installer: bool = True
    min_ram: int = 0
    recommended_ram: int = 0
    min_disk: int = 0
    recommended_disk: int = 0
    unattended: bool = False


class _Known(NamedTuple):
    """What the ISO of a system looks like."""

    system: System
    patterns: dict[str, re.Pattern[str]]
    volume_size: int
    released: str

    def matches(self, iso: Iso) -> bool:
        if self.volume_size and self.volume_size != iso.volume_size:
            return False
        return all(
            pattern.search(getattr(iso, name))
            for name, pattern in self.patterns.items()
        )

    def place(self, volume_id: str) -> range:
        """Which part of a volume id it matches; empty if it has no say."""
        pattern = self.patterns.get('volume_id')
        found = pattern.search(volume_id) if pattern else None
        return range(*found.span()) if found else range(0)

    @property
    def rank(self) -> tuple[int, str]:
        """How sure a match is: what was compared, then what is newer."""
        return len(self.patterns) + bool(self.volume_size), self.released


class Database:
    """A libosinfo database.

    Read when it is first asked, and again when its files have changed. Safe
    to share between threads.
    """

    def __init__(self, path: str | os.PathLike[str] = DEFAULT_PATH) -> None:
        """Name it, without looking at it.

        :param path: the directory, or an archive as osinfo-db is published,
            osinfo-db-20250606.tar.xz say
        """
        self._path = pathlib.Path(path)

    def identify(self, iso: Iso) -> tuple[System, ...]:
        """The systems that an ISO may hold, the likeliest first.

        :raises NoDatabase: there is none at the path
        """
        if not iso.volume_size:
            # libosinfo knows nothing of UDF.
            return ()
        found = [known for known in self._known() if known.matches(iso)]
        found = _on_loaders(_closest(found, iso.volume_id), iso.loaders)
        found.sort(key=lambda known: known.rank, reverse=True)
        return tuple(dict.fromkeys(known.system for known in found))

    def _known(self) -> tuple[_Known, ...]:
        try:
            with _lock:
                known, problem = _load(self._path, _fingerprint(self._path))
        except (OSError, ValueError) as error:
            raise exception.NoDatabase(
                path=self._path, reason=error
            ) from error
        if problem:
            raise exception.NoDatabase(path=self._path, reason=problem)
        return known


def _closest(isos: list[_Known], volume_id: str) -> list[_Known]:
    """Without those that match only a part of what another one matches.

    An expression for EL-8 is found in RHEL-8 too, within the place where that
    for RHEL-8 is.
    """
    places = [known.place(volume_id) for known in isos]
    return [
        known
        for known, place in zip(isos, places, strict=True)
        if not any(_is_part(place, other) for other in places)
    ]


def _is_part(place: range, other: range) -> bool:
    return (
        len(place) > 0
        and other.start <= place.start
        and place.stop <= other.stop
        and place != other
    )


def _on_loaders(isos: list[_Known], loaders: frozenset[str]) -> list[_Known]:
    """Those for the architectures of the boot loaders, if there are any."""
    found = [
        known for known in isos if known.system.architecture in loaders | {''}
    ]
    return found if found and loaders else isos


_lock = threading.Lock()


def _fingerprint(path: pathlib.Path) -> tuple[int, ...]:
    """Changes when a file is added, replaced, written to or removed.

    By the time of the last change of the inode: packages and rsync set the
    other one to what it was elsewhere.
    """
    states = [each.stat() for each in (path, *_files(path))]
    return tuple(
        number
        for state in states
        for number in (state.st_ctime_ns, state.st_size)
    )


@functools.lru_cache(maxsize=2)
def _load(
    path: pathlib.Path, _fingerprint: tuple[int, ...]
) -> tuple[tuple[_Known, ...], str]:
    """The ISOs of a database, and why it is none, '' if it is one.

    :raises OSError: which may be over before a file changes
    """
    try:
        return _read(path), ''
    except _UNUSABLE as error:
        return (), str(error) or type(error).__name__


def _read(path: pathlib.Path) -> tuple[_Known, ...]:
    read = _read_directory if path.is_dir() else _read_archive
    systems: dict[str, _Os] = {}
    for name, content in read(path):
        try:
            root = ElementTree.fromstring(content)
        except (ValueError, ElementTree.ParseError) as error:
            LOG.warning(
                '%s of the libosinfo database is not used: %s', name, error
            )
            continue
        for element in root.iter('os'):
            system = systems.setdefault(
                element.get('id', ''), _Os(systems=systems)
            )
            system.elements.append(element)
    isos = tuple(
        known for system in systems.values() for known in system.known()
    )
    if not isos:
        raise ValueError('it knows no ISO')
    return isos


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    """Of a database that is a directory, and of no other."""
    return sorted((path / 'os').rglob('*.xml'))


def _read_directory(path: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    for index, file in enumerate(_files(path)):
        _check(index, file.stat().st_size)
        yield str(file), file.read_bytes()


def _read_archive(path: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for index, member in enumerate(archive):
            _check(index, member.size)
            folders = pathlib.PurePosixPath(member.name).parts[:-1]
            if 'os' not in folders or not member.name.endswith('.xml'):
                continue
            file = archive.extractfile(member)
            if file is not None:
                yield member.name, file.read()


def _check(files: int, size: int) -> None:
    if files > _MAX_FILES or size > _MAX_FILE_SIZE:
        raise ValueError('it is too large')


@dataclasses.dataclass
class _Os:
    """An operating system of the database.

    :ivar systems: all of them, by their ids
    :ivar elements: what files say of it
    """

    systems: dict[str, '_Os']
    elements: list[Element] = dataclasses.field(default_factory=list)

    def known(self) -> Iterator[_Known]:
        """Its ISOs that can be recognised."""
        for element in self.find_all('media'):
            for iso in element.findall('iso'):
                patterns = _patterns(iso)
                if patterns:
                    yield _Known(
                        self._system(element),
                        patterns,
                        _number(iso.findtext('volume-size')),
                        self._text('release-date'),
                    )

    def find_all(self, path: str) -> list[Element]:
        return [
            found
            for element in self.elements
            for found in element.findall(path)
        ]

    def _text(self, name: str) -> str:
        """Of an element without a language."""
        texts = (element.text for element in self.find_all(name))
        return (next(texts, '') or '').strip()

    def _ancestors(self) -> Iterator['_Os']:
        """Itself, and those that it has from what it does not say."""
        system: _Os | None = self
        for _depth in range(_MAX_DEPTH):
            if system is None:
                return
            yield system
            relatives = (
                self.systems.get(element.get('id', ''))
                for relation in _RELATIONS
                for element in system.find_all(relation)
            )
            system = next(filter(None, relatives), None)

    def _inherited(self, name: str) -> str:
        texts = (system._text(name) for system in self._ancestors())
        return next(filter(None, texts), '')

    def _system(self, medium: Element) -> System:
        architecture = medium.get('arch', 'all')
        is_installer = medium.get('installer', 'true') == 'true'
        return System(
            short_id=self._text('short-id'),
            name=self._text('name'),
            family=self._inherited('family'),
            distro=self._inherited('distro').lower(),
            version=self._text('version'),
            architecture='' if architecture == 'all' else architecture,
            live=medium.get('live') == 'true',
            installer=is_installer,
            unattended=is_installer and self._has_script(medium),
            **self._resources(architecture),
        )

    def _has_script(self, medium: Element) -> bool:
        if medium.get('installer-script') == 'false':
            return False
        scripts = medium.findall('installer/script')
        return bool(scripts or self.find_all('installer/script'))

    def _resources(self, architecture: str) -> dict[str, Any]:
        """What it needs on an architecture, else on all.

        One that says inherit has from its ancestor what it does not say.
        """
        amounts: dict[str, int] = {}
        for system in self._ancestors():
            found = {
                element.get('arch'): element
                for element in system.find_all('resources')
            }
            element = found.get(architecture, found.get('all'))
            if element is None:
                break
            for name, amount in _amounts(element).items():
                amounts[name] = amounts.get(name) or amount
            if element.get('inherit') != 'true':
                break
        return amounts


def _amounts(resources: Element) -> dict[str, int]:
    """In the units, and by the names, of a :class:`System`."""
    return {
        f'{name}_{kind}': -(-_number(resources.findtext(path)) // unit)
        for name, element in (('min', 'minimum'), ('recommended',) * 2)
        for kind, path, unit in (
            ('ram', f'{element}/ram', _MIB),
            ('disk', f'{element}/storage', _GIB),
        )
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() else 0


def _patterns(iso: Element) -> dict[str, re.Pattern[str]] | None:
    """The expressions of an ISO, by the names of an :class:`Iso`.

    :returns: None if one of them cannot be used, as then the others would
        match what they are not meant to
    """
    found = {}
    for name in _TEXTS:
        text = iso.findtext(name.replace('_', '-'))
        if text is None:
            continue
        pattern = _compile(text)
        if pattern is None:
            return None
        found[name] = pattern
    return found


@functools.lru_cache(maxsize=4096)
def _compile(text: str) -> re.Pattern[str] | None:
    try:
        if not _EXPLOSIVE.search(text):
            return re.compile(text, re.ASCII)
        problem = 'it could take for ever'
    except re.error as error:
        problem = str(error)
    LOG.warning(
        'The expression %r of the libosinfo database is not used: %s',
        text,
        problem,
    )
    return None
