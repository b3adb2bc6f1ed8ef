# SPDX-License-Identifier: Apache-2.0
"""What a file answers: decided by its content, and in doubt nothing.

Most user data is for cloud-init, cloudbase-init or something of the user's
own. It must never be taken for answers, so each kind is recognised by what
only that kind has. Where each installer looks is said by

- Anaconda, "Anaconda Kickstart Documentation",
  https://anaconda-installer.readthedocs.io/en/latest/user-guide/kickstart.html:
  ``/ks.cfg`` of a device labelled OEMDRV;
- cloud-init, "NoCloud",
  https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html:
  ``user-data`` and ``meta-data``, both required, of a volume labelled CIDATA;
  and Ubuntu, "Providing autoinstall configuration",
  https://canonical-subiquity.readthedocs-hosted.com/en/latest/tutorial/providing-autoinstall.html:
  a ``#cloud-config`` with ``autoinstall:``;
- Microsoft, "Windows Setup Automation Overview", section "Implicit Answer
  File Search Order",
  https://learn.microsoft.com/windows-hardware/manufacture/desktop/windows-setup-automation-overview:
  the root of removable read-only media, any label, ``Autounattend.xml`` for
  the passes windowsPE and offlineServicing and ``Unattend.xml`` for others;
- linuxrc, "AutoYaST handling in linuxrc",
  https://github.com/openSUSE/linuxrc/blob/master/linuxrc_and_autoyast.md:
  ``/autoinst.xml`` of a disk labelled OEMDRV;
- Debian, "Automating the installation using preseeding",
  https://www.debian.org/releases/stable/amd64/apb.en.html: the boot parameter
  ``preseed/file`` names the file; no label is looked for;
- SUSE, "Preparing the configuration device",
  https://documentation.suse.com/sle-micro/5.5/html/SLE-Micro-all/cha-prepare-device.html,
  and Combustion's README, https://github.com/openSUSE/combustion:
  ``ignition/config.ign`` of a device labelled ignition, and
  ``combustion/script`` of one labelled combustion or ignition.
"""

import contextlib
import dataclasses
import json
import re
from xml.parsers import expat

import yaml

from nova_newos import exception


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of answers.

    :ivar title: what users call it
    :ivar path: where its installer looks for the file
    :ivar labels: the volume labels that its installer looks for, the
        preferred one first; empty when any will do
    :ivar any_case: whether its installer does not tell capitals from small
        letters in the path
    """

    title: str
    path: str
    labels: tuple[str, ...] = ()
    any_case: bool = False

    def is_at(self, path):
        """Whether its installer finds the file at a path."""
        if self.any_case:
            return path.lower() == self.path.lower()
        return path == self.path


KICKSTART = Kind('kickstart', 'ks.cfg', ('OEMDRV',))
AUTOINSTALL = Kind('Ubuntu autoinstall', 'user-data', ('CIDATA',))
AUTOUNATTEND = Kind('Windows answer file', 'Autounattend.xml', any_case=True)
UNATTEND = Kind('Windows answer file', 'Unattend.xml', any_case=True)
AUTOYAST = Kind('AutoYaST profile', 'autoinst.xml', ('OEMDRV',))
PRESEED = Kind('preseed', 'preseed.cfg')
IGNITION = Kind('Ignition', 'ignition/config.ign', ('ignition',))
COMBUSTION = Kind(
    'Combustion', 'combustion/script', ('combustion', 'ignition')
)
KINDS = (
    KICKSTART,
    AUTOINSTALL,
    AUTOUNATTEND,
    UNATTEND,
    AUTOYAST,
    PRESEED,
    IGNITION,
    COMBUSTION,
)

_WINDOWS = 'urn:schemas-microsoft-com:unattend'
_YAST = 'http://www.suse.com/1.0/yast2ns'
_ROOTS = {
    (_WINDOWS, 'unattend'): UNATTEND,
    (_YAST, 'profile'): AUTOYAST,
}
_WRONG_ENCODING = 'not in the encoding it declares: save it as UTF-8'

#: Passes that Windows Setup takes from Autounattend.xml only.
_SETUP_PASSES = {'windowsPE', 'offlineServicing'}

#: More levels than this are no answers, and PyYAML is slow at them.
_MAX_YAML_DEPTH = 100

_YAML_MARK = re.compile(r'^(?:---|\.\.\.)(?!\S)', re.MULTILINE)
#: More than comments, directives and blank lines.
_YAML_CONTENT = re.compile(r'^[ \t]*[^#%\s]', re.MULTILINE)

#: What others than the installers know their user data by: a script, or a
#: format of cloud-init ("User data formats") or cloudbase-init ("Userdata").
_FOREIGN = re.compile(
    r'#!|#cloud-|#include|#part-handler|#ps1|#upstart-job|## *template:|'
    r'rem cmd',
    re.IGNORECASE,
)

#: Combustion itself looks for this line, to learn whether to bring up the
#: network.
_COMBUSTION_LINE = re.compile(r'^# combustion:', re.MULTILINE)

_IGNITION_KEY = re.compile(r'"ignition"\s*:\s*(?=\{)')
#: The rest of that key's value, when there are mistakes in it.
_IGNITION_VERSION = re.compile(r'\{[^{}]*"version"\s*:\s*"')

#: The format of debconf-set-selections(1), with d-i's own questions.
_PRESEED_LINE = re.compile(
    r'^d-i[ \t]+[a-z0-9-]+/\S+[ \t]+'
    r'(?:boolean|multiselect|note|password|seen|select|string|text)\b',
    re.MULTILINE,
)

#: See "Kickstart Commands in Fedora" of pykickstart's documentation. One of
#: these and one more of either, or a list of packages, make a kickstart:
#: languages and time zones are in other files too.
_KICKSTART_STORAGE = frozenset(
    (
        'autopart',
        'clearpart',
        'ignoredisk',
        'logvol',
        'part',
        'partition',
        'reqpart',
        'volgroup',
        'zerombr',
    )
)
_KICKSTART_COMMANDS = _KICKSTART_STORAGE | {
    'autostep',
    'bootloader',
    'cdrom',
    'firstboot',
    'keyboard',
    'lang',
    'liveimg',
    'ostreecontainer',
    'ostreesetup',
    'rootpw',
    'timezone',
    'url',
}
_KICKSTART_SECTIONS = frozenset(
    (
        '%addon',
        '%anaconda',
        '%certificate',
        '%onerror',
        '%packages',
        '%post',
        '%pre',
        '%pre-install',
        '%traceback',
    )
)
_KICKSTART_INCLUDES = ('%include', '%ksappend')
_KICKSTART_LINE = re.compile(r'[a-z][a-z0-9_-]*(?:\s+[^\s=:].*)?')


def recognise(data):
    """The kind of answers that a single file is.

    :param data: bytes; hostile
    :returns: a :class:`Kind`, or None for anything else
    :raises AnswersUnreadable: when it is clearly meant as answers, for it
        begins as such, and cannot be read. What is broken before that is not
        told from other user data.
    """
    text = _text(data)
    if text is None:
        return None
    if text.startswith('<'):
        return _recognise_xml(data, text)
    if text.startswith('{'):
        return _recognise_json(text)
    if re.match(r'#cloud-config\s', text):
        return _recognise_yaml(text)
    if _COMBUSTION_LINE.search(text) and text.startswith(('#!', '# comb')):
        return COMBUSTION
    if _FOREIGN.match(text):
        return None
    if _PRESEED_LINE.search(text):
        return PRESEED
    return KICKSTART if _is_kickstart(text) else None


def check(kind, data):
    """Refuse a file that its installer would stop at.

    For files that are named as answers: scripts and lists are believed, what
    has a grammar must follow it.

    :param kind: a :class:`Kind`
    :raises AnswersUnreadable: when it cannot be what its name says
    """
    if kind not in (AUTOUNATTEND, UNATTEND, AUTOYAST, IGNITION):
        return
    if not is_kind(kind, data):
        raise exception.AnswersUnreadable(
            kind=kind.title, reason=f'{kind.path} holds something else'
        )


def is_kind(kind, data):
    """Whether a file is what its name says.

    :param kind: a :class:`Kind`; which of its two names a Windows answer file
        has is the user's decision
    :raises AnswersUnreadable: see :func:`recognise`
    """
    found = recognise(data)
    return found is not None and found.title == kind.title


def _text(data):
    """The text of a file, None for what is none."""
    try:
        if data.startswith((b'\xff\xfe', b'\xfe\xff')):
            # As Windows' own editors save XML.
            text = data.decode('utf-16')
        else:
            text = data.decode('utf-8-sig')
    except UnicodeDecodeError:
        # Comments and passwords may be in any older encoding.
        text = data.decode('latin-1')
    if '\0' in text:
        return None
    return text.lstrip()


class _Outline:
    """Takes the root and the passes of a document from its parser.

    That is told nothing of namespaces: it would write them out in every name,
    and user data of some kilobytes would become gigabytes. The root declares
    its own.
    """

    def __init__(self):
        self.root = None
        self.passes = set()
        self._has_entities = False
        self._settings = None

    def declare_entity(self, *_declaration):
        self._has_entities = True

    def start(self, tag, attributes):
        if self.root is None:
            self._start_root(tag, attributes)
            if self._has_entities:
                # Before any in the content is replaced.
                raise _EntitiesError
        elif tag == self._settings:
            self.passes.add(attributes.get('pass'))

    def _start_root(self, tag, attributes):
        prefix, colon, local = tag.rpartition(':')
        namespace = attributes.get(f'xmlns{colon}{prefix}')
        self.root = namespace, local
        self._settings = f'{prefix}{colon}settings'

    @property
    def kind(self):
        if _ROOTS.get(self.root) is UNATTEND and self.passes & _SETUP_PASSES:
            return AUTOUNATTEND
        return _ROOTS.get(self.root)


class _EntitiesError(Exception):
    """There are entities in a document."""


def _recognise_xml(data, text):
    if _WINDOWS not in text and _YAST not in text:
        return None
    outline = _Outline()
    try:
        _parse(data.lstrip(), outline)
    except _EntitiesError as error:
        problem, reason = error, 'XML entities are not allowed'
    # The latter two for encodings that Python does not know, or expat.
    except (expat.ExpatError, LookupError, ValueError) as error:
        problem = reason = error
        if outline.root is None:
            outline, reason = _in_the_encoding_found(text), _WRONG_ENCODING
    else:
        return outline.kind
    if outline.kind is None:
        return None
    raise exception.AnswersUnreadable(
        kind=outline.kind.title, reason=reason
    ) from problem


def _parse(document, outline):
    # A document type without entities is how AutoYaST's profiles begin;
    # nothing is ever fetched.
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = outline.declare_entity
    parser.StartElementHandler = outline.start
    parser.Parse(document, True)


def _in_the_encoding_found(text):
    """The outline of a document, whatever encoding it declares."""
    outline = _Outline()
    with contextlib.suppress(_EntitiesError, expat.ExpatError):
        _parse(text, outline)
    return outline


def _recognise_json(text):
    meant = _IGNITION_KEY.search(text)
    if not meant:
        return None
    try:
        ignition = json.loads(text).get('ignition')
    except (ValueError, RecursionError) as error:
        if not _begins_as_ignition(text, meant):
            return None
        raise exception.AnswersUnreadable(
            kind=IGNITION.title, reason=error
        ) from error
    return IGNITION if _is_ignition(ignition) else None


def _is_ignition(value):
    return isinstance(value, dict) and isinstance(value.get('version'), str)


def _begins_as_ignition(text, key):
    """Whether broken JSON is an Ignition configuration up to there.

    :param key: match of what looks like the key; it counts at top level
    """
    try:
        json.loads(text[: key.start()] + '"": 0}')
    except (ValueError, RecursionError):
        return False
    try:
        value, _end = json.JSONDecoder().raw_decode(text, key.end())
    except (ValueError, RecursionError):
        return bool(_IGNITION_VERSION.match(text, key.end()))
    return _is_ignition(value)


def _recognise_yaml(text):
    meant = re.search(
        r'^autoinstall[ \t]*:', _first_document(text), re.MULTILINE
    )
    # Parsed only when it may matter: ordinary user data costs nothing.
    if 'autoinstall' not in text:
        return None
    try:
        found = 'autoinstall' in _top_level_keys(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not meant:
            return None
        raise exception.AnswersUnreadable(
            kind=AUTOINSTALL.title, reason=_yaml_problem(error)
        ) from error
    return AUTOINSTALL if found else None


def _first_document(text):
    """The first document of a YAML stream, without parsing it."""
    documents = _YAML_MARK.split(text)
    return next(filter(_YAML_CONTENT.search, documents), '')


def _top_level_keys(text):
    """Keys of the mapping that the first document of a YAML stream is.

    Only the events of the parser are looked at: nothing is constructed, so
    that aliases and merge keys have nothing to multiply.
    """
    depth = 0
    nodes = 0
    keys = set()
    mapping = False
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if depth == 0:
            mapping = isinstance(event, yaml.MappingStartEvent)
        elif depth == 1 and mapping:
            # Keys and values take turns.
            if nodes % 2 == 0 and isinstance(event, yaml.ScalarEvent):
                keys.add(event.value)
            nodes += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_YAML_DEPTH:
                raise ValueError('too many levels')
    return keys


def _yaml_problem(error):
    mark = getattr(error, 'problem_mark', None)
    if mark is None:
        return error
    return f'line {mark.line + 1}: {error.problem}'


def _is_kickstart(text):
    commands = set()
    sections = set()
    section = False
    joined = text.replace('\r\n', '\n').replace('\\\n', ' ')
    for line in joined.splitlines():
        word = line.split(maxsplit=1)[0] if line.strip() else '#'
        if word == '%end':
            section = False
        elif word in _KICKSTART_SECTIONS:
            section = True
            sections.add(word)
        elif section or word.startswith('#') or word in _KICKSTART_INCLUDES:
            continue
        elif _KICKSTART_LINE.fullmatch(line.strip()):
            commands.add(word)
        else:
            return False
    if '%packages' in sections:
        return True
    known = commands & _KICKSTART_COMMANDS
    return len(known) >= 2 and bool(known & _KICKSTART_STORAGE)
