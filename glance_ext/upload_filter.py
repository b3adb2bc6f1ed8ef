# SPDX-License-Identifier: Apache-2.0
"""The paste filter ``newos_iso``: what is uploaded without an import.

``PUT /v2/images/ID/file``, by which the openstack client and Horizon upload,
runs no import plug-in. The filter looks at the bytes as Glance reads them,
and changes the image through Glance's API afterwards, in the name of who has
uploaded it.
"""

import json
import re

from glance.common import wsgi
from oslo_config import cfg
from oslo_log import log as logging
import webob
import webob.exc

from glance_ext import conf
from glance_ext import exception
from glance_ext import findings
from nova_newos import iso

LOG = logging.getLogger(__name__)

_UPLOAD = re.compile(r'(/v2(?:\.\d+)?/images/[^/]+)/file/?')
# Of 2**63, more bytes than a file can have.
_MAX_DIGITS = 19
_PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'


class UploadFilter:
    """The filter, a WSGI application."""

    def __init__(self, application):
        self._application = application

    def __call__(self, environ, start_response):
        upload = _UPLOAD.fullmatch(environ.get('PATH_INFO', ''))
        if environ['REQUEST_METHOD'] != 'PUT' or not upload:
            return self._application(environ, start_response)
        if _is_chunked(environ):
            # RFC 9112, 6.3: it does not count, and webob would heed it.
            environ.pop('CONTENT_LENGTH', None)
        image = _Image(self._application, environ, upload[1])
        watch = iso.Watch(size=_declared_size(environ))
        _show(environ, watch, lambda: _check(image, watch))
        response = webob.Request(environ).get_response(self._application)
        if response.status_int == 204:
            _annotate(image, watch)
        return response(environ, start_response)


class _Image:
    """The image of an upload, as the API shows it to who uploads."""

    def __init__(self, application, environ, path):
        self._application = application
        self._path = path
        # As they are now: what is called next changes them.
        self._environ = {
            name: value
            for name, value in environ.items()
            if name != 'HTTP_TRANSFER_ENCODING'
            and not name.startswith('webob._')
        }

    def show(self):
        """What it has, ``{name: value}``; None if that is not to be had."""
        response = self._ask('GET', None, b'')
        return response.json if response.status_int == 200 else None

    def change(self, operations):
        """Change it by the operations of a JSON patch.

        :returns: whether Glance did.
        """
        response = self._ask(
            'PATCH', _PATCH_TYPE, json.dumps(operations).encode()
        )
        if response.status_int == 200:
            return True
        LOG.info('%s: %s for %s', self._path, response.status, operations)
        return False

    def _ask(self, method, content_type, body):
        request = webob.Request(
            dict(self._environ, PATH_INFO=self._path, QUERY_STRING=''),
            method=method,
            content_type=content_type,
            body=body,
        )
        return request.get_response(self._application)


class _Shown:
    """A body that shows what is read from it, and says when it is over.

    :param source: has read().
    :param length: in bytes, None if only the source knows.
    :param at_end: is called when all of it was read; what it raises, Glance
        meets as it reads, before it has kept the data.
    """

    def __init__(self, source, length, watch, at_end):
        self._source = source
        self._left = length
        self._watch = watch
        self._at_end = at_end

    def read(self, size=-1):
        return self._show(self._source.read(size), size)

    def readline(self, size=-1):
        return self._show(self._source.readline(size), size)

    def __iter__(self):
        return iter(self.readline, b'')

    def _show(self, chunk, size):
        self._watch.feed(chunk)
        if self._left is not None:
            self._left -= len(chunk)
            is_over = bool(chunk) and self._left <= 0
        else:
            is_over = not chunk and size != 0
        if is_over:
            self._at_end()
        return chunk


def _show(environ, watch, at_end):
    """Have a watch see what will be read of a request's body."""
    request = wsgi.Request(environ)
    if _is_chunked(environ):
        # Under uWSGI Glance reads chunks past wsgi.input, from what this
        # gives. It looks there no more once the body just ends somewhere.
        request.is_body_readable = True
        source, length = request.body_file, None
        del environ['HTTP_TRANSFER_ENCODING']
    else:
        source, length = environ['wsgi.input'], request.content_length
    environ['wsgi.input'] = _Shown(source, length, watch, at_end)
    # Another filter may have made it so.
    request.is_body_seekable = False


def _is_chunked(environ):
    return environ.get('HTTP_TRANSFER_ENCODING', '').lower() == 'chunked'


def _declared_size(environ):
    """Bytes of the upload, if it says so."""
    for name in ('HTTP_X_OPENSTACK_IMAGE_SIZE', 'CONTENT_LENGTH'):
        text = environ.get(name) or ''
        # int() also takes other scripts' digits.
        plain = text.isascii() and text.isdigit()
        if plain and len(text) <= _MAX_DIGITS:
            return int(text)
    return None


def _check(image, watch):
    """Refuse what the operator does not want.

    :raises webob.exc.HTTPBadRequest: which Glance hands to the user.
    """
    refuse = cfg.CONF.newos_iso.refuse
    if not refuse:
        return
    try:
        properties = image.show()
        if properties and properties['disk_format'] == 'iso':
            findings.of(watch.result).check(refuse, properties)
    except exception.IsoRefused as error:
        raise _bad_request(str(error)) from error
    except Exception:
        # No finding is worth an upload.
        LOG.exception('An upload was not checked')


def _bad_request(text):
    """An error that the client shows with its text.

    openstacksdk asks for no type of answer. It would get plain text, which it
    does not show.
    """
    body = {'message': text, 'code': '400 Bad Request', 'title': 'Bad Request'}
    return webob.exc.HTTPBadRequest(
        explanation=text,
        content_type='application/json',
        body=json.dumps(body).encode(),
    )


def _annotate(image, watch):
    try:
        found = findings.of(watch.result)
        if found.medium is None:
            return
        present = image.show()
        if present and present['disk_format'] == 'iso':
            _add(image, present, found)
    except Exception:
        # No finding is worth an upload.
        LOG.exception('An upload was not inspected')


def _add(image, present, found):
    operations = [
        {'op': 'add', 'path': f'/{name}', 'value': value}
        for name, value in found.properties().items()
        if name not in present
    ]
    minimums = found.minimums(cfg.CONF.newos_iso.minimums, present)
    operations += [
        {'op': 'replace', 'path': f'/{name}', 'value': value}
        for name, value in minimums.items()
        if not present[name]
    ]
    if findings.REFUSED in present:
        operations.append({'op': 'remove', 'path': f'/{findings.REFUSED}'})
    if operations and not image.change(operations):
        # Some of them may be nothing that the user may set.
        for operation in operations:
            image.change([operation])


def filter_factory(global_conf, **local_conf):
    """What paste asks for: makes the filter of an application."""
    conf.register_opts(cfg.CONF)
    return UploadFilter
