# SPDX-License-Identifier: Apache-2.0
"""The recipes that are shipped can be built from, as they are."""

import pathlib

import ddt

from nova_newos.build.recipes import answers
from nova_newos.build.recipes import document
from nova_newos.build.recipes import order
from nova_newos.media.answers import cd
from tests.unit import base
from tests.unit.build.recipes import cloud

DIRECTORY = pathlib.Path(__file__).parents[4] / 'examples/recipes'

#: Recipe to label and file of the answer CD.
EXAMPLES = {
    'almalinux': ('OEMDRV', 'ks.cfg'),
    'debian': ('ANSWERS', 'preseed.cfg'),
    'fedora': ('OEMDRV', 'ks.cfg'),
    'opensuse': ('OEMDRV', 'autoinst.xml'),
    'rocky': ('OEMDRV', 'ks.cfg'),
    'ubuntu': ('CIDATA', 'user-data'),
    'windows-server': ('ANSWERS', 'Autounattend.xml'),
}


@ddt.ddt
class ExamplesTest(base.TestCase):
    def test_all(self):
        found = {path.stem for path in DIRECTORY.glob('*.yaml')}
        self.assertEqual(EXAMPLES.keys(), found)

    @ddt.data(*EXAMPLES)
    def test_example(self, name):
        recipe = document.load(DIRECTORY / f'{name}.yaml')
        self.assertEqual([], answers.warnings(recipe))
        self.assertTrue(recipe.description and recipe.group)
        there = cloud.Cloud()
        there.iso.name = recipe.iso
        there.flavors['f'] = cloud.flavor('f', vcpus=4, ram=8192, disk=40)
        wanted = order.order(
            there, recipe, secrets=dict.fromkeys(recipe.secrets, '$6$x$y')
        )
        wanted.plan.check()
        label, path = EXAMPLES[name]
        made = cd.from_user_data(wanted.user_data, 'id')
        self.assertEqual(label, made.label)
        data = {file.path: file.data for file in made.files}[path]
        self.assertIn(b'$6$x$y', data)
        self.assertNotIn(b'secrets', data)
