# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
from xml.etree import ElementTree

import ddt

from nova_newos.build.recipes import answers
from nova_newos.build.recipes import document
from nova_newos.build.recipes import exception
from nova_newos.media.answers import cd
from tests.unit import base
from tests.unit.build.recipes import cloud
from tests.unit.media.answers import samples

UNATTEND = (
    '<unattend xmlns="urn:schemas-microsoft-com:unattend">'
    '<settings pass="windowsPE"><Value>%s</Value></settings></unattend>'
)
KICKSTART = 'autopart\nlang de\n'
PLACE = '${{ secrets.it }}'


def recipe(files, **fields):
    return document.Recipe(iso='i', answers=files, **fields)


def files_of(data):
    """Files of the answer CD that user data becomes, by path."""
    found = cd.from_user_data(data, samples.UUID)
    return {file.path: file for file in found.files}


@ddt.ddt
class UserDataTest(base.TestCase):
    def test_none(self):
        self.assertIsNone(answers.user_data(recipe({}), {}))

    def test_one_file(self):
        """As the user would give it."""
        data = answers.user_data(recipe({'ks.cfg': KICKSTART}), {})
        self.assertEqual(KICKSTART.encode(), data)

    @ddt.data(
        {'ks.cfg': 'rootpw --lock\n'},
        {'ks.cfg': KICKSTART, 'more/ks.cfg': KICKSTART},
    )
    def test_tar(self, files):
        """What is not known by itself, or is several."""
        found = files_of(answers.user_data(recipe(files), {}))
        self.assertEqual(files, {p: f.data.decode() for p, f in found.items()})

    def test_script(self):
        found = files_of(
            answers.user_data(document.parse(cloud.RECIPE), cloud.SECRETS)
        )
        self.assertEqual({'preseed.cfg', 'provision.sh'}, found.keys())
        self.assertTrue(found['provision.sh'].executable)
        self.assertFalse(found['preseed.cfg'].executable)
        self.assertIn(b' $6$salt$digest\n', found['preseed.cfg'].data)

    def test_script_for_windows(self):
        files = {'autounattend.xml': UNATTEND % ''}
        data = answers.user_data(recipe(files, script='dir'), {})
        self.assertIn('provision.ps1', files_of(data))

    def test_two_scripts(self):
        files = {'ks.cfg': KICKSTART, 'Provision.SH': ''}
        with self.assertRaisesRegex(Exception, 'there twice'):
            answers.user_data(recipe(files, script='x'), {})

    @ddt.data('a&b<c>"\'', '$6$x/y.z', '\xe4 \u4f60')
    def test_secret_in_xml(self, value):
        files = {'Autounattend.xml': UNATTEND % PLACE}
        data = answers.user_data(
            recipe(files, secrets={'it': 'x'}), {'it': value}
        )
        [found] = ElementTree.fromstring(data.decode()).iter(
            '{urn:schemas-microsoft-com:unattend}Value'
        )
        self.assertEqual(value, found.text)

    def test_secret_in_json(self):
        value = 'a"b\\c'
        text = json.dumps({'ignition': {'version': '3.3.0'}, 'x': PLACE})
        data = answers.user_data(
            recipe({'ignition/config.ign': text}, secrets={'it': 'x'}),
            {'it': value},
        )
        self.assertEqual(value, json.loads(data)['x'])

    @ddt.data('', 'two\nlines', '\x1b', 'a\0b')
    def test_secret_invalid(self, value):
        with self.assertRaisesRegex(exception.SecretInvalid, "'it'"):
            answers.user_data(
                recipe({'ks.cfg': KICKSTART}, secrets={'it': 'x'}),
                {'it': value},
            )

    def test_secrets_missing(self):
        with self.assertRaisesRegex(
            exception.SecretMissing, '--secret a=FILE --secret b=FILE$'
        ):
            answers.user_data(
                recipe({'ks.cfg': KICKSTART}, secrets={'a': 'x', 'b': 'x'}),
                {},
            )

    def test_secret_unknown(self):
        with self.assertRaisesRegex(exception.SecretUnknown, 'secrets: none'):
            answers.user_data(recipe({'ks.cfg': KICKSTART}), {'a': 'x'})

    def test_secret_is_not_looked_into(self):
        """A value that looks like a place is a value."""
        data = answers.user_data(
            recipe(
                {'ks.cfg': f'{KICKSTART}rootpw {PLACE}\n'},
                secrets={'it': 'x'},
            ),
            {'it': PLACE},
        )
        self.assertIn(PLACE.encode(), data)


@ddt.ddt
class CheckTest(base.TestCase):
    @ddt.data('answers', 'script')
    def test_undeclared(self, where):
        found = recipe({'ks.cfg': KICKSTART}, script='x')
        text = f'{KICKSTART}#{PLACE}'
        changed = {'script': text, 'answers': {'ks.cfg': text}}[where]
        found = dataclasses.replace(found, **{where: changed})
        with self.assertRaisesRegex(exception.SecretUndeclared, "'it'"):
            answers.check(found)


@ddt.ddt
class WarningsTest(base.TestCase):
    @ddt.data(
        'd-i passwd/root-password password hunter2',
        'd-i passwd/user-password-crypted password $6$abc$defghi',
        'd-i x/y string $y$j9T$abcdefgh',
        'rootpw hunter2',
        'rootpw --iscrypted $6$abc$defghi',
        'user --name=x --password=hunter2',
        '    password: "hunter2"',
        '"passwordHash": "hunter2 $2b$05$abcdefgh"',
        '<AdministratorPassword>\n <Value>x</Value>',
        '<user_password>x</user_password>',
        '-----BEGIN OPENSSH PRIVATE KEY-----',
        'wpa_psk=hunter2',
    )
    def test_password(self, line):
        [found] = answers.warnings(recipe({'ks.cfg': f'autopart\n{line}\n'}))
        self.assertIn('ks.cfg, line 2: ', found)

    @ddt.data(
        'd-i passwd/root-login boolean false',
        'd-i passwd/root-password password ${{ secrets.it }}',
        'rootpw --lock',
        'rootpw --iscrypted ${{ secrets.it }}',
        'user --name=x --password=${{ secrets.it }}',
        'password: "${{ secrets.it }}"',
        '<AdministratorPassword>\n <Value>${{ secrets.it }}</Value>',
        '<user_password></user_password>',
        'ssh_pwauth: false',
    )
    def test_no_password(self, line):
        found = recipe({'ks.cfg': f'autopart\n{line}\n'})
        self.assertEqual([], answers.warnings(found))

    def test_nobody_runs_the_script(self):
        [found] = answers.warnings(
            recipe({'ks.cfg': KICKSTART}, script='echo')
        )
        self.assertEqual('no answer file runs provision.sh', found)
        run = f'{KICKSTART}%post\nsh /mnt/provision.sh\n%end\n'
        self.assertEqual(
            [], answers.warnings(recipe({'ks.cfg': run}, script='echo'))
        )
