# SPDX-License-Identifier: Apache-2.0
"""A Glance and a Nova in memory, as far as the registry asks them."""

import hashlib
import itertools
import json
import re
import types
import unicodedata
import uuid

from openstack import exceptions
import requests

PROJECT = 'project'


class Killed(Exception):
    """The client ends here."""


def _folded(text):
    """As MySQL compares."""
    decomposed = unicodedata.normalize('NFD', text)
    return ''.join(
        c for c in decomposed if not unicodedata.combining(c)
    ).lower()


class Cloud:
    """One cloud.

    :ivar glance: see Glance; also ``image``, as openstacksdk calls it
    :ivar running: dict of image's id to servers
    :ivar admin: whether servers of all projects may be listed
    """

    current_project_id = PROJECT

    def __init__(self):
        self.image = self.glance = Glance()
        self.running = {}
        self.admin = False
        self.compute = types.SimpleNamespace(servers=self._servers)

    def _servers(self, image, all_projects=False):
        if all_projects and not self.admin:
            raise exceptions.ForbiddenException('not you')
        return iter(self.running.get(image, []))


class Glance:
    """Answers requests as Glance does.

    :ivar images: dict of id to image
    :ivar requests: (method, path) of those that were answered
    :ivar kill_at: number of the request at which the client is killed, None
        for never
    :ivar kill_before: whether it is before the request reaches Glance
    :ivar forbidden: (method, end of the path) that answer 403
    :ivar on_request: called with method and path before each answer
    :ivar page: the most images of one answer
    """

    def __init__(self):
        self.images, self.data, self.members = {}, {}, {}
        self.requests, self.forbidden = [], set()
        self.kill_at, self.kill_before = None, False
        self.on_request = lambda method, path: None
        self.page = 1000
        self._clock = itertools.count()

    def add(self, **fields):
        """An active image, without a request."""
        image_id = fields.pop('id', None) or str(uuid.uuid4())
        number = next(self._clock)
        image = {
            'id': image_id,
            'name': 'image',
            'status': 'active',
            'visibility': 'private',
            'protected': False,
            'os_hidden': False,
            'owner': PROJECT,
            'created_at': f'2026-01-01T00:{number // 60:02}:{number % 60:02}Z',
            'tags': [],
            'size': 0,
            'min_disk': 0,
            'min_ram': 0,
            'disk_format': 'qcow2',
            'container_format': 'bare',
            'os_hash_algo': 'sha512',
            'os_hash_value': None,
            **fields,
        }
        self.images[image_id] = image
        return image

    def fill(self, image, data):
        """Give an image its bytes, without a request."""
        self.data[image['id']] = data
        image |= {
            'status': 'active',
            'size': len(data),
            'os_hash_value': hashlib.sha512(data).hexdigest(),
        }

    def named(self, name):
        """Ids of the images that the name leads to."""
        return [
            image['id']
            for image in self.images.values()
            if image['name'] == name and not image['os_hidden']
        ]

    def get(self, path, params=None, headers=None, stream=False, timeout=None):
        # Only what is read bit by bit can stop in between.
        assert stream == bool(timeout)
        return self._do('GET', path, params=params or {}, headers=headers)

    def post(self, path, json=None):
        return self._do('POST', path, json=json)

    def patch(self, path, json, headers):
        assert headers['Content-Type'].endswith('images-v2.1-json-patch')
        return self._do('PATCH', path, json=json)

    def put(self, path, data=None, headers=None):
        return self._do('PUT', path, data=data, headers=headers)

    def delete(self, path):
        return self._do('DELETE', path)

    def _do(self, method, path, **request):
        is_last = self.kill_at == len(self.requests)
        if is_last and self.kill_before:
            raise Killed()
        self.on_request(method, path)
        self.requests.append((method, path))
        answer = self._answer(method, path, **request)
        if is_last:
            raise Killed()
        return answer

    def _answer(self, method, path, **request):
        if any(
            method == verb and path.endswith(end)
            for verb, end in self.forbidden
        ):
            return _refusal('forbidden by policy')
        if path == '/images':
            kind = {'GET': self._list, 'POST': self._create}[method]
            return kind(**request)
        image_id, _sep, rest = path.removeprefix('/images/').partition('/')
        if image_id not in self.images:
            return _response(404, {})
        action = re.sub('[^a-z]', '_', rest.partition('/')[0]) or 'image'
        handler = getattr(self, f'_{method.lower()}_{action}')
        return handler(self.images[image_id], rest, **request)

    def _list(self, params, headers):
        params = dict(params)
        limit = min(params.pop('limit'), self.page)
        marker = params.pop('marker', None)
        tag = params.pop('tag', None)
        hidden = params.pop('os_hidden', 'false') == 'true'
        if ':' in params.get('name', ''):
            operator, names = params['name'].split(':', 1)
            if operator != 'in':
                return _response(400, {})
            params['name'] = names.strip('"')
        found = [
            image
            for image in reversed(self.images.values())
            if image['os_hidden'] == hidden
            and (
                image['visibility'] != 'community'
                or image['owner'] == PROJECT
                or 'visibility' in params
            )
            and (tag is None or tag in image['tags'])
            and all(
                isinstance(image.get(name), str)
                and _folded(image[name]) == _folded(value)
                for name, value in params.items()
            )
        ]
        if marker:
            ids = [image['id'] for image in found]
            found = found[ids.index(marker) + 1 :]
        body = {'images': found[:limit]}
        if len(body['images']) == limit:
            body['next'] = '/v2/images?marker=...'
        return _response(200, body)

    def _create(self, json):
        if json.get('id') in self.images:
            return _response(409)
        image = self.add(status='queued', **json)
        return _response(201, image)

    def _get_image(self, image, _rest, params, headers):
        return _response(200, image)

    def _patch_image(self, image, _rest, json):
        changed = dict(image)
        for operation in json:
            name = operation['path'][1:]
            if operation['op'] == 'remove':
                del changed[name]
            elif operation['op'] == 'replace' and name not in image:
                return _response(409, {})
            else:
                changed[name] = operation['value']
        image.clear()
        image.update(changed)
        return _response(200, image)

    def _delete_image(self, image, _rest):
        if image['protected']:
            return _refusal('it is protected')
        del self.images[image['id']]
        return _response(204)

    def _put_tags(self, image, rest, data, headers):
        image['tags'] = sorted({*image['tags'], rest.partition('/')[2]})
        return _response(204)

    def _post_actions(self, image, _rest, json):
        image['status'] = 'deactivated'
        return _response(204)

    def _get_members(self, image, _rest, params, headers):
        found = self.members.get(image['id'], [])
        return _response(
            200, {'members': [{'member_id': member} for member in found]}
        )

    def _post_members(self, image, _rest, json):
        if image['visibility'] != 'shared':
            return _response(403, {})
        found = self.members.setdefault(image['id'], [])
        if json['member'] in found:
            return _response(409, {})
        found.append(json['member'])
        return _response(200, {})

    def _put_file(self, image, _rest, data, headers):
        assert image['status'] == 'queued'
        content = b''.join(data)
        assert headers['X-OpenStack-Image-Size'] == str(len(content))
        self.fill(image, content)
        return _response(204)

    def _get_file(self, image, _rest, params, headers):
        ranges = (headers or {}).get('Range', 'bytes=0-')
        start = int(re.fullmatch(r'bytes=(\d+)-', ranges)[1])
        answer = _response(206 if start else 200)
        answer._content = self.data[image['id']][start:]
        return answer


def _refusal(text):
    answer = _response(403)
    answer.headers['Content-Type'] = 'text/html'
    answer._content = f'<h1>403 Forbidden</h1>\n{text}<br /><br />'.encode()
    return answer


def _response(status, body=None):
    answer = requests.Response()
    answer.status_code = status
    answer.url = 'http://glance'
    answer.request = types.SimpleNamespace(url=answer.url, method='')
    answer._content_consumed = True
    if body is not None:
        answer.headers['Content-Type'] = 'application/json'
        answer._content = json.dumps(body).encode()
    else:
        answer._content = b''
    return answer
