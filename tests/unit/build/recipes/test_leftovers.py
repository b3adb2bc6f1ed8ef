# SPDX-License-Identifier: Apache-2.0

import base64
import json
import zlib

import ddt

from nova_newos import exception as core_exception
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import leftovers
from nova_newos.golden.inspector import answers as inspector
from nova_newos.media.answers import detect
from tests.unit import base
from tests.unit.build import cloud as fake_cloud
from tests.unit.golden.inspector import test_answers as guests

PRESEED = '#_preseed_V1\nd-i time/zone string UTC\n'


def packed(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.b64encode(zlib.compress(text.encode())).decode()


def image(value, **fields):
    properties = {'golden_answers': value, 'provenance_iso': 'iso-id'}
    return fake_cloud.Thing(
        **{
            'id': 'image-id',
            'name': 'by hand',
            'min_disk': 0,
            'min_ram': 0,
            'properties': properties,
            **fields,
        }
    )


@ddt.ddt
class RecipeOfTest(base.TestCase):
    def recipe(self, files, **fields):
        return leftovers.recipe_of(image(packed(files), **fields))

    @ddt.data(
        ('ks.cfg', detect.KICKSTART),
        ('user-data', detect.AUTOINSTALL),
        ('autoinst.xml', detect.AUTOYAST),
        ('preseed.cfg', detect.PRESEED),
    )
    @ddt.unpack
    def test_as_the_compute_host_keeps_it(self, name, kind):
        files = inspector.look(guests.Guest(guests.FILES[name]))
        recipe = self.recipe(files)
        self.assertEqual([name], list(recipe.answers))
        self.assertEqual('iso-id', recipe.iso)
        self.assertTrue(recipe.secrets)
        text = recipe.answers[name].encode()
        self.assertIs(kind, detect.recognise(text))

    def test_settings(self):
        recipe = self.recipe({'preseed.cfg': PRESEED}, min_disk=3, min_ram=9)
        self.assertEqual({'disk': 3, 'ram': 9}, recipe.settings)

    def test_sealed(self):
        golden = image(packed({'preseed.cfg': PRESEED}))
        golden.properties['seal_sysprep'] = 'done'
        self.assertTrue(leftovers.recipe_of(golden).settings['seal'])

    def test_nobody_is_asked_for_passwords(self):
        """They are in no file that debian-installer leaves."""
        recipe = self.recipe({'preseed.cfg': PRESEED})
        self.assertEqual(
            {'root-password-hash', 'user-password-hash'}, {*recipe.secrets}
        )
        text = (
            f'{PRESEED}d-i passwd/root-login string false\n'
            'd-i passwd/user-password-crypted password ${{ secrets.it }}\n'
        )
        recipe = self.recipe({'preseed.cfg': text})
        self.assertEqual(['it'], list(recipe.secrets))

    @ddt.data('poweroff', 'reboot --eject', 'shutdown')
    def test_kickstart_ends_itself(self, end):
        text = f'lang de\nautopart\n{end}\n'
        recipe = self.recipe({'ks.cfg': text})
        self.assertEqual({'ks.cfg': text}, recipe.answers)

    def test_kickstart_waits(self):
        recipe = self.recipe({'ks.cfg': 'lang de\nautopart\n'})
        self.assertEqual(
            {'ks.cfg': 'lang de\nautopart\npoweroff\n'}, recipe.answers
        )

    def test_installer_reboots(self):
        recipe = self.recipe({'user-data': '#cloud-config\nautoinstall: {}'})
        self.assertEqual({'finish': 'reboot'}, recipe.settings)

    def test_not_asked_for(self):
        golden = image('')
        del golden.properties['golden_answers']
        with self.assertRaisesRegex(
            exception.AnswersNotKept, 'newos_keep_answers=true'
        ):
            leftovers.recipe_of(golden)

    def test_none(self):
        with self.assertRaisesRegex(
            exception.AnswersNotKept, r'no installer\\x1b has'
        ):
            leftovers.recipe_of(image('none: no installer\x1b has left any'))

    @ddt.data(
        packed({'ks.cfg': 'x' * 99})[:30],
        '!',
        packed('x'),
        packed({}),
        packed({'ks.cfg': 1}),
        packed('[1]'),
        packed('[' * 100000),
        packed('x' * (1 << 21)),
        base64.b64encode(b'no zlib').decode(),
    )
    def test_cut_off(self, value):
        """As Nova does with what servers bear of an image."""
        with self.assertRaisesRegex(exception.AnswersNotKept, 'cut off'):
            leftovers.recipe_of(image(value))

    @ddt.data({'readme': 'x'}, {'../ks.cfg': 'x'})
    def test_no_recipe(self, files):
        with self.assertRaises(core_exception.NewosError):
            self.recipe(files)
