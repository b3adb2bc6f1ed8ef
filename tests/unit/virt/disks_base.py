# SPDX-License-Identifier: Apache-2.0

import errno
import json
import os
import pathlib

from nova.virt.libvirt import imagecache

from nova_newos import layout
from nova_newos.media import base as media_base
from nova_newos.virt import blockinfo
from nova_newos.virt import disks
from tests.unit.virt import fakes

FULL = OSError(errno.ENOSPC, 'No space left on device')

MAPPING = {
    'disk.newos': {'bus': 'virtio', 'dev': 'vda', 'type': 'disk'},
    'disk': {'bus': 'ide', 'dev': 'hda', 'type': 'cdrom'},
    'disk.virtio': {'bus': 'ide', 'dev': 'hdb', 'type': 'cdrom'},
    'disk.answers': {'bus': 'ide', 'dev': 'hdc', 'type': 'cdrom'},
}


def base_name(image_id):
    return imagecache.get_cache_fname(image_id)


class DisksTestCase(fakes.TestCase):
    def setUp(self):
        super().setUp()
        blockinfo.install()
        self.storage = self.useFixture(fakes.Storage(self))
        self.written = []
        self.media = [
            fakes.VIRTIO,
            fakes.Medium(
                'answers', 'digest', media_base.Generated('LABEL', self.write)
            ),
        ]
        self.layout = fakes.LAYOUT
        self.instance = fakes.server()
        # LibvirtDriver._create_image makes it first.
        self.directory(self.instance)

    def write(self, path):
        self.written.append(path)
        pathlib.Path(path).write_bytes(fakes.iso_bytes(b'answers'))

    def with_answers(self):
        self.layout = layout.Layout(
            iso=fakes.ISO, root_gb=7, media=(('answers', 'digest'),)
        )

    def disks(self):
        return disks.Disks(self.storage.backend(), self.storage.fetch())

    def server(self):
        return fakes.install_server(self.instance, self.layout, self.media)

    def create(self, fallback_host=None):
        return self.disks().create(
            fakes.context(), self.server(), MAPPING, fallback_host
        )

    def path(self, name):
        return os.path.join(self.directory(self.instance), name)

    def base(self, image_id):
        return os.path.join(self.instances_path, '_base', base_name(image_id))

    def recorded(self):
        """Formats on record, by file name."""
        content = pathlib.Path(self.path('disk.info')).read_text()
        return {
            os.path.basename(path): disk_format
            for path, disk_format in json.loads(content).items()
        }

    def files(self):
        return set(os.listdir(self.directory(self.instance)))
