# SPDX-License-Identifier: Apache-2.0

import types
from unittest import mock

import ddt
from glanceclient import exc
from nova import exception as nova_exception
from nova.image import glance

from nova_newos import exception
from nova_newos.virt import glance as newos_glance
from tests.unit.virt import fakes


class Glance:
    """Glance as nova.image.glance has it, with one image.

    :ivar asked: (context, image id) of each request
    """

    def __init__(
        self, image=None, error=None, visibility='private', members=()
    ):
        self.image = image
        self.error = error
        self.visibility = visibility
        self.members = members
        self.asked = []

    def get(self, context, image_id):
        self.asked.append((context, image_id))
        if self.error:
            raise self.error
        return dict(
            self.image,
            id=image_id,
            is_public=self.visibility == 'public',
        )

    def call(
        self, context, version, method, controller=None, args=None, kwargs=None
    ):
        """As GlanceClientWrapper.call."""
        self.asked.append((context, *args))
        if controller == 'image_members':
            return iter(
                [types.SimpleNamespace(member_id=m) for m in self.members]
            )
        if self.error:
            raise self.error
        return types.SimpleNamespace(
            visibility=self.visibility,
            os_hash_algo='sha512',
            os_hash_value='aa',
            size=self.image and self.image['size'],
        )


def answering(cloud):
    """Have a Glance of this shape answer what Nova's client asks."""
    return mock.patch.object(glance, 'GlanceClientWrapper', return_value=cloud)


@ddt.ddt
class CheckTest(fakes.TestCase):
    def check(self, cloud, context=None, project=fakes.PROJECT):
        context = context or fakes.context()
        with answering(cloud):
            newos_glance.check(
                context, cloud, fakes.DRIVERS, 'virtio', project
            )
        self.assertEqual({(context, fakes.DRIVERS)}, set(cloud.asked))

    def image(self, owner='somebody', **fields):
        return {**fakes.image_dict(), 'owner': owner, **fields}

    def assert_refused(self, cloud, reason):
        with self.assertRaises(exception.MediumImageRefused) as caught:
            self.check(cloud)
        error = caught.exception
        self.assertEqual(
            (fakes.DRIVERS, 'virtio'), (error.image_id, error.medium)
        )
        self.assertIn(reason, error.reason)
        self.assertIn('name an active iso image', str(error))

    @ddt.data('public', 'community')
    def test_readable_by_all(self, visibility):
        self.check(Glance(self.image(), visibility=visibility))

    @ddt.data('private', 'shared', 'community', 'public')
    def test_own(self, visibility):
        self.check(
            Glance(self.image(owner=fakes.PROJECT), visibility=visibility)
        )

    def test_shared_with_the_project(self):
        self.check(
            Glance(
                self.image(),
                visibility='shared',
                members=['another', fakes.PROJECT],
            )
        )

    @ddt.data([], ['another'])
    def test_shared_with_others(self, members):
        """The requester sees it, the server's project may not."""
        self.assert_refused(
            Glance(self.image(), visibility='shared', members=members),
            "server's project",
        )

    def test_private_image_of_another_project(self):
        """An administrator who rebuilds sees every image."""
        self.assert_refused(Glance(self.image()), "server's project")

    def test_administrators_own_image(self):
        """Whose token it is does not count, whose server it is does."""
        cloud = Glance(self.image(owner='admin-project'))
        context = fakes.context('admin-project')
        with self.assertRaises(exception.MediumImageRefused):
            self.check(cloud, context)
        self.check(cloud, context, 'admin-project')

    def test_image_without_owner(self):
        self.assert_refused(Glance(self.image(owner=None)), 'project')

    @ddt.data(
        nova_exception.ImageNotFound(image_id=fakes.DRIVERS),
        nova_exception.ImageNotAuthorized(image_id=fakes.DRIVERS),
    )
    def test_not_there_for_the_requester(self, error):
        """Also when the file is on the host already."""
        self.assert_refused(Glance(error=error), 'does not exist or may not')

    def test_glance_does_not_answer(self):
        """That is no fault of the image: it may be tried again."""
        error = nova_exception.GlanceConnectionFailed(server='s', reason='r')
        with self.assertRaises(nova_exception.GlanceConnectionFailed):
            self.check(Glance(error=error))

    @ddt.data(
        'queued',
        'saving',
        'deleted',
        'pending_delete',
        'deactivated',
        'killed',
        'importing',
    )
    def test_not_active(self, status):
        """A deactivated image is no longer handed out."""
        self.assert_refused(
            Glance(self.image(status=status), visibility='public'), status
        )

    @ddt.data('qcow2', 'raw', 'vmdk', None)
    def test_not_iso(self, disk_format):
        """Only what Glance calls an ISO."""
        self.assert_refused(
            Glance(self.image(disk_format=disk_format), visibility='public'),
            f'disk format {disk_format}',
        )

    @ddt.data(4 * fakes.GiB + 1, 0)
    def test_too_large(self, size):
        cloud = Glance(self.image(owner=fakes.PROJECT, size=size))
        with self.assertRaisesRegex(
            exception.MediumTooLarge, f'{fakes.DRIVERS}.*media_max_size=4'
        ):
            self.check(cloud)

    def test_readable_but_not_active(self):
        self.assert_refused(
            Glance(self.image(owner=fakes.PROJECT, status='queued')), 'queued'
        )


@ddt.ddt
class SizeTest(fakes.TestCase):
    """Of an image that is about to be fetched."""

    def check(self, cloud):
        context = fakes.context()
        with answering(cloud):
            newos_glance.check_size(context, fakes.DRIVERS, 'virtio')
        self.assertEqual([(context, fakes.DRIVERS)], cloud.asked)

    def test_largest(self):
        self.flags('newos', media_max_size=1)
        self.check(Glance({'size': fakes.GiB}))

    def test_too_large(self):
        self.flags('newos', media_max_size=1)
        with self.assertRaises(exception.MediumTooLarge):
            self.check(Glance({'size': fakes.GiB + 1}))

    @ddt.data(exc.HTTPNotFound(), exc.HTTPForbidden(), exc.HTTPUnauthorized())
    def test_gone(self, error):
        """Whoever fetches it knows what to do then."""
        self.check(Glance(error=error))


@ddt.ddt
class DigestTest(fakes.TestCase):
    def digest(self, cloud):
        context = fakes.context()
        with answering(cloud):
            found = newos_glance.digest(context, fakes.ISO)
        self.assertEqual([(context, fakes.ISO)], cloud.asked)
        return found

    def test_digest(self):
        self.assertEqual('sha512:aa', self.digest(Glance()))

    @ddt.data(exc.HTTPNotFound(), exc.HTTPForbidden())
    def test_gone(self, error):
        self.assertIsNone(self.digest(Glance(error=error)))

    def test_glance_does_not_answer(self):
        error = nova_exception.GlanceConnectionFailed(server='s', reason='r')
        with self.assertRaises(nova_exception.GlanceConnectionFailed):
            self.digest(Glance(error=error))
