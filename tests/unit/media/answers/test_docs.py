# SPDX-License-Identifier: Apache-2.0
"""The examples of the user guide are what it says they are."""

import pathlib
import re
import textwrap

import ddt

from nova_newos.media.answers import cd
from tests.unit import base
from tests.unit.media.answers import samples

PAGES = pathlib.Path(__file__).parents[4] / 'doc/source/user/answers'

INCLUDE = re.compile(
    r'^\.\. literalinclude:: (\S+)\n   :language: \w+\n   :caption: (\S+)\n',
    re.MULTILINE,
)

BLOCK = re.compile(
    r'^\.\. code-block:: \w+\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)',
    re.MULTILINE,
)

#: Page and caption to label and files.
EXAMPLES = {
    ('kickstart', 'ks.cfg'): ('OEMDRV', {'ks.cfg'}),
    ('autoinstall', 'user-data'): ('CIDATA', {'user-data', 'meta-data'}),
    ('windows', 'Autounattend.xml'): ('ANSWERS', {'Autounattend.xml'}),
    ('autoyast', 'autoinst.xml'): ('OEMDRV', {'autoinst.xml'}),
    ('preseed', 'preseed.cfg'): ('ANSWERS', {'preseed.cfg'}),
    ('ignition', 'config.ign'): ('ignition', {'ignition/config.ign'}),
    ('ignition', 'script'): ('combustion', {'combustion/script'}),
    ('archives', 'user-data'): (
        'ignition',
        {'ignition/config.ign', 'combustion/script'},
    ),
}


def examples():
    """User data of all pages by page and caption."""
    found = {}
    for page in PAGES.glob('*.rst'):
        source = page.read_text()
        for caption, text in BLOCK.findall(source):
            found[page.stem, caption] = textwrap.dedent(text).encode()
        for path, caption in INCLUDE.findall(source):
            found[page.stem, caption] = (PAGES / path).read_bytes()
    return found


@ddt.ddt
class DocsTest(base.TestCase):
    def test_all_examples_are_here(self):
        self.assertEqual(set(EXAMPLES), set(examples()))

    @ddt.data(*EXAMPLES)
    def test_example(self, name):
        label, paths = EXAMPLES[name]
        found = cd.from_user_data(examples()[name], samples.UUID)
        self.assertEqual(label, found.label)
        self.assertEqual(paths, {file.path for file in found.files})
