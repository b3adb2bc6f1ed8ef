# SPDX-License-Identifier: Apache-2.0

"""What several plug-ins in one import do, with Glance's action wrapper."""

from unittest import mock

import ddt
from glance.api.v2 import images as _options  # noqa: F401  Glance's options
from glance.async_.flows import api_image_import
from glance.common import exception as glance_exception
from taskflow.types import failure

from glance_ext import task
from tests.unit import base
from tests.unit.glance import images


def nothing(image):
    pass


def failed(error):
    try:
        raise error
    except Exception:
        return failure.Failure()


@ddt.ddt
class ImportTest(base.TestCase):
    def make(self, method='glance-direct', layer=None, **attributes):
        self.database = images.Repo(images.make(**attributes))
        repo = layer(self.database) if layer else self.database
        return task.Import(
            {
                'image_id': images.IMAGE,
                'image_repo': repo,
                'action_wrapper': api_image_import.ImportActionWrapper(
                    repo, images.IMAGE, images.TASK
                ),
                'import_req': {'method': {'name': method}},
                'backend': ['fast'],
            }
        )

    @property
    def properties(self):
        return self.database.image.extra_properties

    @ddt.data('glance-direct', 'web-download', 'glance-download')
    def test_queued_by_another_task(self, method):
        """Of image_conversion, say."""
        self.make(method, status='queued').queue('/nowhere/file')
        self.assertEqual('queued', self.database.image.status)
        self.assertEqual('fast', self.properties['os_glance_failed_import'])

    @ddt.data('web-download', 'glance-download')
    def test_downloads_are_queued_by_glance(self, method):
        self.make(method).queue('/nowhere/file')
        self.assertEqual('importing', self.database.image.status)

    @ddt.data('glance-direct', 'web-download')
    def test_what_is_active_keeps_its_data(self, method):
        with mock.patch.object(task.os, 'unlink') as unlink:
            self.make(method, status='active').queue('/nowhere/file')
        unlink.assert_not_called()
        self.assertEqual('active', self.database.image.status)

    def test_restored(self):
        image = self.make(extra_properties={'a': '0'})
        added = image.update(nothing, {'a': '1', 'b': '2', 'c': '3'})
        self.assertEqual({'b': '2', 'c': '3'}, added)
        self.database.change(c='mine')
        image.restore(nothing, added)
        self.assertEqual(
            {'a': '0', 'c': 'mine'}, _without_lock(self.properties)
        )

    def test_restored_as_far_as_it_is_allowed(self):
        """Protections may allow to create what they do not let be deleted."""
        image = self.make(
            layer=lambda repo: images.with_protections(repo, 'a'),
            extra_properties={'a': '1', 'b': '2'},
        )
        image.restore(nothing, {'a': '1', 'b': '2'})
        self.assertEqual({'a': '1'}, _without_lock(self.properties))

    def test_only_what_is_the_users_to_read_is_told(self):
        image = self.make()
        image.tell(failed(OSError(28, 'No space left', '/secret')))
        self.assertNotIn('newos_refused', self.properties)
        image.tell(failed(glance_exception.UploadException('n' * 300)))
        self.assertEqual('n' * 255, self.properties['newos_refused'])

    def test_no_undoing_raises(self):
        """Glance would keep its lock."""
        image = self.make()
        self.database.change(os_glance_import_task='another')
        image.queue('/nowhere/file')
        image.restore(nothing, {'a': '1'})
        image.tell(failed(glance_exception.UploadException('no')))
        self.assertEqual([], self.database.statuses)


def _without_lock(properties):
    return {
        name: value
        for name, value in dict(properties).items()
        if name != images.LOCK
    }
