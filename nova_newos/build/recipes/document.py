# SPDX-License-Identifier: Apache-2.0
"""A recipe as a document: read within limits, checked, and written."""

import dataclasses
import functools
import importlib.resources
import json
import pathlib

import yaml

from nova_newos import keys
from nova_newos import terminal
from nova_newos.build.recipes import answers
from nova_newos.build.recipes import exception

#: Bytes of a recipe.
MAX_SIZE = 2**20

#: Levels of a recipe are four.
_MAX_DEPTH = 16

# libyaml reads a mebibyte in tenths of a second, the other in many seconds.
_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a build needs, but for its secrets.

    :ivar iso: name or id of the install ISO
    :ivar description: a line, or ''
    :ivar group: or ''
    :ivar answers: dict of path on the answer CD to text
    :ivar script: text of the provisioning script, or None
    :ivar secrets: dict of name to description
    :ivar settings: dict, see ``recipe.schema.json``
    :ivar boot_test: as :attr:`nova_newos.build.plan.Plan.boot_test`, or None
    """

    iso: str
    description: str = ''
    group: str = ''
    answers: dict = dataclasses.field(default_factory=dict)
    script: str | None = None
    secrets: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)
    boot_test: str | None = None

    def as_document(self):
        """The document, with what is not empty; a dict."""
        fields = dataclasses.asdict(self)
        return {'format': 1, **{k: v for k, v in fields.items() if v}}

    def dump(self):
        """As it is kept and exported.

        :returns: YAML, bytes in UTF-8. Control characters are escaped.
        :raises RecipeTooLarge: when it could not be read again
        """
        data = yaml.dump(
            self.as_document(),
            Dumper=_Dumper,
            allow_unicode=True,
            encoding='utf-8',
            sort_keys=False,
            width=79,
        )
        if len(data) > MAX_SIZE:
            raise exception.RecipeTooLarge(limit=MAX_SIZE)
        return data


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as that."""


def _represent_text(dumper, text):
    style = '|' if '\n' in text else None
    return dumper.represent_scalar('tag:yaml.org,2002:str', text, style)


_Dumper.add_representer(str, _represent_text)


def load(path):
    """The recipe in a file, with the files that it names.

    :param path: a pathlib.Path. Files are looked for below its directory.
    :raises NewosError: when it is none
    :raises OSError: when it cannot be read
    """
    with path.open('rb') as file:
        data = file.read(MAX_SIZE + 1)
    return parse(data, path.resolve().parent)


def parse(data, directory=None):
    """The recipe in a document.

    :param data: bytes; hostile
    :param directory: a pathlib.Path, where files are that it names; None to
        refuse such
    :returns: a :class:`Recipe`
    :raises NewosError: when it is none
    """
    if len(data) > MAX_SIZE:
        raise exception.RecipeTooLarge(limit=MAX_SIZE)
    found = _content(data)
    error = _first_error(found)
    if error is not None:
        raise exception.RecipeInvalid(
            path=terminal.printable(error.json_path)[:120],
            reason=terminal.printable(error.message),
        )
    del found['format']
    for path, content in found.get('answers', {}).items():
        found['answers'][path] = _text(content, directory)
    if 'script' in found:
        found['script'] = _text(found['script'], directory)
    recipe = Recipe(**found)
    answers.check(recipe)
    if 'keys' in recipe.settings:
        keys.parse(recipe.settings['keys'])
    return recipe


def _first_error(found):
    """What is wrong with a document, None if nothing is."""
    # It takes long to load, and the client loads this module for its help.
    import jsonschema

    return jsonschema.exceptions.best_match(_validator().iter_errors(found))


@functools.cache
def _validator():
    import jsonschema

    text = importlib.resources.files(__package__).joinpath(
        'recipe.schema.json'
    )
    return jsonschema.Draft202012Validator(json.loads(text.read_text()))


def _content(data):
    """What YAML says, after a look that nothing in it multiplies."""
    try:
        text = data.decode()
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError('no aliases, please: write it out')
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise ValueError('it has too many levels')
        # The safe one, whichever it is.
        return yaml.load(text, Loader=_LOADER)  # noqa: S506
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise exception.RecipeUnreadable(
            reason=terminal.printable(_problem(error))
        ) from error


def _problem(error):
    mark = getattr(error, 'problem_mark', None)
    if mark is None:
        return str(error)
    return f'line {mark.line + 1}: {error.problem}'


def _text(content, directory):
    """Text that a recipe has, or that is in a file beside it."""
    if isinstance(content, str):
        return content
    name = content['file']
    if directory is None:
        raise exception.RecipeFileRefused(
            path=name, problem='is not part of it: write its text there'
        )
    path = pathlib.Path(directory, name).resolve()
    # A recipe may be another's: it is not to read my keys.
    if not path.is_relative_to(directory):
        raise exception.RecipeFileRefused(
            path=name, problem="is not below the recipe's directory"
        )
    try:
        with path.open('rb') as file:
            data = file.read(MAX_SIZE + 1)
        text = data.decode()
    except OSError as error:
        raise exception.RecipeFileRefused(
            path=name, problem=f'cannot be read: {error.strerror}'
        ) from error
    except UnicodeDecodeError as error:
        raise exception.RecipeFileRefused(
            path=name, problem='is no text in UTF-8'
        ) from error
    if len(data) > MAX_SIZE:
        raise exception.RecipeTooLarge(limit=MAX_SIZE)
    return text
