# SPDX-License-Identifier: Apache-2.0
"""A cloud in memory: what a build asks of openstacksdk, and what it does."""

import hashlib
import itertools
import types

from openstack import exceptions

INSTALLED = 'the installer is done'


class Killed(Exception):
    """The client ends here."""


class Thing(types.SimpleNamespace):
    """A server, image or flavor."""


def moment(number):
    """A time of the cloud's, later for larger numbers."""
    return f'2026-01-01T00:{number // 60:02}:{number % 60:02}Z'


class Cloud:
    """Servers and images of one project.

    :ivar requests: names of those that change something, in order
    :ivar kill_after: the client is killed after so many of them; None never
    :ivar on_capture: called with a captured image
    :ivar consoles: dict of server's role to its console
    """

    current_project_id = 'project'

    def __init__(self):
        self.requests = []
        self.kill_after = None
        self.on_capture = lambda image: None
        self.consoles = {}
        self.diagnosed = 0
        self._numbers = itertools.count(1)
        self.servers, self.images = {}, {}
        self.flavors = {'f': Thing(id='f', disk=5, ram=512, vcpus=1)}
        self.limits = Thing(
            instances=10,
            instances_used=0,
            total_cores=20,
            total_cores_used=0,
            total_ram=-1,
            total_ram_used=0,
        )
        self.compute = Compute(self)
        self.image = Images(self)

    def changed(self, name):
        """Note a request that was done, and kill the client if it is time."""
        self.requests.append(name)
        if self.kill_after is not None and (
            len(self.requests) >= self.kill_after
        ):
            raise Killed()

    def number(self):
        return next(self._numbers)

    def add_image(self, **fields):
        number = self.number()
        image = Thing(
            **{
                'id': f'image-{number}',
                'name': 'image',
                'status': 'active',
                'created_at': moment(number),
                'tags': [],
                'is_hidden': False,
                'properties': {},
                'disk_format': 'qcow2',
                'min_disk': 0,
                'owner': self.current_project_id,
                'size': None,
                'hash_algo': 'sha512',
                'hash_value': None,
                **fields,
            }
        )
        self.images[image.id] = image
        return image

    def server(self, role):
        """The server with a role, None when there is none."""
        return next(
            (
                server
                for server in self.servers.values()
                if server.metadata['golden_role'] == role
            ),
            None,
        )

    def golden(self):
        """Images that others see."""
        return [
            image
            for image in self.images.values()
            if not image.is_hidden and image.disk_format != 'iso'
        ]


class Compute:
    def __init__(self, cloud):
        self._cloud = cloud

    def get_flavor(self, flavor):
        return self._cloud.flavors[flavor]

    def get_limits(self):
        return Thing(absolute=self._cloud.limits)

    def servers(self, tags):
        return [
            server
            for server in self._cloud.servers.values()
            if tags in server.tags
        ]

    def create_server(self, name, metadata, tags, **fields):
        number = self._cloud.number()
        server = Thing(
            id=f'server-{number}',
            created_at=moment(number),
            name=name,
            metadata=dict(metadata),
            tags=tags,
            status='BUILD',
            task_state='spawning',
            fault=None,
            addresses={},
            image=Thing(id=fields['image_id']),
            fields=fields,
        )
        self._cloud.servers[server.id] = server
        self._cloud.changed('create_server')
        return server

    def create_server_image(self, server, name):
        if server.task_state:
            raise exceptions.ConflictException()
        server.task_state = 'image_snapshot'
        image = self._cloud.add_image(
            name=name,
            status='queued',
        )
        self._cloud.on_capture(image)
        self._cloud.changed('create_server_image')

    def set_server_metadata(self, server, **metadata):
        if server.status == 'ERROR':
            raise exceptions.ConflictException(
                details="Cannot 'update metadata' while in vm_state error"
            )
        server.metadata.update(metadata)
        self._cloud.changed('set_server_metadata')

    def delete_server_metadata(self, server, keys):
        for key in keys:
            server.metadata.pop(key)
            self._cloud.changed('delete_server_metadata')

    def get_server_diagnostics(self, server):
        self._cloud.diagnosed += 1
        raise exceptions.ForbiddenException()

    def delete_server(self, server):
        self._cloud.servers.pop(server.id, None)
        self._cloud.changed('delete_server')

    def get_server_console_output(self, server, length):
        if server.status == 'BUILD':
            raise exceptions.ConflictException()
        role = server.metadata['golden_role']
        text = self._cloud.consoles.get(role, '')
        return {'output': '\n'.join(text.splitlines()[-length:])}


class Images:
    def __init__(self, cloud):
        self._cloud = cloud

    def images(self, owner, name=None, tag=None, is_hidden=False):
        return [
            image
            for image in list(self._cloud.images.values())
            if image.owner == owner
            and image.is_hidden == is_hidden
            and name in (None, image.name)
            and (tag is None or tag in image.tags)
        ]

    def create_image(self, name, data, tags, meta, **fields):
        fields.pop('allow_duplicates')
        meta = dict(meta)
        image = self._cloud.add_image(
            name=name,
            status='queued',
            tags=list(tags),
            is_hidden=meta.pop('os_hidden'),
            properties=meta,
            **fields,
        )
        self._cloud.changed('create_image')
        image.status = 'saving'
        content = data.read()
        image.size = len(content)
        image.hash_value = hashlib.sha512(content).hexdigest()
        self._cloud.changed('upload')
        image.status = 'active'
        return image

    def get_image(self, image_id):
        return self._cloud.images[image_id]

    def remove_tag(self, image_id, tag):
        self._cloud.images[image_id].tags.remove(tag)
        self._cloud.changed('remove_tag')

    def update_image(self, image, **fields):
        self._lose_if_uploading(image)
        vars(image).update(fields)
        self._cloud.changed('update_image')

    def get(self, path, params=None):
        if path == '/images':
            return _answer({'images': list(self._listed(**params))})
        image = self._cloud.images[path.removeprefix('/images/')]
        return _answer(_as_api(image))

    def _listed(self, limit, tag=None, os_hidden='false', **fields):
        for image in self._cloud.images.values():
            found = _as_api(image)
            if (
                found['os_hidden'] == (os_hidden == 'true')
                and (tag is None or tag in image.tags)
                and fields.items() <= found.items()
            ):
                yield found

    def put(self, path):
        _images, image_id, _tags, tag = path.strip('/').split('/')
        self.add_tag(image_id, tag)
        return _answer()

    def patch(self, path, json, headers):
        image = self._cloud.images[path.removeprefix('/images/')]
        self._lose_if_uploading(image)
        for change in json:
            name, value = change['path'][1:], change['value']
            if name == 'os_hidden':
                image.is_hidden = value
            elif hasattr(image, name):
                setattr(image, name, value)
            else:
                image.properties[name] = value
        self._cloud.changed('patch')
        return _answer()

    def _lose_if_uploading(self, image):
        """As Glance does: the upload finds the image in another state."""
        if image.status in ('queued', 'saving'):
            self._cloud.images.pop(image.id)

    def add_tag(self, image_id, tag):
        self._lose_if_uploading(self._cloud.images[image_id])
        self._cloud.images[image_id].tags.append(tag)
        self._cloud.changed('add_tag')

    def delete_image(self, image):
        self._cloud.images.pop(image.id, None)
        self._cloud.changed('delete_image')


def _answer(body=None):
    return Thing(status_code=200, json=lambda: body)


def _as_api(image):
    """An image as Glance's API has it."""
    fields = dict(vars(image), os_hidden=image.is_hidden)
    return {'visibility': 'private', **fields.pop('properties'), **fields}
