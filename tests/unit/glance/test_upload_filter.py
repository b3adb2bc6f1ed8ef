# SPDX-License-Identifier: Apache-2.0

"""The filter before an application that behaves as Glance's API."""

import io
import json
from unittest import mock

import ddt
import webob
import webob.dec
import webob.exc

from glance_ext import findings
from glance_ext import upload_filter
from tests.unit.glance import base
from tests.unit.glance import isos

PATH = '/v2/images/an-id'


class Api:
    """One image, as Glance shows, changes and fills it.

    :ivar protected: names of properties that nobody may set
    :ivar seen: of each request, (method, context)
    """

    def __init__(self, **attributes):
        self.image = {
            'disk_format': 'iso',
            'status': 'queued',
            'min_ram': 0,
            'min_disk': 0,
            **attributes,
        }
        self.data = None
        self.protected = ()
        self.failing = False
        self.chunk = 65536
        self.seen = []

    @webob.dec.wsgify
    def __call__(self, request):
        self.seen.append((request.method, request.context))
        if request.path_info == f'{PATH}/file':
            # As paste.urlmap does.
            request.path_info_pop()
            return self._upload(request)
        assert request.path_info == PATH, request.path_info
        return getattr(self, f'_{request.method.lower()}')(request)

    def _upload(self, request):
        if request.method != 'PUT':
            return webob.Response(b'what it holds')
        if self.failing:
            raise webob.exc.HTTPConflict('not now')
        read = []
        try:
            while chunk := request.body_file.read(self.chunk):
                read.append(chunk)
        except webob.exc.HTTPError as error:
            return error
        self.data = b''.join(read)
        self.image['status'] = 'active'
        return webob.Response(status=204)

    def _get(self, request):
        return webob.Response(json=self.image)

    def _patch(self, request):
        assert request.content_type.endswith('-json-patch')
        changed = dict(self.image)
        for operation in json.loads(request.body):
            name = operation['path'].removeprefix('/')
            if name in self.protected:
                raise webob.exc.HTTPForbidden()
            if operation['op'] == 'remove':
                del changed[name]
            else:
                changed[name] = operation['value']
        self.image = changed
        return webob.Response(json=changed)


@ddt.ddt
class UploadFilterTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.api = Api()

    def call(self, method='PUT', path=f'{PATH}/file', **kwargs):
        application = upload_filter.filter_factory({})(self.api)
        request = webob.Request.blank(path, method=method, **kwargs)
        request.context = 'the context of the request'
        return request.get_response(application)

    def upload(self, content, **kwargs):
        return self.call(body=content, **kwargs)

    def test_known_iso(self):
        self.set_options(minimums=['ram', 'disk'])
        content = isos.make()
        response = self.upload(content)
        self.assertEqual((204, b''), (response.status_int, response.body))
        self.assertEqual(content, self.api.data)
        expected = isos.KNOWN_PROPERTIES | isos.KNOWN_MINIMUMS
        self.assertEqual(self.api.image, self.api.image | expected)

    def test_all_of_it_is_asked_in_the_name_of_the_user(self):
        self.upload(isos.make())
        self.assertEqual(
            [
                (method, 'the context of the request')
                for method in ('PUT', 'GET', 'PATCH')
            ],
            self.api.seen,
        )

    @ddt.data('/v2.9', '/v2')
    def test_path_of_any_version(self, version):
        self.assertTrue(
            upload_filter._UPLOAD.fullmatch(f'{version}/images/an-id/file')
        )

    @ddt.data(
        ('GET', f'{PATH}/file'),
        ('GET', PATH),
        ('PATCH', PATH),
    )
    @ddt.unpack
    def test_other_requests_pass(self, method, path):
        with mock.patch.object(upload_filter, '_show') as show:
            kwargs = {}
            if method == 'PATCH':
                kwargs = {'json': [], 'content_type': 'x-json-patch'}
            response = self.call(method, path, **kwargs)
        self.assertEqual(200, response.status_int)
        self.assertEqual(1, len(self.api.seen))
        show.assert_not_called()

    @ddt.data(1, 4096, 10_000_000)
    def test_chunks_of_any_size(self, size):
        self.api.chunk = size
        content = isos.make()
        self.upload(content)
        self.assertEqual(content, self.api.data)
        self.assertEqual('example7', self.api.image['newos_os'])

    # A length says nothing beside chunks: RFC 9112, 6.3.
    @ddt.data({}, {'Content-Length': '10'}, {'Content-Length': '0'})
    def test_chunked_transfer(self, length):
        """Under uWSGI the chunks come past wsgi.input."""
        content = isos.make()
        chunks = mock.Mock(body_file=io.BytesIO(content))
        with mock.patch.object(
            upload_filter.wsgi, 'Request', side_effect=_request_of(chunks)
        ):
            self.call(headers={'Transfer-Encoding': 'chunked', **length})
        self.assertEqual(content, self.api.data)
        self.assertEqual('example7', self.api.image['newos_os'])

    def test_size_that_is_none(self):
        content = isos.make()
        for size in ('\xb2', '\u0663', '9' * 5000, '-1', '1e3', ''):
            self.api = Api()
            self.upload(content, headers={'X-OpenStack-Image-Size': size})
            self.assertEqual(content, self.api.data)
            self.assertEqual('example7', self.api.image['newos_os'])

    def test_what_is_set_stays(self):
        self.set_options(minimums=['ram', 'disk'])
        self.api.image |= {'os_distro': 'mine', 'min_ram': 64}
        self.upload(isos.make())
        self.assertEqual('mine', self.api.image['os_distro'])
        self.assertEqual(
            (64, 3), (self.api.image['min_ram'], self.api.image['min_disk'])
        )

    def test_what_the_user_may_not_set_is_left_out(self):
        self.set_options(minimums=['disk'])
        self.api.protected = ('os_distro',)
        response = self.upload(isos.make())
        self.assertEqual(204, response.status_int)
        self.assertNotIn('os_distro', self.api.image)
        self.assertEqual('example7', self.api.image['newos_os'])
        self.assertEqual(3, self.api.image['min_disk'])

    @ddt.data(([], {}), (['ram', 'disk'], {'newos_install': 'false'}))
    @ddt.unpack
    def test_without_minimums(self, wanted, properties):
        self.set_options(minimums=wanted)
        self.api.image |= properties
        self.upload(isos.make())
        self.assertEqual('example7', self.api.image['newos_os'])
        self.assertEqual(
            (0, 0), (self.api.image['min_ram'], self.api.image['min_disk'])
        )

    def test_nothing_to_set(self):
        self.upload(isos.make())
        self.api.seen.clear()
        self.api.image['status'] = 'queued'
        self.upload(isos.make())
        self.assertEqual(
            ['PUT', 'GET'], [method for method, _ in self.api.seen]
        )

    def test_other_formats_are_left_alone(self):
        self.api.image['disk_format'] = 'raw'
        before = dict(self.api.image)
        self.upload(isos.make())
        self.assertEqual({**before, 'status': 'active'}, self.api.image)

    def test_what_is_no_iso_is_not_asked_about(self):
        content = b'QFI\xfb' + bytes(200_000)
        self.upload(content)
        self.assertEqual(content, self.api.data)
        self.assertEqual(['PUT'], [method for method, _ in self.api.seen])

    def test_upload_that_fails(self):
        self.api.failing = True
        response = self.upload(isos.make())
        self.assertEqual(409, response.status_int)
        self.assertEqual(1, len(self.api.seen))

    def test_own_errors_are_not_the_users(self):
        self.set_options(refuse=['not_iso'])
        with mock.patch.object(findings, 'of', side_effect=MemoryError):
            response = self.upload(isos.make())
        self.assertEqual(204, response.status_int)
        self.assertEqual('active', self.api.image['status'])

    @ddt.data(
        ('not_iso', b'no ISO', 'not an ISO 9660'),
        ('not_bootable', isos.make('D', is_bootable=False), 'neither BIOS'),
        ('unknown', isos.make('OTHER'), "'OTHER' is of no system"),
    )
    @ddt.unpack
    def test_refused(self, reason, content, text):
        self.set_options(refuse=[reason])
        # openstacksdk says so, and shows JSON and HTML alone.
        response = self.upload(content, headers={'Accept': ''})
        self.assertEqual(400, response.status_int)
        self.assertIn(text, response.json['message'])
        self.assertIsNone(self.api.data)
        self.assertNotIn('newos_boot', self.api.image)

    @ddt.data({}, {'Content-Length': '3'})
    def test_refused_in_chunks(self, length):
        self.set_options(refuse=['not_iso'])
        chunks = mock.Mock(body_file=io.BytesIO(b'no ISO'))
        with mock.patch.object(
            upload_filter.wsgi, 'Request', side_effect=_request_of(chunks)
        ):
            response = self.call(
                headers={'Transfer-Encoding': 'chunked', **length}
            )
        self.assertEqual(400, response.status_int)
        self.assertIsNone(self.api.data)

    def test_not_refused(self):
        self.set_options(refuse=['not_iso', 'not_bootable', 'unknown'])
        for image, content in (
            ({}, isos.make()),
            ({'disk_format': 'raw'}, b'no ISO'),
            ({'newos_install': 'false'}, isos.make('D', is_bootable=False)),
        ):
            self.api = Api(**image)
            self.assertEqual(204, self.upload(content).status_int)
            self.assertEqual(content, self.api.data)

    def test_part_of_an_upload_is_not_judged(self):
        self.set_options(refuse=['not_iso'])
        body = upload_filter._Shown(
            io.BytesIO(b'the begin'), 100, mock.Mock(), self.fail
        )
        self.assertEqual(b'the begin', body.read(50))
        self.assertEqual(b'', body.read(50))

    def test_refusal_of_an_import_is_forgotten(self):
        self.api.image['newos_refused'] = 'it was broken'
        self.upload(isos.make())
        self.assertNotIn('newos_refused', self.api.image)

    def test_body_is_read_in_lines_too(self):
        watch = mock.Mock()
        body = upload_filter._Shown(
            io.BytesIO(b'a\nb\nc'), None, watch, lambda: None
        )
        self.assertEqual(b'a\n', body.readline())
        self.assertEqual([b'b\n', b'c'], list(body))
        self.assertEqual(
            b'a\nb\nc',
            b''.join(call.args[0] for call in watch.feed.call_args_list),
        )


def _request_of(chunks):
    """Glance's Request under uWSGI, whose body_file reads chunks."""

    def make(environ):
        environ['wsgi.input_terminated'] = True
        return chunks

    return make
