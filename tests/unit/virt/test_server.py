# SPDX-License-Identifier: Apache-2.0

from oslo_serialization import base64

from nova_newos import layout
from nova_newos.media import base as media_base
from nova_newos.virt import server as servers
from tests.unit.virt import fakes


class PlainTest(fakes.TestCase):
    def test_plain_values(self):
        instance = fakes.server(
            fakes.image_dict(os_type='windows', newos_unknown='x'),
            user_data=base64.encode_as_text(b'#cloud-config'),
        )
        plain = servers.as_plain(instance, fakes.ISO)
        self.assertEqual(
            (fakes.SERVER, fakes.PROJECT, fakes.ISO, b'#cloud-config'),
            (plain.uuid, plain.project_id, plain.iso, plain.user_data),
        )
        self.assertEqual('windows', plain.properties['os_type'])

    def test_finish(self):
        for finish, expected in (('reboot', True), ('power-off', False)):
            instance = fakes.server(metadata={'newos_finish': finish})
            plain = servers.as_plain(instance, fakes.ISO)
            self.assertIs(expected, plain.finishes_by_reboot)

    def test_no_user_data(self):
        self.assertIsNone(
            servers.as_plain(fakes.server(), fakes.ISO).user_data
        )


class InstallServerTest(fakes.TestCase):
    def server(self, server_layout):
        generated = media_base.Generated('LABEL', None)
        self.generated = generated
        return fakes.install_server(
            fakes.server(),
            server_layout,
            [fakes.VIRTIO, fakes.Medium('answers', 'd', generated)],
        )

    def test_disks(self):
        server = self.server(
            layout.Layout(
                iso=fakes.ISO,
                root_gb=1,
                media=(('virtio', fakes.DRIVERS), ('answers', 'd')),
            )
        )
        self.assertEqual('disk.newos', server.root)
        self.assertEqual(
            {
                'disk': media_base.GlanceImage(fakes.ISO),
                'disk.virtio': media_base.GlanceImage(fakes.DRIVERS),
                'disk.answers': self.generated,
            },
            {name: server.contents(name) for name in server.cdroms},
        )

    def test_restored(self):
        server = self.server(fakes.LAYOUT.restored())
        self.assertEqual(('disk', ()), (server.root, server.cdroms))
        # Where it comes from is still told.
        self.assertEqual(
            media_base.GlanceImage(fakes.DRIVERS), server.medium('virtio')
        )
