# SPDX-License-Identifier: Apache-2.0
"""What an installer has left of the answers that it was given.

Anaconda, Subiquity, debian-installer and YaST write them down, so that the
next system can be installed without anybody; their guides say where. They have
passwords in them, which do not leave the guest: a secret gives way to its
place, ``${{ secrets.NAME }}``, and a file of which that cannot be done for
sure is not taken at all.
"""

import re

from . import ask

try:
    import yaml
except ImportError:
    yaml = None

_KICKSTART = '/root/anaconda-ks.cfg'
_AUTOINSTALL = '/var/log/installer/autoinstall-user-data'
_AUTOYAST = '/root/autoinst.xml'
_QUESTIONS = '/var/log/installer/cdebconf/questions.dat'
_TEMPLATES = '/var/log/installer/cdebconf/templates.dat'

# Bytes of a file of answers, and of debian-installer's templates in all its
# languages, which are four MiB: as much as libguestfs can send at all.
_MAX_FILE = 1 << 18
_MAX_TEMPLATES = 1 << 24

# Values in an autoinstall, which has some hundreds.
_MAX_VALUES = 10000

# Of a kickstart: they have passwords, or name other files.
_NOT_KEPT = ('sshpw', '%include', '%ksappend')

# Keys of Subiquity's answers and of cloud-init with scripts and files.
_SCRIPTS = frozenset(
    (
        *('early-commands', 'late-commands', 'error-commands'),
        *('bootcmd', 'runcmd', 'write_files', 'write-files'),
    )
)

# What the names of options, keys and elements with secrets are made of.
_NAME = (
    r'[\w.-]{0,40}(?:passw(?:or)?d|passphrase|psk|wpa-?key|wep-?key|crypt_key|'
    r'wireless_(?:w(?:pa|ep)|key)|activation-?key|reg_?code|secret|token|private_?key)[\w.-]{0,40}'
)
_IS_SECRET = re.compile(_NAME, re.IGNORECASE)

# What is one whatever it is called: hashes of crypt(5), keys, and who logs in
# at a URL.
_LEFT = re.compile(
    r'\$(?:1|5|6|7|y|gy|2[abxy])\$[./A-Za-z0-9$=,]{6}'
    r'|-----BEGIN [A-Z ]*PRIVATE KEY'
    r'|://[^/\s@\'"<>]+@'
)


def look(g):
    """The answers that are left in a guest, without secrets.

    :param g: a guestfs.GuestFS with the system mounted
    :returns: dict of the path on an answer CD to text; none of a kind that is
        not there, is larger than any installer writes it, or cannot be freed
        of secrets
    """
    readers = {
        'ks.cfg': lambda: kickstart(_text(g, _KICKSTART)),
        'user-data': lambda: autoinstall(_text(g, _AUTOINSTALL)),
        'preseed.cfg': lambda: preseed(
            _text(g, _QUESTIONS), _types(g, _TEMPLATES)
        ),
        'autoinst.xml': lambda: autoyast(_text(g, _AUTOYAST)),
    }
    found = {}
    for name, reader in readers.items():
        text = ask.attempt(reader)
        if text and not _LEFT.search(text):
            found[name] = text
    return found


def _text(g, path):
    """The text of a file.

    :raises RuntimeError: when there is none, or too much
    :raises UnicodeError: when it is no text
    """
    if not g.is_file(path) or g.filesize(path) > _MAX_FILE:
        raise RuntimeError(path)
    return ask.as_bytes(g.read_file(path)).decode()


def _types(g, path):
    """Dict of the name of each template of debian-installer to its type."""
    if not g.is_file(path) or g.filesize(path) > _MAX_TEMPLATES:
        raise RuntimeError(path)
    # In the appliance; templates are separated by empty lines.
    lines = g.grep('^(Name: |Type: |$)', path, extended=True)
    return {
        record.get('Name'): record.get('Type')
        for record in _records('\n'.join(lines))
    }


class _Places:
    """Gives each secret a place of its own."""

    def __init__(self):
        self._names = {}

    def of(self, hint):
        """The place of a secret, by a name that says what it is."""
        name = re.sub(r'[^a-z0-9]+', '-', hint.lower()).strip('-')
        name = name[:48] if name[:1].isalpha() else 'secret'
        count = self._names[name] = self._names.get(name, 0) + 1
        if count > 1:
            name = '%s-%d' % (name, count)
        return '${{ secrets.%s }}' % name


def kickstart(text):
    """A kickstart's commands and packages.

    Its scripts are left out, and comments, in which Anaconda has commands.
    """
    places = _Places()
    lines = []
    is_kept = True
    for line in text.splitlines():
        word = line.split(maxsplit=1)[0] if line.strip() else ''
        if word.startswith('%') and word not in ('%end', '%include'):
            is_kept = word == '%packages'
        is_comment = word.startswith('#')
        if is_kept and not is_comment and word not in _NOT_KEPT:
            lines.append(_kickstart_line(line, word, places))
        if word == '%end':
            is_kept = True
    return '\n'.join(lines) + '\n'


def _kickstart_line(line, word, places):
    if word == 'rootpw':
        # With --lock there may be a password all the same.
        locked = '--lock' in line.split()
        return (
            word
            + ' '
            + ('--lock' if locked else '--iscrypted ' + places.of(word))
        )
    # Up to the next option: what Anaconda writes need not be in quotes, and
    # may have some in it.
    return re.sub(
        r'--(%s)(?:=|[ \t]+).*?(?=[ \t]--[a-z]|$)' % _NAME,
        lambda match: '--%s=%s' % (match[1], places.of(word + ' ' + match[1])),
        line,
        flags=re.IGNORECASE,
    )


def autoinstall(text):
    """Subiquity's answers, without scripts and files."""
    # Merge keys multiply as they are read; Subiquity writes none.
    if yaml is None or '<<' in text:
        raise RuntimeError('not to be read')
    try:
        document = _Copy().of(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuntimeError(str(error)) from error
    if not isinstance(document, dict) or 'autoinstall' not in document:
        raise RuntimeError('no autoinstall')
    return '#cloud-config\n' + yaml.safe_dump(document, sort_keys=False)


class _Copy:
    """Copies a document; secrets become places."""

    def __init__(self):
        self._places = _Places()
        self._left = _MAX_VALUES

    def of(self, value, hint=None):
        """A copy of a value.

        :param hint: the name of what is a secret, or None
        :raises RuntimeError: when aliases make it very large. Subiquity writes
            some, of lists of architectures.
        """
        self._left -= 1
        if self._left < 0:
            raise RuntimeError('too many values')
        if isinstance(value, dict):
            return {
                key: self.of(each, hint or _secret_name(key))
                for key, each in value.items()
                if key not in _SCRIPTS
            }
        if isinstance(value, list):
            return [self.of(each, hint) for each in value]
        # Whether there is one is no secret.
        if hint is None or value in (None, '', True, False):
            return value
        return self._places.of(hint)


def _secret_name(key):
    # "key" itself is what dm-crypt's storage is opened with.
    is_secret = key == 'key' or _IS_SECRET.fullmatch(str(key))
    return str(key) if is_secret else None


def autoyast(text):
    """A profile of AutoYaST, without its scripts.

    Text without markup is what elements hold.
    """
    text = _without(text, '<!--', '-->')
    text = _without(text, '<scripts', '</scripts>')
    if '<!ENTITY' in text or '<![CDATA[' in text:
        raise RuntimeError('not plain XML')
    places = _Places()
    return re.sub(
        r'(<(%s)(?:\s[^<>]*)?>)\s*[^<\s][^<]*(?=</)' % _NAME,
        lambda match: match[1] + places.of(match[2]),
        text,
        flags=re.IGNORECASE,
    )


def _without(text, begin, end):
    """A text without its parts from one mark to the next of another.

    :raises RuntimeError: when one has no end
    """
    kept = []
    head, mark, rest = text.partition(begin)
    while mark:
        kept.append(head)
        _part, mark, rest = rest.partition(end)
        if not mark:
            raise RuntimeError(begin + ' without an end')
        head, mark, rest = rest.partition(begin)
    return ''.join([*kept, head])


def preseed(questions, types):
    """Lines that answer the questions that debian-installer has asked.

    :param questions: text of its database of questions, RFC 822 records
    :param types: dict of the name of a template to its type
    :raises RuntimeError: when there is no answer in it
    """
    places = _Places()
    lines = []
    for record in _records(questions):
        kind = types.get(record.get('Template'))
        name, value = record.get('Name', ''), record.get('Value', '')
        if kind not in _ANSWERED or not _is_answer(name, record):
            continue
        if kind == 'password' or (
            kind == 'string' and _IS_SECRET.search(name.rpartition('/')[2])
        ):
            value = places.of(name)
        elif not value:
            continue
        lines.append('d-i %s %s %s' % (name, kind, value))
    if not lines:
        raise RuntimeError('no answers')
    return '\n'.join(['#_preseed_V1', *sorted(lines)]) + '\n'


#: Types of questions with an answer; the others show something.
_ANSWERED = frozenset(
    ('boolean', 'multiselect', 'password', 'select', 'string')
)


# About the run, not the system: what was booted with, and who was asked.
_OF_THE_RUN = ('auto-install/', 'debconf/', 'preseed/')


def _is_answer(name, record):
    """Whether it is what a person, or a preseed, has said of the system.

    What is run is left out, as the scripts of a kickstart are.
    """
    if name.startswith(_OF_THE_RUN) or name.endswith('_command'):
        return False
    # Put together of language and country, which were asked for.
    if name == 'debian-installer/locale':
        return True
    return 'seen' in re.split(r'[,\s]+', record.get('Flags', ''))


def _records(text):
    """Records of a database of cdebconf, a dict each.

    Of a field that goes on in further lines, which are descriptions and
    lists of choices, the first line is enough.
    """
    record = {}
    for line in text.splitlines():
        if not line.strip():
            if record:
                yield record
            record = {}
        elif not line[0].isspace():
            name, colon, value = line.partition(':')
            if colon:
                record.setdefault(name, value.strip())
    if record:
        yield record
