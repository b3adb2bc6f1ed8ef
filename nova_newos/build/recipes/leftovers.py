# SPDX-License-Identifier: Apache-2.0
"""A recipe of what an installer has left on a golden image.

See :mod:`nova_newos.golden.leftovers`, which has put it there.
"""

import base64
import json
import re
import zlib

from nova_newos import terminal
from nova_newos.build.recipes import answers
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception

_ANSWERS = 'golden_answers'
_NONE = 'none: '
_ASK = (
    'set newos_keep_answers=true on the install server before the image is '
    'made'
)

# What a person did at the end, and nobody does the next time.
_KICKSTART_ENDS = ('poweroff', 'reboot', 'halt', 'shutdown')
# Passwords are in no database that debian-installer leaves.
_PASSWORDS = (
    ('passwd/root-login', 'passwd/root-password', 'root-password-hash'),
    ('passwd/make-user', 'passwd/user-password', 'user-password-hash'),
)
_POWER_OFF = {
    'ks.cfg': 'poweroff\n',
    'preseed.cfg': 'd-i debian-installer/exit/poweroff boolean true\n',
}


def recipe_of(image):
    """The recipe that installs as a person has done.

    :param image: of a golden image; others can write its properties
    :returns: a :class:`~nova_newos.build.recipes.document.Recipe`
    :raises AnswersNotKept: when there is nothing to make it of
    :raises NewosError: when it would not be a recipe
    """
    properties = image.properties or {}
    files = _unpacked(image, properties)
    settings = {}
    if image.min_disk:
        settings['disk'] = image.min_disk
    if image.min_ram:
        settings['ram'] = image.min_ram
    if not _POWER_OFF.keys() & files.keys():
        settings['finish'] = 'reboot'
    if 'seal_sysprep' in properties:
        settings['seal'] = True
    files = {path: _finished(path, text) for path, text in files.items()}
    found = {
        'format': 1,
        'description': f'As {image.name or image.id} was installed'[:255],
        'iso': properties.get('provenance_iso') or 'unknown',
        'answers': files,
        'secrets': {
            name: 'Was typed by the person who installed'
            for text in files.values()
            for name in answers.places(text)
        },
        'settings': settings,
    }
    return document.parse(
        json.dumps({k: v for k, v in found.items() if v}).encode()
    )


def _finished(path, text):
    """Answers that ask nothing, and end with the server powered off."""
    if path == 'ks.cfg' and any(
        line.split()[:1] == [end]
        for line in text.splitlines()
        for end in _KICKSTART_ENDS
    ):
        return text
    lines = [text, _POWER_OFF.get(path, '')]
    if path == 'preseed.cfg':
        lines += [
            f'd-i {question}-crypted password ${{{{ secrets.{name} }}}}\n'
            for asked, question, name in _PASSWORDS
            if question not in text
            and not re.search(rf'{asked} \w+ false', text)
        ]
    return ''.join(lines)


def _unpacked(image, properties):
    name = terminal.printable(image.name or image.id)
    value = properties.get(_ANSWERS)
    if value is None:
        raise exception.AnswersNotKept(image=name, reason=_ASK)
    if value.startswith(_NONE):
        raise exception.AnswersNotKept(
            image=name, reason=terminal.printable(value.removeprefix(_NONE))
        )
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(
            base64.b64decode(value, validate=True), document.MAX_SIZE
        )
        if not unpacker.eof:
            raise ValueError('it is not whole')
        files = dict(json.loads(data))
        if not files or not all(isinstance(t, str) for t in files.values()):
            raise ValueError('it is something else')
        return files
    except (ValueError, TypeError, zlib.error, RecursionError) as error:
        raise exception.AnswersNotKept(
            image=name,
            reason='they are cut off, as on a snapshot of a server made from '
            'the golden image: name that',
        ) from error
