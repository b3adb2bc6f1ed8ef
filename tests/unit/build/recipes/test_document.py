# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt
import fixtures

from nova_newos import exception as core_exception
from nova_newos import keys
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from tests.unit import base
from tests.unit.build.recipes import cloud

BOMB = b'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n'


@ddt.ddt
class ParseTest(base.TestCase):
    def test_recipe(self):
        recipe = document.parse(cloud.RECIPE)
        self.assertEqual('debian-13', recipe.iso)
        self.assertEqual(['preseed.cfg'], list(recipe.answers))
        self.assertEqual(512, recipe.settings['ram'])

    def test_least(self):
        recipe = document.parse(b'format: 1\niso: i\n')
        self.assertEqual(document.Recipe(iso='i'), recipe)

    @ddt.data(
        (b'format: 1\n', r"\$: 'iso' is a required property"),
        (b'format: 2\niso: i\n', r'\$.format: 1 was expected'),
        (b'format: 1\niso: i\nram: 1\n', "'ram' was unexpected"),
        (
            b'format: 1\niso: i\nsettings: {ram: 0}\n',
            r'\$.settings.ram: 0 is less than the minimum of 1',
        ),
        (b'format: 1\niso: i\nsettings: {seal: maybe}\n', 'settings.seal'),
        (b'format: 1\niso: i\nscript: x\n', "'answers' is a dependency"),
        (b'format: 1\niso: "i\\e[2J"\n', r'\$.iso'),
        (b'format: 1\niso: i\ngroup: "g\\n"\n', r'\$.group'),
        (b'- format: 1\n', 'not of type'),
        (b'', 'not of type'),
    )
    @ddt.unpack
    def test_invalid(self, data, text):
        with self.assertRaisesRegex(exception.RecipeInvalid, text) as raised:
            document.parse(data)
        self.assertTrue(str(raised.exception).isprintable())

    @ddt.data(
        (BOMB, 'aliases'),
        (b'a: &a [*a]\n', 'aliases'),
        (b'[' * 1000, 'levels'),
        (b'iso: [\n', 'line 2'),
        (b'iso: \x1b[2J\n', 'allowed|acceptable'),
        (b'iso: \xff\n', 'utf-8'),
        (b'iso: 2026-13-45\n', 'month'),
        (b'iso: !!python/object/apply:os.system [id]\n', 'tag'),
        (b'--- a\n--- b\n', 'document'),
        (b'{[a]: b}: c\n', 'unhashable|hashable|key'),
    )
    @ddt.unpack
    def test_unreadable(self, data, text):
        with self.assertRaisesRegex(
            exception.RecipeUnreadable, text
        ) as raised:
            document.parse(data)
        self.assertTrue(str(raised.exception).isprintable())

    def test_too_large(self):
        with self.assertRaises(exception.RecipeTooLarge):
            document.parse(b'#' * (document.MAX_SIZE + 1))

    def test_answers_are_checked(self):
        with self.assertRaisesRegex(
            core_exception.AnswerArchiveRefused, 'no answer file'
        ):
            document.parse(b'format: 1\niso: i\nanswers: {readme: hello}\n')

    def test_keys_are_checked(self):
        with self.assertRaises(keys.KeysInvalid):
            document.parse(b'format: 1\niso: i\nsettings: {keys: <nokey>}\n')

    def test_files_are_not_for_strangers(self):
        with self.assertRaisesRegex(
            exception.RecipeFileRefused, 'not part of it'
        ):
            document.parse(
                b'format: 1\niso: i\nanswers: {ks.cfg: {file: ks.cfg}}\n'
            )


@ddt.ddt
class DumpTest(base.TestCase):
    @ddt.data(
        'one\ntwo\n',
        '  indented\nless\n',
        '\n\nlate\n',
        'no end\nhere',
        'trailing \nspace\n',
        'windows\r\nlines\r\n',
        'Gr\xfc\xdfe \u4f60\u597d\n',
        'yes',
        '\x1b[2J\n',
    )
    def test_read_again(self, text):
        recipe = document.Recipe(
            iso='i', answers={'ks.cfg': 'lang de\nrootpw x\n'}, script=text
        )
        data = recipe.dump()
        self.assertNotIn(b'\x1b', data)
        self.assertEqual(recipe, document.parse(data))

    def test_for_people(self):
        dumped = document.parse(cloud.RECIPE).dump()
        self.assertIn(b'  preseed.cfg: |\n    d-i ', dumped)

    def test_too_large(self):
        recipe = document.Recipe(iso='i', script='x' * document.MAX_SIZE)
        with self.assertRaises(exception.RecipeTooLarge):
            recipe.dump()


@ddt.ddt
class LoadTest(base.TestCase):
    def setUp(self):
        super().setUp()
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.top = top / 'recipes'
        self.top.mkdir()
        (top / 'id_rsa').write_text('mine')
        (self.top / 'ks.cfg').write_text('rootpw --lock\nautopart\n')

    def load(self, file):
        path = self.top / 'recipe.yaml'
        path.write_text(
            f'format: 1\niso: i\nanswers:\n  ks.cfg: {{file: {file}}}\n'
        )
        return document.load(path)

    def test_file(self):
        self.assertEqual(
            {'ks.cfg': 'rootpw --lock\nautopart\n'},
            self.load('ks.cfg').answers,
        )

    @ddt.data('../id_rsa', '/etc/hostname', 'link')
    def test_outside(self, name):
        (self.top / 'link').symlink_to('../id_rsa')
        with self.assertRaisesRegex(exception.RecipeFileRefused, 'below'):
            self.load(name)

    @ddt.data('missing', '.')
    def test_cannot_be_read(self, name):
        with self.assertRaisesRegex(
            exception.RecipeFileRefused, 'cannot be read'
        ):
            self.load(name)

    def test_no_text(self):
        (self.top / 'ks.cfg').write_bytes(b'\xff')
        with self.assertRaisesRegex(exception.RecipeFileRefused, 'UTF-8'):
            self.load('ks.cfg')

    def test_too_large(self):
        (self.top / 'ks.cfg').write_bytes(b'#' * (document.MAX_SIZE + 1))
        with self.assertRaises(exception.RecipeTooLarge):
            self.load('ks.cfg')
