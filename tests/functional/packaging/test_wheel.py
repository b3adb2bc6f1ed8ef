# SPDX-License-Identifier: Apache-2.0

"""What a user installs is all of the package and nothing else."""

import configparser
import email
import importlib.metadata
import zipfile

from packaging import requirements
from packaging import version
import pytest

from tests.functional.packaging import scratch

# Noun, module of nova_newos.osc, verbs.
COMMANDS = (
    ('build', 'build', 'cancel create list prune resume show wait'),
    ('build', 'console', 'record screenshot type'),
    ('family', 'family', 'copy list prune publish retire rollback show'),
    ('image', 'image', 'lineage revoke'),
    ('image', 'verify', 'attest verify'),
    ('recipe', 'recipe', 'create delete export list set show'),
)
ENTRY_POINTS = {
    'console_scripts': {
        'glance-newos-status': 'glance_ext.status:main',
        'nova-newos-link-driver': 'nova_newos.cmd.link_driver:main',
        'nova-newos-status': 'nova_newos.cmd.status:main',
    },
    'glance.image_import.plugins': {
        'newos_appliance': 'glance_ext.appliance.plugin:get_flow',
        'newos_iso': 'glance_ext.import_plugin:get_flow',
    },
    'nova_newos.media': {
        'answers': 'nova_newos.media.answers:AnswersMedium',
        'virtio': 'nova_newos.media.virtio:VirtioMedium',
    },
    'nova_newos.sealers': {
        'sparsify': 'nova_newos.golden.sparsify:SparsifySealer',
        'sysprep': 'nova_newos.golden.sysprep:SysprepSealer',
    },
    'openstack.cli.extension': {'golden': 'nova_newos.osc.plugin'},
    'openstack.golden.v1': {
        f'golden_{noun}_{verb}': (
            f'nova_newos.osc.{module}:{verb.title()}{noun.title()}'
        )
        for noun, module, verbs in COMMANDS
        for verb in verbs.split()
    },
    'oslo.config.opts': {
        'glance_ext': 'glance_ext.conf:list_opts',
        'nova_newos': 'nova_newos.conf:list_opts',
    },
    'tempest.test_plugins': {
        'nova_newos': 'nova_newos.tempest_plugin.plugin:NewosTempestPlugin',
    },
}


@pytest.fixture(scope='module')
def contents(our_wheel):
    """Text of each file of the wheel by name."""
    with zipfile.ZipFile(our_wheel) as archive:
        return {
            name: archive.read(name).decode() for name in archive.namelist()
        }


@pytest.fixture(scope='module')
def metadata(contents):
    [name] = [name for name in contents if name.endswith('/METADATA')]
    return email.message_from_string(contents[name])


def test_all_modules_and_nothing_else(contents):
    found = {name for name in contents if '.dist-info/' not in name}
    assert found == {
        str(path.relative_to(scratch.REPOSITORY))
        for package in ('glance_ext', 'nova_newos')
        for path in (scratch.REPOSITORY / package).rglob('*.py')
    } | {'nova_newos/build/recipes/recipe.schema.json'}


def test_entry_points(contents):
    [name] = [name for name in contents if name.endswith('entry_points.txt')]
    found = configparser.ConfigParser(delimiters='=')
    found.optionxform = str
    found.read_string(contents[name])
    assert {
        group: dict(found[group]) for group in found.sections()
    } == ENTRY_POINTS


def test_untagged_version(metadata):
    found = version.Version(metadata['Version'])
    assert found.is_devrelease
    assert found.release == (1, 0, 0)


def test_extras(metadata):
    assert set(metadata.get_all('Provides-Extra')) == {
        'client',
        'compute',
        'glance',
    }


def test_declared_dependencies_are_enough_without_nova(
    tmp_path, pip, our_wheel
):
    """The core and the commands do not import what is not declared."""
    environment = scratch.Environment(tmp_path / 'env', pip)
    pins = [
        f'{name}=={importlib.metadata.version(name)}'
        for name in _base_requirements(our_wheel)
    ]
    environment.pip('install', our_wheel, *pins)
    imported = environment.python(
        'import importlib, pkgutil, nova_newos\n'
        'elsewhere = (\n'
        '    "nova_newos.build.",\n'
        '    "nova_newos.osc.",\n'
        '    "nova_newos.registry.",\n'
        '    "nova_newos.scheduler",\n'
        '    "nova_newos.tempest_plugin.",\n'
        '    "nova_newos.virt",\n'
        ')\n'
        'for m in pkgutil.walk_packages(nova_newos.__path__, "nova_newos."):\n'
        '    if not m.name.startswith(elsewhere):\n'
        '        importlib.import_module(m.name)\n'
        '        print(m.name)\n'
    ).split()
    assert {
        'nova_newos.layout',
        'nova_newos.media.answers',
        'nova_newos.media.virtio',
        'nova_newos.cmd.status',
    } <= set(imported)
    environment.python('import glance_ext.findings, glance_ext.status')
    for name in ('nova', 'glance'):
        with pytest.raises(AssertionError, match='ModuleNotFoundError'):
            environment.python(f'import {name}')


def _base_requirements(wheel):
    """Names of what the wheel needs when no extra is asked for."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [
            name for name in archive.namelist() if name.endswith('/METADATA')
        ]
        metadata = email.message_from_bytes(archive.read(name))
    parsed = map(requirements.Requirement, metadata.get_all('Requires-Dist'))
    return [
        requirement.name
        for requirement in parsed
        if not requirement.marker or requirement.marker.evaluate({'extra': ''})
    ]
