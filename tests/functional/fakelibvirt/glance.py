# SPDX-License-Identifier: Apache-2.0
"""An image service that keeps what it gets, and refuses what Glance does."""

import hashlib
import types

import fixtures
from glanceclient import exc
from nova import exception
from nova.tests import fixtures as nova_fixtures
from oslo_utils import timeutils
from oslo_utils import units

_ISO_MAGIC_AT = 0x8000


def iso_bytes(size=2 * units.Mi):
    """The least that Glance and Nova take for an ISO 9660 volume.

    :param size: length in bytes
    """
    descriptor = b'\x01CD001\x01'.ljust(2048, b'\0')
    return (bytes(_ISO_MAGIC_AT) + descriptor).ljust(size, b'\0')


class Glance(nova_fixtures.GlanceFixture):
    """Nova's fake, which also keeps the bytes of snapshots.

    :ivar fetched: ids of the images that were downloaded, in that order
    :ivar before_download: called with the id of an image before its bytes go
        out
    """

    def setUp(self):
        super().setUp()
        self.reset()
        self.test.useFixture(
            fixtures.MonkeyPatch(
                'nova.image.glance.GlanceClientWrapper', lambda: self
            )
        )

    def reset(self):
        """Forget the images, and who fetched what."""
        self.fetched = []
        self.before_download = lambda image_id: None
        self.images.clear()
        self._imagedata.clear()

    def download(self, context, image_id, *args, **kwargs):
        self.before_download(image_id)
        self.fetched.append(image_id)
        return super().download(context, image_id, *args, **kwargs)

    def create(self, context, metadata, data=None):
        # Nova's fake has all images made at one time.
        metadata.setdefault('created_at', timeutils.utcnow())
        return super().create(context, metadata, data=data)

    def detail(self, context, filters=None, **kwargs):
        # Nova's fake takes every image for what is asked for.
        wanted = {
            name.removeprefix('property-'): value
            for name, value in (filters or {}).items()
            if name.startswith('property-')
        }
        return sorted(
            (
                image
                for image in super().detail(context)
                if wanted.items() <= image['properties'].items()
            ),
            key=lambda image: image['created_at'],
            reverse=kwargs.get('sort_dir') == 'desc',
        )

    def update(
        self, context, image_id, metadata, data=None, purge_props=False
    ):
        if purge_props:
            # Glance replaces the properties, Nova's fake the whole record.
            metadata = {**self.images[image_id], **metadata}
            _refuse_moves(
                image_id,
                self.images[image_id]['properties'],
                metadata['properties'],
            )
        image = super().update(
            context, image_id, metadata, data=data, purge_props=purge_props
        )
        # As nova.image.glance sends them to the real one.
        for name in ('kernel_id', 'ramdisk_id'):
            if not image['properties'].get(name):
                image['properties'].pop(name, None)
        if data is not None:
            self._imagedata[image_id] = data.read()
            image.update(status='active', size=len(self._imagedata[image_id]))
        return image

    def call(
        self, context, version, method, controller=None, args=None, kwargs=None
    ):
        """Answers to ``nova.image.glance.GlanceClientWrapper.call``."""
        self.test.assertEqual((2, 'get', None), (version, method, controller))
        [image_id] = args
        if image_id not in self.images:
            raise exc.HTTPNotFound()
        data = self._imagedata[image_id]
        return types.SimpleNamespace(
            os_hash_algo='sha512',
            os_hash_value=hashlib.sha512(data).hexdigest(),
            visibility='private',
            size=len(data),
        )

    def bytes_of(self, image_id):
        """The bytes of an image, or None if none came."""
        return self._imagedata.get(image_id)


def _refuse_moves(image_id, before, after):
    """As Glance refuses a JSON patch (RFC 6902) with the operation "move".

    glanceclient's library makes one of a value that changes its name.
    """
    gone = {before[name] for name in before.keys() - after.keys()}
    come = {after[name] for name in after.keys() - before.keys()}
    if gone & come:
        raise exception.ImageBadRequest(image_id=image_id, response='move')
