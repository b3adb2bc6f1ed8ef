# SPDX-License-Identifier: Apache-2.0

"""What is relied on in Glance, that Glance does not promise."""

import inspect
import io

import ddt
from glance.api.v2 import image_data
from glance.async_.flows import api_image_import
from glance.common import exception
from glance.common import wsgi
from glance.domain import proxy
import webob

from tests.unit import base


def parameters(function):
    return [*inspect.signature(function).parameters]


@ddt.ddt
class GlanceTest(base.TestCase):
    @ddt.data(
        (api_image_import.ImportActionWrapper.assert_task_lock, ['self']),
        (
            api_image_import._ImportActions.set_image_attribute,
            ['self', 'attrs'],
        ),
        (
            api_image_import._ImportActions.set_image_extra_properties,
            ['self', 'properties'],
        ),
        (
            api_image_import._ImportActions.remove_importing_stores,
            ['self', 'stores'],
        ),
        (
            api_image_import._ImportActions.add_failed_stores,
            ['self', 'stores'],
        ),
        (proxy.Repo.get, ['self', 'item_id']),
        (proxy.Repo.save, ['self', 'item', 'from_state']),
    )
    @ddt.unpack
    def test_called_as_it_is_here(self, function, expected):
        self.assertEqual(expected, parameters(function))

    def test_what_is_refused_is_an_error_of_its_kind(self):
        self.assertTrue(
            issubclass(exception.ReservedProperty, exception.Forbidden)
        )
        self.assertEqual('why', str(exception.UploadException('why')))

    def test_flow_is_given_what_the_plugin_takes(self):
        source = inspect.getsource(api_image_import.get_flow)
        self.assertIn("kwargs['action_wrapper'] = action_wrapper", source)
        for name in ('task_id', 'task_type', 'image_repo', 'image_id'):
            self.assertIn(f"kwargs.get('{name}')", source)
        # Not for copy-image.
        self.assertIn("if import_method != 'copy-image':", source)

    def test_staged_file_is_provided_as_a_url(self):
        self.assertEqual(
            'file_path', api_image_import._VerifyStaging.default_provides
        )

    def test_data_is_read_from_the_body_of_the_request(self):
        data = io.BytesIO(b'what is uploaded')
        request = wsgi.Request(
            {
                **webob.Request.blank('/').environ,
                'REQUEST_METHOD': 'PUT',
                'CONTENT_TYPE': 'application/octet-stream',
                'wsgi.input': data,
                'wsgi.input_terminated': True,
            }
        )
        read = image_data.RequestDeserializer().upload(request)
        self.assertEqual(b'what is uploaded', read['data'].read())

    def test_refusal_while_data_is_read_goes_to_the_user(self):
        source = inspect.getsource(image_data.ImageDataController.upload)
        _, _, handler = source.partition('except webob.exc.HTTPError:')
        self.assertIn('save_and_reraise_exception', handler)
        self.assertIn('self._restore(image_repo, image)', handler)
