# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.media.answers import cd
from nova_newos.media.answers import detect
from nova_newos.media.answers import iso
from tests.unit import base
from tests.unit.media.answers import samples

META_DATA = f'instance-id: {samples.UUID}\n'.encode()

SINGLE = (
    (samples.KICKSTART, 'OEMDRV', 'ks.cfg'),
    (samples.WINDOWS_PE, 'ANSWERS', 'Autounattend.xml'),
    (samples.UTF_16, 'ANSWERS', 'Autounattend.xml'),
    (samples.OFFLINE_SERVICING, 'ANSWERS', 'Autounattend.xml'),
    (samples.SPECIALIZE, 'ANSWERS', 'Unattend.xml'),
    (samples.AUTOYAST, 'OEMDRV', 'autoinst.xml'),
    (samples.PRESEED, 'ANSWERS', 'preseed.cfg'),
    (samples.IGNITION, 'ignition', 'ignition/config.ign'),
)


class CdTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        cd.from_user_data.cache_clear()

    def cd(self, data):
        return cd.from_user_data(data, samples.UUID)

    def assert_cd(self, label, content, data):
        found = self.cd(data)
        self.assertEqual(label, found.label)
        self.assertEqual(content, {f.path: f.data for f in found.files})
        self.assertEqual(len(content), len(found.files))

    def assert_refused(self, error, data, text=''):
        with self.assertRaises(error) as caught:
            self.cd(data)
        self.assertIn(text, str(caught.exception))
        self.assertLessEqual(len(str(caught.exception)), 190)


class RememberedTest(CdTestCase):
    def setUp(self):
        super().setUp()
        patch = mock.patch.object(
            detect, 'recognise', side_effect=detect.recognise
        )
        self.recognise = patch.start()
        self.addCleanup(patch.stop)

    def test_read_once(self):
        """However often Nova asks."""
        first = self.cd(samples.AUTOYAST)
        self.assertEqual(first, self.cd(bytes(bytearray(samples.AUTOYAST))))
        self.recognise.assert_called_once_with(samples.AUTOYAST)

    def test_each_server_has_its_own(self):
        other = cd.from_user_data(samples.AUTOINSTALL, 'other')
        self.assertNotEqual(other, self.cd(samples.AUTOINSTALL))

    def test_refusals_are_made_anew(self):
        for _ in range(2):
            self.assert_refused(
                exception.AnswersUnreadable, samples.AUTOYAST[:-4]
            )
        self.assertEqual(2, self.recognise.call_count)

    def test_few_are_kept(self):
        for number in range(9):
            self.cd(samples.KICKSTART + b'# %d\n' % number)
        self.assertLess(cd.from_user_data.cache_info().currsize, 5)


@ddt.ddt
class SingleTest(CdTestCase):
    @ddt.data(*SINGLE)
    @ddt.unpack
    def test_one_file(self, data, label, path):
        self.assertEqual(cd.Cd(label, (iso.File(path, data),)), self.cd(data))

    def test_autoinstall(self):
        self.assert_cd(
            'CIDATA',
            {'user-data': samples.AUTOINSTALL, 'meta-data': META_DATA},
            samples.AUTOINSTALL,
        )

    def test_combustion(self):
        self.assertEqual(
            cd.Cd(
                'combustion',
                (iso.File('combustion/script', samples.COMBUSTION, True),),
            ),
            self.cd(samples.COMBUSTION),
        )

    @ddt.data(*samples.ORDINARY)
    def test_ordinary(self, name):
        self.assertIsNone(self.cd(samples.ORDINARY[name]))

    def test_broken(self):
        self.assert_refused(
            exception.AnswersUnreadable, samples.AUTOYAST[:-4], 'AutoYaST'
        )


@ddt.ddt
class TarTest(CdTestCase):
    @ddt.data(
        ('OEMDRV', {'ks.cfg': b'%include /x'}),
        ('OEMDRV', {'autoinst.xml': samples.AUTOYAST, 'rules/a.xml': b'1'}),
        (
            'OEMDRV',
            {'ks.cfg': samples.KICKSTART, 'autoinst.xml': samples.AUTOYAST},
        ),
        ('ANSWERS', {'preseed.cfg': samples.PRESEED, 'late/run': b'1'}),
        ('ANSWERS', {'autounattend.XML': samples.WINDOWS_PE, 'a.ps1': b'1'}),
        ('ANSWERS', {'UNATTEND.xml': samples.SPECIALIZE}),
        ('OEMDRV', {'Autounattend.xml': samples.UTF_16, 'ks.cfg': b''}),
        ('CIDATA', {'user-data': samples.AUTOINSTALL, 'meta-data': b'mine'}),
        ('ignition', {'ignition/config.ign': samples.IGNITION}),
        ('combustion', {'combustion/script': b'ls', 'combustion/a': b'1'}),
        (
            'ignition',
            {
                'combustion/script': samples.COMBUSTION,
                'ignition/config.ign': samples.IGNITION,
            },
        ),
    )
    @ddt.unpack
    def test_label(self, label, content):
        for mode in ('w', 'w:gz'):
            data = samples.tar(*content.items(), mode=mode)
            self.assert_cd(label, content, data)

    def test_meta_data_is_added(self):
        self.assert_cd(
            'CIDATA',
            {'user-data': samples.AUTOINSTALL, 'meta-data': META_DATA},
            samples.tar(('user-data', samples.AUTOINSTALL)),
        )

    @ddt.data('meta-data/more', 'Meta-Data')
    def test_no_place_for_meta_data(self, name):
        self.assert_refused(
            exception.AnswerArchiveRefused,
            samples.tar(('user-data', samples.AUTOINSTALL), (name, b'')),
            'meta-data',
        )

    @ddt.data('kickstart.cfg', 'KS.CFG', 'a/ks.cfg', 'ks.cfg/a')
    def test_nothing_at_its_place(self, name):
        data = samples.tar((name, samples.KICKSTART))
        self.assert_refused(
            exception.AnswerArchiveRefused, data, 'ks.cfg, user-data, '
        )

    def test_two_labels(self):
        self.assert_refused(
            exception.AnswersAmbiguous,
            samples.tar(('ks.cfg', b''), ('user-data', samples.AUTOINSTALL)),
            'CIDATA and OEMDRV',
        )

    @ddt.data(
        ('autoinst.xml', samples.AUTOYAST[:-4]),
        ('Unattend.xml', samples.AUTOYAST),
        ('ignition/config.ign', b'{'),
    )
    @ddt.unpack
    def test_broken_answers(self, name, data):
        self.assert_refused(
            exception.AnswersUnreadable, samples.tar((name, data))
        )

    def test_hostile(self):
        self.assert_refused(
            exception.AnswerArchiveRefused,
            samples.tar(('ks.cfg', b''), ('../../etc/passwd', b'')),
            'outside',
        )


@ddt.ddt
class MultipartTest(CdTestCase):
    def test_files(self):
        self.assert_cd(
            'OEMDRV',
            {'ks.cfg': samples.KICKSTART, 'extra/hosts': b'1'},
            samples.multipart(
                ('ks.cfg', samples.KICKSTART),
                (None, b'2'),
                ('extra/hosts', b'1'),
            ),
        )

    def test_meta_data_is_added(self):
        self.assert_cd(
            'CIDATA',
            {'user-data': samples.AUTOINSTALL, 'meta-data': META_DATA},
            samples.multipart(('user-data', samples.AUTOINSTALL)),
        )

    @ddt.data(
        [],
        [('script.sh', b'#!/bin/sh\n'), ('init.cfg', b'#cloud-config\n')],
        [('ks.cfg', b'#!/bin/sh\n')],
        [('user-data', b'#cloud-config\n')],
        [('other', samples.KICKSTART)],
        [('a/ks.cfg', samples.KICKSTART)],
        [(None, samples.AUTOINSTALL)],
        [('../../x', b''), ('x', b''), ('X', b'')],
        [(f'f{n}', b'') for n in range(100)],
    )
    def test_ordinary(self, parts):
        self.assertIsNone(self.cd(samples.multipart(*parts)))

    @ddt.data(
        [('../x', b'')],
        [('KS.CFG', b'')],
        [(f'f{n}', b'') for n in range(100)],
    )
    def test_hostile(self, parts):
        parts = [('ks.cfg', samples.KICKSTART), *parts]
        self.assert_refused(
            exception.AnswerArchiveRefused, samples.multipart(*parts)
        )

    def test_broken_answers(self):
        self.assert_refused(
            exception.AnswersUnreadable,
            samples.multipart(('autoinst.xml', samples.AUTOYAST[:-4])),
        )

    def test_two_labels(self):
        self.assert_refused(
            exception.AnswersAmbiguous,
            samples.multipart(
                ('ks.cfg', samples.KICKSTART),
                ('ignition/config.ign', samples.IGNITION),
            ),
        )
