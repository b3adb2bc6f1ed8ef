# SPDX-License-Identifier: Apache-2.0
"""From the answers of a recipe to the user data of a server."""

import io
import json
import re
import tarfile
from xml.sax import saxutils

from nova_newos.build.recipes import exception

#: The provisioning script on the answer CD.
SCRIPT, WINDOWS_SCRIPT = 'provision.sh', 'provision.ps1'

# As GitHub's workflows have it: it begins neither a plain scalar of YAML that
# would be something else, nor markup, nor anything that a shell takes.
_PLACE = re.compile(r'\$\{\{\s*secrets\.([a-z][a-z0-9_-]*)\s*\}\}')

# How a value is spelled in a file, by the end of the file's name.
_ESCAPES = {
    '.xml': lambda value: saxutils.escape(
        value, {'"': '&quot;', "'": '&apos;'}
    ),
    '.ign': lambda value: json.dumps(value)[1:-1],
}

# Any server's id: what is only checked is for none.
_NO_SERVER = '00000000-0000-0000-0000-000000000000'

_LOOKS_SECRET = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY
    # crypt(5)
    | \$(?:1|5|6|7|y|gy|2[abxy])\$[./A-Za-z0-9$=,]{6}
    # Preseed
    | password(?:-crypted|-again)?[ \t]+(?:password|string)[ \t]+\S
    # Kickstart
    | ^[ \t]*rootpw(?!.*--lock)(?:[ \t]+--\S+)*[ \t]+(?!-)\S
    | --(?:password|passphrase)[= \t][ \t]*[^-\s]
    # XML
    | <(?:\w*password|ProductKey)\b[^<>/]{0,200}>\s*(?:<Value>\s*)?[^<\s]
    # YAML, JSON and others
    | (?:passw(?:or)?d|passphrase|psk|\btoken)["']?[ \t]*[:=][ \t]*["']?[^\s"']
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def check(recipe):
    """Refuse answers that no build could use.

    :param recipe: a :class:`~nova_newos.build.recipes.document.Recipe`
    :raises NewosError: as the answer CD does, or for a secret that the recipe
        does not describe
    """
    for text in _texts(recipe).values():
        for name in places(text):
            if name not in recipe.secrets:
                raise exception.SecretUndeclared(name=name)
    user_data(recipe, dict.fromkeys(recipe.secrets, 'secret'))


def places(text):
    """Names of the secrets that a text has places for; list of str."""
    return _PLACE.findall(text)


def user_data(recipe, secrets):
    """The user data of an install server.

    :param recipe: a :class:`~nova_newos.build.recipes.document.Recipe`
    :param secrets: dict of name to value, str
    :returns: bytes: the only file as it is, if it is known for what it is;
        otherwise a tar. None when there are no answers.
    :raises NewosError: when they cannot be used
    """
    _check_secrets(recipe, secrets)
    files = [
        (path, _filled(path, text, secrets))
        for path, text in recipe.answers.items()
    ]
    if recipe.script is not None:
        path = script_path(recipe)
        files.append((path, _filled(path, recipe.script, secrets)))
    if not files:
        return None
    data = _alone(*files[0]) if len(files) == 1 else None
    data = data or _tar(files)
    # It takes long to load, and the client loads this module for its help.
    from nova_newos.media.answers import cd

    cd.from_user_data(data, _NO_SERVER)
    return data


def script_path(recipe):
    """Where the provisioning script is on the answer CD."""
    from nova_newos.media.answers import detect

    windows = detect.AUTOUNATTEND, detect.UNATTEND
    if any(kind.is_at(path) for kind in windows for path in recipe.answers):
        return WINDOWS_SCRIPT
    return SCRIPT


def warnings(recipe):
    """What the author of a recipe may not have meant; list of str."""
    found = []
    for path, text in _texts(recipe).items():
        match = _LOOKS_SECRET.search(_PLACE.sub('', text))
        if match:
            line = match.string.count('\n', 0, match.start()) + 1
            found.append(
                f'{path}, line {line}: that looks like a password, and who '
                'can see the recipe can read it; see "secrets"'
            )
    if recipe.script is not None:
        path = script_path(recipe)
        if not any(path in text for text in recipe.answers.values()):
            found.append(f'no answer file runs {path}')
    return found


def _texts(recipe):
    texts = dict(recipe.answers)
    if recipe.script is not None:
        texts[script_path(recipe)] = recipe.script
    return texts


def _check_secrets(recipe, secrets):
    for name, value in secrets.items():
        if name not in recipe.secrets:
            raise exception.SecretUnknown(
                name=name, known=', '.join(recipe.secrets) or 'none'
            )
        if not value or not value.isprintable():
            raise exception.SecretInvalid(name=name)
    missing = [name for name in recipe.secrets if name not in secrets]
    if missing:
        raise exception.SecretMissing(names='=FILE --secret '.join(missing))


def _filled(path, text, secrets):
    escape = _ESCAPES.get(path[-4:].lower(), str)
    return _PLACE.sub(lambda match: escape(secrets[match[1]]), text).encode()


def _alone(path, data):
    """The data of a file that needs no tar around it, or None."""
    from nova_newos.media.answers import detect

    kind = detect.recognise(data)
    return data if kind is not None and kind.is_at(path) else None


def _tar(files):
    """An xz-compressed tar; what begins as a script can be run."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w:xz') as archive:
        for path, data in files:
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o755 if data.startswith(b'#!') else 0o644
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()
