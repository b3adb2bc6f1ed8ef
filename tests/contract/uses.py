# SPDX-License-Identifier: Apache-2.0
"""The names of Nova's that our source uses, read without running it."""

import ast
import pathlib

PACKAGE = pathlib.Path(__file__).parents[2] / 'nova_newos'


def _imported(node):
    """(name, path) of what an import of Nova's makes known."""
    if isinstance(node, ast.Import):
        for name in node.names:
            if name.name.split('.')[0] == 'nova':
                yield (
                    name.asname or 'nova',
                    (name.name if name.asname else 'nova'),
                )
    elif isinstance(node, ast.ImportFrom):
        if (node.module or '').split('.')[0] == 'nova':
            for name in node.names:
                path = '%s.%s' % (node.module, name.name)
                yield name.asname or name.name, path


def _aliases(tree):
    """What each name of a module stands for in Nova: dict of name to path."""
    aliases = {
        name: path for node in ast.walk(tree) for name, path in _imported(node)
    }
    # CONF = nova.conf.CONF makes another name for something of Nova's.
    for node in tree.body:
        path = isinstance(node, ast.Assign) and _path(node.value, aliases)
        if path:
            aliases |= {ast.unparse(each): path for each in node.targets}
    return aliases


def _path(node, aliases):
    """The path of an expression like a.b.c that begins at one of Nova's."""
    first, *rest = ast.unparse(node).split('.')
    if first in aliases and all(part.isidentifier() for part in rest):
        return '.'.join([aliases[first], *rest])
    return None


def _members(class_node):
    """What a class defines, or reaches through self, cls and super()."""
    for node in class_node.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            single = isinstance(node, ast.AnnAssign)
            for target in [node.target] if single else node.targets:
                yield ast.unparse(target)
    for node in ast.walk(class_node):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in (
            'self',
            'cls',
            'super()',
        ):
            yield node.attr


def of_source(source):
    """What one module uses.

    :param source: its text
    :returns: (names, members): sets of dotted names; a name may go on past
        the object that is Nova's, a member may be ours alone
    """
    tree = ast.parse(source)
    aliases = _aliases(tree)
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.Attribute, ast.Name))
    ]
    # Of a.b.c not a.b too.
    inner = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    names = {_path(node, aliases) for node in nodes if node not in inner}
    members = {
        '%s.%s' % (_path(base, aliases), member)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if _path(base, aliases)
        for member in _members(node)
    }
    return names - {None}, members


def of_package(package=PACKAGE):
    """What all modules of a package use; see of_source()."""
    found = [of_source(p.read_text()) for p in sorted(package.rglob('*.py'))]
    names, members = zip(*found, strict=True)
    return set().union(*names), set().union(*members)
