# SPDX-License-Identifier: Apache-2.0
"""The answer CD when the user data of its server changes: a rebuild."""

import base64
import hashlib

import pytest

from tests.functional.fakelibvirt import base
from tests.unit.media.answers import readback
from tests.unit.media.answers import samples

ANSWERS = ('disk.answers', 'cdrom', 'ide', 'hdb')


def encoded(data):
    return base64.b64encode(data).decode()


class RebuildTestCase(base.ServersTestCase):
    def setUp(self):
        super().setUp()
        self.iso = self.add_image()
        self.server = self.create(
            self.iso, user_data=encoded(samples.KICKSTART)
        )
        self.path = self.directory(self.server) / 'disk.answers'
        self.before = self.path.read_bytes()

    def rebuild(self, data, state='ACTIVE'):
        body = {'imageRef': self.iso, 'user_data': encoded(data)}
        return self.act(self.server, 'rebuild', body, state)

    @pytest.mark.operation('rebuild-same-iso')
    def test_other_answers(self):
        self.rebuild(samples.AUTOINSTALL)
        self.assertEqual(
            [base.ROOT, base.ISO, ANSWERS], self.disks(self.server)
        )
        self.assertEqual(('CIDATA', 'CIDATA'), readback.labels(self.path))
        digest = hashlib.sha256(samples.AUTOINSTALL).hexdigest()[:32]
        self.assertEqual(
            (('answers', digest),), self.layout_of(self.server).media
        )

    @pytest.mark.operation('rebuild-same-iso')
    def test_no_answers_any_more(self):
        self.rebuild(b'#cloud-config\n')
        self.assertEqual([base.ROOT, base.ISO], self.disks(self.server))
        self.assertFalse(self.path.exists())

    @pytest.mark.operation('rebuild-same-iso', outcome='refused')
    def test_refused_answers(self):
        """Nova has stored the new user data by then."""
        server = self.rebuild(samples.AUTOYAST[:-4], state='ERROR')
        self.assertIn('AutoYaST', server['fault']['message'])
        self._reboot_server(self.server, hard=True)
        # A server that runs stays ACTIVE when its reboot fails.
        self.assertNotIn(
            'instance.reboot.error',
            [n['event_type'] for n in self.notifier.versioned_notifications],
        )
        self.assertEqual(
            [base.ROOT, base.ISO, ANSWERS], self.disks(self.server)
        )
        self.assertEqual(self.before, self.path.read_bytes())
