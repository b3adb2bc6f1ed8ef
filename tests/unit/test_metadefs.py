# SPDX-License-Identifier: Apache-2.0
"""The metadata definitions for Glance say what the code reads and writes.

Which that is, is found in the source: every string that looks like one of our
names is one, or is listed here with what it is instead.
"""

import ast
import datetime
import json
import pathlib
import re
import tomllib

import ddt

from nova_newos import layout
from nova_newos.golden import provenance
from nova_newos.golden import signature
from nova_newos.golden import verdict
from tests.unit import base

TOP = pathlib.Path(__file__).parents[2]
DIRECTORY = TOP / 'etc' / 'glance' / 'metadefs'
FILES = sorted(DIRECTORY.glob('*.json'))
PACKAGES = ('glance_ext', 'nova_newos')

_WORDS = '(golden|newos|provenance|seal|verdict)'
NAME = re.compile(rf'{_WORDS}_[a-z0-9_]*[a-z0-9]')
PREFIX = re.compile(rf'{_WORDS}_')

#: What only looks like a name of a property.
OTHERS = {
    signature.PIECE: 'begins the names of pieces',
    'newos_appliance': "Glance's plug-in and its group of options",
    'newos_inspector': 'a program',
    'newos_iso': "Glance's plug-in and its group of options",
    'newos_layout': "in Nova's database, and shown to nobody",
    'newos_prompt': "in Nova's database, and shown to nobody",
    'seal_concurrency': 'an option',
}


def load(path):
    return json.loads(path.read_text())


def properties(path):
    return load(path)['properties']


def described():
    return {name for path in FILES for name in properties(path)}


def strings():
    """All string constants of the source, parts of f-strings among them."""
    for package in PACKAGES:
        for path in (TOP / package).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(
                    node.value, str
                ):
                    yield node.value


def entry_points(group):
    project = tomllib.loads((TOP / 'pyproject.toml').read_text())['project']
    return project['entry-points'][group].keys()


def recorded():
    """All that is recorded of an image, with the media that we ship."""
    moment = datetime.datetime.now(datetime.UTC)
    media = {'answers': ('digits', None), 'virtio': ('id', 'sha512:0')}
    assert media.keys() == entry_points('nova_newos.media')
    return provenance.properties(
        server='id',
        iso=('id', 'sha512:0'),
        media=[(name, *values) for name, values in media.items()],
        flavor='m1.tiny',
        versions={'nova': '34'},
        started=moment,
        captured=moment,
        change='its boot catalog',
    ).keys()


#: What follows each prefix in names that are put together.
COMPOSED = {
    # It is taken away.
    'newos_': set,
    provenance.PREFIX: recorded,
    provenance.SEAL_PREFIX: lambda: {
        f'{provenance.SEAL_PREFIX}{name}'
        for name in entry_points('nova_newos.sealers')
    },
    provenance.VERDICT_PREFIX: lambda: {
        f'{provenance.VERDICT_PREFIX}{name}' for name in verdict.FACTS
    },
}


@ddt.ddt
class MetadefsTest(base.TestCase):
    maxDiff = None

    def test_all_that_the_code_names_is_described_and_nothing_else(self):
        named = {each for each in strings() if NAME.fullmatch(each)}
        self.assertEqual(set(), OTHERS.keys() - named, 'stale')
        composed = set(signature.names()).union(
            *(names() for names in COMPOSED.values())
        )
        self.assertEqual(
            sorted(named - OTHERS.keys() | composed), sorted(described())
        )

    def test_all_prefixes_are_known(self):
        found = {each for each in strings() if PREFIX.fullmatch(each)}
        self.assertEqual(COMPOSED.keys(), found)

    def test_rule_finds_names(self):
        # One of each way to spell them.
        found = set(strings())
        self.assertLess({layout.PROPERTY_INSTALL, 'newos_volume_id'}, found)

    def test_keys_of_servers_are_no_properties_of_images(self):
        [server] = [
            path
            for path in FILES
            if load(path)['resource_type_associations'][0]['name']
            == 'OS::Nova::Server'
        ]
        self.assertEqual(
            {
                'golden_boot_test',
                'golden_captured',
                'golden_failed',
                'golden_failed_at',
                'golden_flavor',
                'golden_install_limit',
                'golden_keep_failed',
                'golden_name',
                'golden_network',
                'golden_role',
                'golden_seen',
                'golden_test_limit',
                'golden_user_data',
                'newos_boot',
                'newos_boot_keys',
                'newos_boot_order',
                'newos_boot_prompt',
                'newos_error',
                'newos_finish',
                'newos_keep_answers',
                'newos_seal',
                'newos_warning',
            },
            properties(server).keys(),
        )

    @ddt.data(*FILES)
    def test_every_property_explains_itself(self, path):
        for name, about in properties(path).items():
            with self.subTest(name=name):
                self.assertTrue(about['title'])
                self.assertRegex(about['description'], r'\.$')
                self.assertIn(about['type'], ('boolean', 'integer', 'string'))

    def test_size_of_the_root_disk(self):
        [about] = [
            properties(path)[layout.PROPERTY_ROOT_SIZE]
            for path in FILES
            if layout.PROPERTY_ROOT_SIZE in properties(path)
        ]
        self.assertEqual(
            (1, layout.MAX_ROOT_GB), (about['minimum'], about['maximum'])
        )

    def test_values_of_facts(self):
        about = properties(DIRECTORY / 'newos-golden-image.json')
        for fact in verdict.REFUSABLE:
            self.assertEqual(
                {verdict.TRUE, verdict.FALSE, verdict.UNKNOWN},
                {*about[f'{provenance.VERDICT_PREFIX}{fact}']['enum']},
            )
