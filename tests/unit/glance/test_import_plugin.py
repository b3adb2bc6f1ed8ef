# SPDX-License-Identifier: Apache-2.0

"""The plug-in in a flow of taskflow's, with Glance's own action wrapper."""

import types
from unittest import mock

from glance.async_.flows import api_image_import
from glance.common import exception as glance_exception
from taskflow import engines
from taskflow import retry
from taskflow import task
from taskflow.patterns import linear_flow

from glance_ext import import_plugin
from tests.unit.glance import base
from tests.unit.glance import isos

IMAGE, TASK = 'image-id', 'task-id'
LOCK = {'os_glance_import_task': TASK}


class Repo:
    """Glance's repository, with one image."""

    def __init__(self, image):
        self.image = image
        self.saved = []

    def get(self, image_id):
        assert image_id == self.image.image_id
        return self.image

    def save(self, image, from_state=None):
        self.saved.append((dict(image.extra_properties), from_state))


class Guarded(dict):
    """Properties of which one may not be set."""

    def __setitem__(self, name, value):
        if name == 'os_distro':
            raise glance_exception.ReservedProperty(property=name)
        super().__setitem__(name, value)


class Staging(task.Task):
    default_provides = 'file_path'

    def __init__(self, path):
        super().__init__()
        self._path = path

    def execute(self):
        return f'file://{self._path}'


class Failing(task.Task):
    def execute(self):
        raise RuntimeError('the store is full')


class ImportPluginTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.staged = self.directory / IMAGE
        self.image = types.SimpleNamespace(
            image_id=IMAGE,
            disk_format='iso',
            status='importing',
            min_ram=0,
            min_disk=0,
            extra_properties=dict(LOCK),
        )
        self.repo = Repo(self.image)

    def run_import(self, content, *more):
        self.staged.write_bytes(content)
        flow = linear_flow.Flow('import', retry=retry.AlwaysRevert())
        flow.add(
            Staging(self.staged),
            import_plugin.get_flow(
                task_id=TASK,
                task_type='api_image_import',
                image_repo=self.repo,
                image_id=IMAGE,
                action_wrapper=api_image_import.ImportActionWrapper(
                    self.repo, IMAGE, TASK
                ),
                backend=['fast'],
                context=None,
                import_req={},
            ),
            *more,
        )
        engines.run(flow)

    @property
    def properties(self):
        return self.image.extra_properties

    def test_known_iso(self):
        self.run_import(isos.make())
        [(saved, from_state)] = self.repo.saved
        self.assertEqual(saved, saved | isos.KNOWN_PROPERTIES | LOCK)
        self.assertEqual('importing', from_state)
        self.assertEqual((512, 3), (self.image.min_ram, self.image.min_disk))
        self.assertTrue(self.staged.exists())

    def test_what_the_user_has_set_stays(self):
        self.properties.update(os_distro='mine', newos_install='true')
        self.image.min_ram = 64
        self.run_import(isos.make())
        self.assertEqual('mine', self.properties['os_distro'])
        self.assertEqual('true', self.properties['newos_install'])
        self.assertEqual((64, 3), (self.image.min_ram, self.image.min_disk))

    def test_what_the_user_may_not_set_is_left_out(self):
        self.image.extra_properties = Guarded(LOCK)
        self.run_import(isos.make())
        self.assertNotIn('os_distro', self.properties)
        self.assertEqual('example7', self.properties['newos_os'])

    def test_other_formats_are_not_looked_at(self):
        self.image.disk_format = 'raw'
        self.set_options(refuse=['unknown'])
        self.run_import(isos.make('OTHER'))
        self.assertEqual([], self.repo.saved)
        self.assertEqual(LOCK, self.properties)

    def test_own_errors_are_not_the_users(self):
        self.set_options(refuse=['not_iso'])
        with mock.patch.object(
            import_plugin.findings, 'of', side_effect=MemoryError
        ):
            self.run_import(b'no ISO')
        self.assertEqual(LOCK, self.properties)

    def test_another_task_has_the_image(self):
        self.properties['os_glance_import_task'] = 'another'
        self.run_import(isos.make())
        self.assertEqual([], self.repo.saved)

    def test_refused(self):
        self.set_options(refuse=['unknown'])
        self.properties['os_glance_importing_to_stores'] = 'fast'
        # Of no other does Glance show the text.
        with self.assertRaises(glance_exception.UploadException) as caught:
            self.run_import(isos.make('OTHER'))
        text = str(caught.exception)
        self.assertIn("'OTHER' is of no system", text)
        self.assertEqual('queued', self.image.status)
        self.assertEqual(
            {
                **LOCK,
                'os_glance_importing_to_stores': '',
                'os_glance_failed_import': 'fast',
                'newos_refused': text,
            },
            self.properties,
        )
        self.assertFalse(self.staged.exists())

    def test_refusal_is_forgotten_by_the_next_import(self):
        self.properties['newos_refused'] = 'it was broken'
        self.run_import(isos.make())
        self.assertNotIn('newos_refused', self.properties)

    def test_later_failure_is_not_undone_here(self):
        self.assertRaises(
            RuntimeError, self.run_import, isos.make(), Failing()
        )
        self.assertEqual('importing', self.image.status)
        self.assertNotIn('newos_refused', self.properties)
        self.assertTrue(self.staged.exists())
