# SPDX-License-Identifier: Apache-2.0
"""What a name of Nova's is, in the installed Nova."""

import ast
import hashlib
import importlib
import inspect
import textwrap
import types

from nova import objects
from oslo_config import cfg

# As each of Nova's services does; nova.objects.Migration and the like are not
# there before.
objects.register_all()

# Our own options live in Nova's CONF.
OURS = 'nova.conf.CONF.newos'

MODULE, ABSENT = 'module', 'absent'
_OPTIONS = (cfg.ConfigOpts, cfg.ConfigOpts.GroupAttr)


def _attribute(owner, dotted):
    """The attribute, importing it if it is a module not yet imported."""
    attribute = dotted.rpartition('.')[2]
    try:
        return inspect.getattr_static(owner, attribute)
    except AttributeError:
        if isinstance(owner, _OPTIONS):
            return getattr(owner, attribute)
        if isinstance(owner, types.ModuleType):
            return importlib.import_module(dotted)
        raise


def look_up(dotted):
    """What a name is in the installed Nova.

    :param dotted: such as nova.conf.CONF.host.lower
    :returns: (the part of the name that is Nova's, such as
        nova.conf.CONF.host, what it is)
    """
    first, *rest = dotted.split('.')
    name, owner, thing = first, None, importlib.import_module(first)
    for part in rest:
        if not isinstance(thing, (types.ModuleType, type, *_OPTIONS)):
            break
        name, owner = '%s.%s' % (name, part), thing
        try:
            thing = _attribute(owner, name)
        except (AttributeError, ImportError, cfg.NoSuchOptError):
            return name, _set_by_instances(owner, part)
    return name, 'option' if isinstance(owner, _OPTIONS) else describe(thing)


def _set_by_instances(owner, attribute):
    """Which of Nova's classes set an attribute on ``self``."""
    setters = [
        base.__qualname__
        for base in (inspect.getmro(owner) if isinstance(owner, type) else ())
        if base.__module__.startswith('nova.')
        and any(
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node) == 'self.%s' % attribute
            for node in ast.walk(ast.parse(_source(base)))
        )
    ]
    return 'attribute, set by %s' % ', '.join(setters) if setters else ABSENT


def _source(thing):
    return textwrap.dedent(inspect.getsource(thing))


def _digest(function):
    """Of the source, without the lines that are comments.

    Not of the syntax tree, which differs between versions of Python.
    """
    kept = [
        line.rstrip()
        for line in _source(function).splitlines()
        if line.strip() and not line.lstrip().startswith('#')
    ]
    return hashlib.sha256('\n'.join(kept).encode()).hexdigest()[:8]


def _parameters(function):
    """How a function is called: '(self, context, destroy_disks=, **kwargs)'

    Defaults are not shown, which versions of Python print differently; the
    digest covers them.
    """
    signature = inspect.signature(function)
    shown = [
        parameter.replace(
            annotation=parameter.empty,
            default=parameter.default
            if parameter.default is parameter.empty
            else _Default(),
        )
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(shown))


class _Default:
    def __repr__(self):
        return ''


def describe(thing):
    """What an object is, in a line."""
    if isinstance(thing, types.ModuleType):
        return MODULE
    if isinstance(thing, type):
        bases = ', '.join(base.__qualname__ for base in thing.__bases__)
        init = inspect.getattr_static(thing, '__init__')
        called = _parameters(init) if inspect.isfunction(init) else ''
        return 'class of %s %s' % (bases, called)
    function = getattr(thing, 'fget', getattr(thing, '__func__', thing))
    function = inspect.unwrap(function)
    if inspect.isfunction(function):
        kind = type(thing).__name__ + ' '
        return '%s%s %s' % (
            '' if kind == 'function ' else kind,
            _parameters(function),
            _digest(function),
        )
    if isinstance(thing, (str, int, float, tuple, type(None))):
        return repr(thing)
    return type(thing).__name__


def relied_on(names, members):
    """What Nova has of all that our code relies on.

    :param names: dotted names
    :param members: members of Nova's classes that may be ours alone: those
        that Nova does not know are left out
    :returns: dict of name to what it is
    """
    found = dict(map(look_up, members))
    found = {name: what for name, what in found.items() if what != ABSENT}
    found |= dict(map(look_up, names))
    return {
        name: what
        for name, what in found.items()
        if what != MODULE and not f'{name}.'.startswith(f'{OURS}.')
    }
