# SPDX-License-Identifier: Apache-2.0
"""What a name of Nova's is, in the installed Nova."""

import ast
import hashlib
import importlib
import importlib.metadata
import inspect
import io
import textwrap
import tokenize
import types

from nova import objects
from oslo_config import cfg

# As each of Nova's services does; nova.objects.Migration and the like are not
# there before.
objects.register_all()

# Our own options live in Nova's CONF.
OURS = 'nova.conf.CONF.newos'

ABSENT = {'kind': 'absent'}


def version():
    """The version of the installed Nova, such as '34.0.0'."""
    return importlib.metadata.version('nova')


def _is_walkable(thing):
    return isinstance(
        thing,
        (types.ModuleType, type, cfg.ConfigOpts, cfg.ConfigOpts.GroupAttr),
    )


def _import_or_get(thing, dotted):
    """The attribute, importing it if it is a module not yet imported."""
    try:
        return inspect.getattr_static(thing, dotted.rpartition('.')[2])
    except AttributeError:
        if isinstance(thing, (cfg.ConfigOpts, cfg.ConfigOpts.GroupAttr)):
            return getattr(thing, dotted.rpartition('.')[2])
        if not isinstance(thing, types.ModuleType):
            raise
        try:
            return importlib.import_module(dotted)
        except ModuleNotFoundError:
            raise AttributeError(dotted) from None


def walk(dotted):
    """Follow a name as far as Nova's modules, classes and options go.

    :param dotted: such as nova.conf.CONF.host.lower
    :returns: (the part of the name that was followed, such as
        nova.conf.CONF.host, the object, the class or module it belongs to)
    :raises AttributeError: with the part of the name that does not exist
    """
    first, *rest = dotted.split('.')
    name, owner, thing = first, None, importlib.import_module(first)
    for part in rest:
        if not _is_walkable(thing):
            break
        name = '%s.%s' % (name, part)
        try:
            owner, thing = thing, _import_or_get(thing, name)
        except (AttributeError, cfg.NoSuchOptError):
            error = AttributeError(name)
            error.owner = thing
            raise error from None
    return name, thing, owner


def parameters(function):
    """How a function is called, the same in all versions of Python.

    :returns: list such as ['self', 'context', 'destroy_disks=', '**kwargs'];
        defaults are not shown, the hash of the source covers them
    """
    marks = {
        inspect.Parameter.VAR_POSITIONAL: '*',
        inspect.Parameter.VAR_KEYWORD: '**',
    }
    shown = []
    keyword_only = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            keyword_only = True
        elif (
            parameter.kind is inspect.Parameter.KEYWORD_ONLY
            and not keyword_only
        ):
            shown.append('*')
            keyword_only = True
        has_default = parameter.default is not inspect.Parameter.empty
        shown.append(
            marks.get(parameter.kind, '')
            + parameter.name
            + ('=' if has_default else '')
        )
    return shown


def source_hash(source):
    """A hash of Python source that comments and docstrings do not change.

    Made from the text, not from the syntax tree, which differs between
    versions of Python. Reformatted code has another hash.

    :param source: text of a function or class
    :returns: 16 hexadecimal digits
    """
    lines = textwrap.dedent(source).splitlines()
    for start, end in (*_docstring_spans(lines), *_comment_spans(lines)):
        _blank(lines, start, end)
    kept = [line.rstrip() for line in lines if line.strip()]
    return hashlib.sha256('\n'.join(kept).encode()).hexdigest()[:16]


def _comment_spans(lines):
    text = io.StringIO('\n'.join(lines) + '\n')
    return [
        (token.start, token.end)
        for token in tokenize.generate_tokens(text.readline)
        if token.type == tokenize.COMMENT
    ]


def _docstring_spans(lines):
    for node in ast.walk(ast.parse('\n'.join(lines))):
        if isinstance(
            node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
        ) and (ast.get_docstring(node, clean=False)):
            doc = node.body[0]
            yield (
                (doc.lineno, doc.col_offset),
                (doc.end_lineno, doc.end_col_offset),
            )


def _blank(lines, start, end):
    (first, left), (last, right) = start, end
    for number in range(first - 1, last):
        line = lines[number]
        begin = left if number == first - 1 else 0
        stop = right if number == last - 1 else len(line)
        lines[number] = line[:begin] + ' ' * (stop - begin) + line[stop:]


def _function(thing):
    """The function behind a method, property or decorator, or None."""
    if isinstance(thing, property):
        thing = thing.fget
    thing = getattr(thing, '__func__', thing)
    thing = inspect.unwrap(thing)
    return thing if inspect.isfunction(thing) else None


def _binding(thing):
    for kind in (property, classmethod, staticmethod):
        if isinstance(thing, kind):
            return kind.__name__
    return 'function'


def _class_fact(thing):
    init = inspect.getattr_static(thing, '__init__')
    return {
        'kind': 'class',
        'bases': [
            '%s.%s' % (base.__module__, base.__qualname__)
            for base in thing.__bases__
        ],
        'parameters': (parameters(init) if inspect.isfunction(init) else []),
    }


def describe(thing):
    """What an object is.

    :param thing: a function, method, property, class, module or value
    :returns: dict of plain values, with at least ``kind``
    """
    if isinstance(thing, types.ModuleType):
        return {'kind': 'module'}
    if isinstance(thing, type):
        return _class_fact(thing)
    function = _function(thing)
    if function:
        return {
            'kind': _binding(thing),
            'parameters': parameters(function),
            'source': source_hash(inspect.getsource(function)),
        }
    fact = {'kind': 'value', 'type': type(thing).__name__}
    if isinstance(thing, (str, int, float, tuple, type(None))):
        fact['value'] = repr(thing)
    return fact


def _assigned_by(owner, attribute):
    """Nova's classes that set an attribute on ``self``."""
    wanted = 'self.%s' % attribute
    for base in inspect.getmro(owner):
        if not base.__module__.startswith('nova.'):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and ast.unparse(node) == wanted
            ):
                yield '%s.%s' % (base.__module__, base.__qualname__)
                break


def look_up(dotted):
    """What a name is in the installed Nova.

    :param dotted: such as nova.virt.libvirt.driver.LibvirtDriver.spawn
    :returns: (the part of the name that is Nova's, its fact): ABSENT if
        there is no such thing
    """
    try:
        name, thing, owner = walk(dotted)
    except AttributeError as error:
        name = str(error)
        owner = error.owner
        if isinstance(owner, type):
            setters = list(_assigned_by(owner, name.rpartition('.')[2]))
            if setters:
                return name, {'kind': 'instance attribute', 'set by': setters}
        return name, ABSENT
    if isinstance(owner, (cfg.ConfigOpts, cfg.ConfigOpts.GroupAttr)):
        return name, {'kind': 'option'}
    return name, describe(thing)


def relied_on(names, members, also=()):
    """The facts of all that our code relies on.

    :param names: dotted names reached through imports
    :param members: members of Nova's classes that may be ours alone: those
        that Nova does not know are left out
    :param also: more names, reached in ways that the source does not tell
    :returns: dict of name to fact
    """
    found = dict(look_up(name) for name in {*names, *also})
    for member in members:
        name, fact = look_up(member)
        if fact != ABSENT:
            found[name] = fact
    return {
        name: fact
        for name, fact in sorted(found.items())
        if fact['kind'] != 'module'
        and name != OURS
        and not name.startswith(OURS + '.')
    }
