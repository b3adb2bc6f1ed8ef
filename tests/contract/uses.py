# SPDX-License-Identifier: Apache-2.0
"""The names of Nova's that our source uses, read without running it."""

import ast
import pathlib

PACKAGE = pathlib.Path(__file__).parents[2] / 'nova_newos'


def _chain(node):
    """['a', 'b', 'c'] for the expression a.b.c, else an empty list."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return []
    return [node.id, *reversed(parts)]


def _is_super_call(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == 'super'
    )


def _targets(node):
    """Names that a statement of a class body defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [
            target.id
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


class _ModuleUses(ast.NodeVisitor):
    """Collects dotted names from one module of ours.

    :ivar names: what the module reaches through its imports
    :ivar members: what its classes define, override or reach through
        ``self`` and ``super()``, as members of the Nova class they extend;
        not all of them need be Nova's
    """

    def __init__(self):
        self.aliases = {}
        self.bases = []
        self.names = set()
        self.members = set()

    def visit_Import(self, node):
        for name in node.names:
            if name.name.split('.')[0] == 'nova':
                bound = name.asname or 'nova'
                self.aliases[bound] = name.name if name.asname else 'nova'

    def visit_ImportFrom(self, node):
        if node.module and node.module.split('.')[0] == 'nova':
            for name in node.names:
                self.aliases[name.asname or name.name] = '%s.%s' % (
                    node.module,
                    name.name,
                )

    def visit_Assign(self, node):
        # CONF = nova.conf.CONF makes another name for something of Nova's.
        dotted = self._dotted(node.value)
        if dotted and not self.bases:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.aliases[target.id] = dotted
        self.generic_visit(node)

    def visit_ClassDef(self, node):
        bases = [dotted for dotted in map(self._dotted, node.bases) if dotted]
        self.bases.append(bases)
        for statement in node.body:
            self._member(_targets(statement))
        self.generic_visit(node)
        self.bases.pop()

    def visit_Attribute(self, node):
        dotted = self._dotted(node)
        if dotted:
            self.names.add(dotted)
            return
        if _is_super_call(node.value):
            self._member([node.attr])
        elif isinstance(node.value, ast.Name) and node.value.id in (
            'self',
            'cls',
        ):
            self._member([node.attr])
        self.generic_visit(node)

    def visit_Name(self, node):
        dotted = self._dotted(node)
        if dotted:
            self.names.add(dotted)

    def _member(self, attributes):
        for base in self.bases[-1] if self.bases else []:
            self.members.update(
                '%s.%s' % (base, attribute) for attribute in attributes
            )

    def _dotted(self, node):
        chain = _chain(node)
        if not chain or chain[0] not in self.aliases:
            return None
        return '.'.join([self.aliases[chain[0]], *chain[1:]])


def of_source(source):
    """What one module uses.

    :param source: its text
    :returns: (names, members): sets of dotted names; a name may go on past
        the object that is Nova's, a member may be ours alone
    """
    found = _ModuleUses()
    found.visit(ast.parse(source))
    return found.names, found.members


def of_package(package=PACKAGE):
    """What all modules of a package use; see of_source()."""
    names, members = set(), set()
    for path in sorted(package.rglob('*.py')):
        more_names, more_members = of_source(path.read_text())
        names |= more_names
        members |= more_members
    return names, members
