# SPDX-License-Identifier: Apache-2.0

"""Edges import the core, never each other, and the core no Nova."""

import ast
import graphlib
import pathlib
import sys

import ddt

import glance_ext
import nova_newos
from tests.unit import base

ROOTS = [
    pathlib.Path(package.__file__).parent
    for package in (nova_newos, glance_ext)
]

# Where the imports of the left may not lead, longest prefix first.
FORBIDDEN = {
    # The generator of sample configurations loads it, and nothing else.
    'nova_newos.conf': ('nova', 'nova_newos'),
    'nova_newos.golden': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.conf',
        'nova_newos.layout',
        'nova_newos.media',
        'nova_newos.virt',
        'nova_newos.build',
        'nova_newos.registry',
        'nova_newos.osc',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'glance_ext',
    ),
    # Loaded by glance-api and by clients: of ours only the errors.
    'nova_newos.iso': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.conf',
        'nova_newos.golden',
        'nova_newos.layout',
        'nova_newos.media',
        'nova_newos.plugins',
        'nova_newos.virt',
        'nova_newos.build',
        'nova_newos.registry',
        'nova_newos.osc',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'glance_ext',
    ),
    'nova_newos.virt': (
        'nova_newos.build',
        'nova_newos.registry',
        'nova_newos.osc',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'glance_ext',
    ),
    'nova_newos.cmd': (
        'nova',
        'nova_newos.virt',
        'nova_newos.scheduler',
        'glance_ext',
    ),
    'nova_newos.build': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.virt',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'nova_newos.osc',
        'glance_ext',
    ),
    # Any client, and builds, which publish through it.
    'nova_newos.registry': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.build',
        'nova_newos.conf',
        'nova_newos.virt',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'nova_newos.osc',
        'glance_ext',
    ),
    'nova_newos.osc': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.virt',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'glance_ext',
    ),
    'nova_newos.scheduler': (
        'nova_newos.virt',
        'nova_newos.cmd',
        'glance_ext',
    ),
    # It knows a cloud by its API, as a stranger does.
    'nova_newos.tempest_plugin': (
        'nova',
        'libvirt',
        'glance',
        'glance_ext',
        'nova_newos.cmd',
        'nova_newos.conf',
        'nova_newos.exception',
        'nova_newos.golden',
        'nova_newos.layout',
        'nova_newos.media',
        'nova_newos.plugins',
        'nova_newos.scheduler',
        'nova_newos.virt',
    ),
    'glance_ext': ('nova', 'libvirt', 'nova_newos.tempest_plugin'),
    'nova_newos': (
        'nova',
        'libvirt',
        'glance',
        'nova_newos.virt',
        'nova_newos.build',
        'nova_newos.registry',
        'nova_newos.osc',
        'nova_newos.scheduler',
        'nova_newos.cmd',
        'nova_newos.tempest_plugin',
        'tempest',
        'glance_ext',
    ),
}

# What Tempest loads whatever it does, by what it may import besides the
# standard library: if that fails, all of Tempest does.
LIGHT = {
    'nova_newos.tempest_plugin': set(),
    'nova_newos.tempest_plugin.config': {'oslo_config'},
    'nova_newos.tempest_plugin.plugin': {
        'nova_newos.tempest_plugin.config',
        'tempest.test_discover.plugins',
    },
}


def _module_name(path):
    parts = path.with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


def _imports(source, package):
    """Absolute names of all modules that a source imports, also lazily."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = node.module or ''
            if node.level:
                parts = package.split('.')
                kept = parts[: len(parts) - node.level + 1]
                parent = '.'.join(kept + ([parent] if parent else []))
            yield from (f'{parent}.{alias.name}' for alias in node.names)


def _is_below(name, package):
    return name == package or name.startswith(package + '.')


def violations(module, source, package):
    """Imports of a module that lead where its room may not go."""
    room = max(
        (room for room in FORBIDDEN if _is_below(module, room)), key=len
    )
    return [
        name
        for name in _imports(source, package)
        if any(_is_below(name, bad) for bad in FORBIDDEN[room])
    ]


def modules():
    """Name, source and package of each module."""
    for root in ROOTS:
        for path in sorted(root.rglob('*.py')):
            module = _module_name(path.relative_to(root.parent))
            package = (
                module
                if path.name == '__init__.py'
                else module.rpartition('.')[0]
            )
            yield module, path.read_text(), package


def _room(module):
    """A folder or top file of the package."""
    return '.'.join(module.split('.')[:2])


def rooms():
    """Each room, and those that it imports."""
    found = {}
    for module, source, package in modules():
        found.setdefault(_room(module), set()).update(
            _room(name)
            for name in _imports(source, package)
            if _is_below(name, 'nova_newos') or _is_below(name, 'glance_ext')
        )
    return {room: others - {room} for room, others in found.items()}


@ddt.ddt
class ImportDirectionTest(base.TestCase):
    def test_all_modules(self):
        found = {
            module: bad
            for module, source, package in modules()
            if (bad := violations(module, source, package))
        }
        self.assertEqual({}, found)

    def test_glance_loads_little(self):
        """Where glance-api runs there is no Nova, and no golden image."""
        loaded = {
            name
            for module, source, package in modules()
            if _is_below(module, 'glance_ext')
            for name in _imports(source, package)
            if _is_below(name, 'nova_newos')
        }
        self.assertEqual(
            {'nova_newos.checks', 'nova_newos.exception', 'nova_newos.iso'},
            loaded,
        )

    def test_no_circle(self):
        order = list(graphlib.TopologicalSorter(rooms()).static_order())
        self.assertLess(
            order.index('nova_newos.layout'), order.index('nova_newos.virt')
        )

    def test_tempest_loads_little(self):
        for module, source, package in modules():
            if module in LIGHT:
                found = {
                    name
                    for name in _imports(source, package)
                    if name.partition('.')[0] not in sys.stdlib_module_names
                    and not any(_is_below(name, ok) for ok in LIGHT[module])
                }
                self.assertEqual(set(), found, module)

    @ddt.data(
        ('nova_newos.layout', 'import nova'),
        ('nova_newos.layout', 'from nova import objects'),
        ('nova_newos.layout', 'def f():\n    import nova.virt.libvirt'),
        ('nova_newos.layout', 'from nova_newos import virt'),
        ('nova_newos.layout', 'from . import virt'),
        ('nova_newos.layout', 'import tempest.lib'),
        ('nova_newos.tempest_plugin.plugin', 'from nova_newos import conf'),
        ('nova_newos.conf', 'from nova_newos import exception'),
        ('nova_newos.golden.verdict', 'from nova_newos import layout'),
        ('nova_newos.iso.facts', 'from nova_newos.golden import verdict'),
        ('nova_newos.media.virtio', 'from ..virt import driver'),
        ('nova_newos.cmd.status', 'from nova_newos.virt import driver'),
        ('nova_newos.virt.driver', 'from nova_newos.cmd import status'),
        ('glance_ext.import_plugin', 'from nova import objects'),
    )
    @ddt.unpack
    def test_forbidden_import_is_found(self, module, source):
        package = module.rpartition('.')[0]
        self.assertEqual(1, len(violations(module, source, package)))

    @ddt.data(
        ('nova_newos.virt.driver', 'from nova.virt.libvirt import driver'),
        ('nova_newos.virt.driver', 'from nova_newos import layout'),
        ('nova_newos.layout', 'from nova_newos import exception'),
        ('nova_newos.layout', 'import novaclient'),
    )
    @ddt.unpack
    def test_allowed_import_passes(self, module, source):
        package = module.rpartition('.')[0]
        self.assertEqual([], violations(module, source, package))
