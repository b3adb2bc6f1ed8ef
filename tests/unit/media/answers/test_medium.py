# SPDX-License-Identifier: Apache-2.0

import dataclasses
import hashlib

import ddt
import fixtures

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import answers
from nova_newos.media import base as media_base
from tests.unit import base
from tests.unit import plugins
from tests.unit.media.answers import readback
from tests.unit.media.answers import samples

DIGEST = hashlib.sha256(samples.AUTOINSTALL).hexdigest()[:32]


def server(user_data, uuid=samples.UUID):
    return media_base.Server(
        uuid=uuid, project_id='p', iso='i', properties={}, user_data=user_data
    )


@ddt.ddt
class AnswersTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.medium = answers.AnswersMedium(plugins.make_conf())
        self.directory = self.useFixture(fixtures.TempDir())

    def write(self, a_server, name):
        path = self.directory.join(name)
        self.medium.contents(a_server, DIGEST).write(path)
        return path

    def test_name(self):
        self.assertEqual('answers', self.medium.name)

    def test_reference(self):
        self.assertEqual(
            DIGEST, self.medium.reference(server(samples.AUTOINSTALL))
        )

    @ddt.data(None, b'', b'#cloud-config\n', b'#!/bin/sh\n')
    def test_no_answers(self, user_data):
        self.assertIsNone(self.medium.reference(server(user_data)))

    @ddt.data(
        samples.WINDOWS_PE,
        samples.tar(('AUTOUNATTEND.xml', samples.WINDOWS_PE)),
    )
    def test_windows_reboots_midway(self, user_data):
        a_server = server(user_data)
        self.assertIsNotNone(self.medium.reference(a_server))
        a_server = dataclasses.replace(a_server, finishes_by_reboot=True)
        with self.assertRaisesRegex(exception.FinishRefused, 'shutdown'):
            self.medium.reference(a_server)

    def test_others_may_end_by_a_reboot(self):
        a_server = dataclasses.replace(
            server(samples.AUTOINSTALL), finishes_by_reboot=True
        )
        self.assertEqual(DIGEST, self.medium.reference(a_server))

    def test_broken(self):
        with self.assertRaises(exception.AnswersUnreadable):
            self.medium.reference(server(samples.AUTOYAST[:-4]))

    def test_contents(self):
        a_server = server(samples.AUTOINSTALL)
        generated = self.medium.contents(a_server, DIGEST)
        self.assertEqual('CIDATA', generated.label)
        path = self.write(a_server, 'cd')
        self.assertEqual(('CIDATA', 'CIDATA'), readback.labels(path))
        self.assertEqual(
            {
                'user-data': samples.AUTOINSTALL,
                'meta-data': f'instance-id: {samples.UUID}\n'.encode(),
            },
            readback.contents(path),
        )

    def test_same_bytes_again(self):
        paths = [
            self.write(server(samples.AUTOINSTALL), name) for name in 'ab'
        ]
        with open(paths[0], 'rb') as first, open(paths[1], 'rb') as second:
            self.assertEqual(first.read(), second.read())

    @ddt.data(None, b'', samples.KICKSTART, samples.AUTOINSTALL + b'\n')
    def test_other_user_data(self, user_data):
        generated = self.medium.contents(server(user_data), DIGEST)
        with self.assertRaises(exception.AnswersChanged) as caught:
            generated.write(self.directory.join('cd'))
        self.assertIn(DIGEST[:16], str(caught.exception))
        self.assertLessEqual(len(str(caught.exception)), 190)

    def test_decided_by_another_version(self):
        data = b'#!/bin/sh\n'
        digest = hashlib.sha256(data).hexdigest()[:32]
        generated = self.medium.contents(server(data), digest)
        with self.assertRaises(exception.AnswersUnreadable) as caught:
            generated.write(self.directory.join('cd'))
        self.assertIn('another version', str(caught.exception))

    def test_layout_has_room(self):
        """What media.base promises those of others."""
        layout.dump(
            layout.Layout(
                iso=samples.UUID,
                root_gb=layout.MAX_ROOT_GB,
                media=(
                    ('virtio', samples.UUID),
                    ('answers', DIGEST),
                    ('sixteen-letters-', samples.UUID),
                ),
            )
        )
