# SPDX-License-Identifier: Apache-2.0
"""What the cloud has of a build."""

import contextlib
import dataclasses
import socket

from openstack import exceptions

from nova_newos.build import plan
from nova_newos.build import words
from nova_newos.registry import words as registry_words

_TASKS_OF_CAPTURE = (
    'image_snapshot_pending',
    'image_snapshot',
    'image_pending_upload',
    'image_uploading',
)

# Seconds that a server has to take a connection.
_CONNECT = 2

#: Replaced by tests, which open no sockets.
connect = socket.create_connection


@dataclasses.dataclass(frozen=True)
class Facts:
    """Servers and images of one build, as openstacksdk has them.

    :ivar build_id: a UUID, str
    :ivar install: the install server, or None
    :ivar retired: install servers that failed before that was made
    :ivar tests: servers that were made from the candidate
    :ivar candidate: the captured image, published or not, or None
    :ivar strays: images that another client has captured at the same time
    :ivar isos: images of the ISO that the build has uploaded, of more than
        one attempt perhaps
    """

    build_id: str
    install: object = None
    tests: tuple = ()
    candidate: object = None
    strays: tuple = ()
    isos: tuple = ()
    retired: tuple = ()

    @property
    def name(self):
        """Of the golden image to be, '' where nobody knows."""
        if self.candidate and is_published(self.candidate):
            return self.candidate.name
        metadata = self.install.metadata if self.install else {}
        return metadata.get(words.NAME, '')

    @property
    def servers(self):
        """All of its servers; the install server, which has the plan, last."""
        return [*self.tests, *self.retired, *filter(None, [self.install])]

    @property
    def images(self):
        """All captured images that are not published."""
        images = [*self.strays, *filter(None, [self.candidate])]
        return [image for image in images if not is_published(image)]

    @property
    def is_empty(self):
        """Whether there is nothing to delete."""
        return not (self.servers or self.images or self.isos)

    @property
    def plan(self):
        """The :class:`~nova_newos.build.plan.Plan`, of the install server."""
        return plan.of(self.install.metadata)

    @property
    def is_being_captured(self):
        """Whether Nova is making an image of the install server."""
        return self.install.task_state in _TASKS_OF_CAPTURE


def is_published(image):
    """Whether an image of a build is one that others may use."""
    return words.build_of([image.name]) is None


def look(cloud, build_id):
    """What there is of a build.

    :param cloud: an ``openstack.connection.Connection``
    :returns: a :class:`Facts`, empty for a build that is over or never was
    """
    tag = words.tag_of(build_id)
    servers = list(cloud.compute.servers(tags=tag))
    install, *retired = _install_servers(servers) or [None]
    images = _images(cloud, tag).values()
    isos = [image for image in images if words.ISO in image.tags]
    # The one that was first, for all clients. Of two that ask for an image
    # Nova refuses one, and may leave behind what it has begun for that.
    first, *others = sorted(
        (image for image in images if image not in isos),
        key=lambda image: (
            not is_published(image),
            image.status != 'active',
            image.created_at,
        ),
    ) or [None]
    return Facts(
        build_id,
        install,
        tuple(
            server
            for server in servers
            if server is not install and server not in retired
        ),
        first,
        tuple(others),
        tuple(isos),
        tuple(retired),
    )


@dataclasses.dataclass
class Summary:
    """One build in a list.

    :ivar build_id: a UUID, str
    :ivar name: of the golden image, '' where the install server is gone
    :ivar begun: when the oldest of what it has was made, ISO 8601 in UTC
    """

    build_id: str
    name: str = ''
    begun: str = ''


def builds(cloud):
    """Builds of the project that have anything but a published image.

    :returns: list of :class:`Summary`, the oldest first
    """
    found = {}
    servers = list(cloud.compute.servers(tags=words.TAG))
    hidden = cloud.image.images(
        tag=words.TAG, is_hidden=True, owner=cloud.current_project_id
    )
    # A golden image is hidden too once another one has its name.
    unpublished = (i for i in hidden if registry_words.TAG not in i.tags)
    for thing in (*servers, *unpublished):
        build_id = words.build_of(thing.tags)
        if build_id is None:
            continue
        summary = found.setdefault(build_id, Summary(build_id))
        summary.begun = min(filter(None, (summary.begun, thing.created_at)))
    for server in servers:
        if server.metadata.get(words.ROLE) == words.INSTALL:
            name = server.metadata.get(words.NAME, '')
            found[words.build_of(server.tags)].name = name
    return sorted(found.values(), key=lambda summary: summary.begun)


def _install_servers(servers):
    """Those that a build was begun with; the one that counts, first."""
    return sorted(
        (
            server
            for server in servers
            if server.metadata.get(words.ROLE) == words.INSTALL
        ),
        key=lambda server: server.created_at,
        reverse=True,
    )


def _images(cloud, tag):
    """Dict of id to image.

    What is captured has just its name at first: Glance loses an image that is
    changed while it is uploaded.
    """
    mine = {'owner': cloud.current_project_id}
    return {
        image.id: image
        for query in (
            {'name': tag},
            {'tag': tag},
            {'tag': tag, 'is_hidden': True},
        )
        for image in cloud.image.images(**query, **mine)
    }


class Guests:
    """What servers show to whoever looks from outside, at one moment.

    :param cloud: an ``openstack.connection.Connection``
    """

    def __init__(self, cloud):
        self._cloud = cloud
        self._consoles = {}

    def console(self, server):
        """The last of a server's serial console; a str."""
        if server.id not in self._consoles:
            self._consoles[server.id] = self._read(server)
        return self._consoles[server.id]

    def _read(self, server):
        try:
            answer = self._cloud.compute.get_server_console_output(
                server, length=2000
            )
        except exceptions.HttpException:
            # There is none before the guest starts, nor of a host that is
            # down; and no build depends on it.
            return ''
        return answer['output'] or ''

    def answers(self, server, port):
        """Whether any address of a server takes a TCP connection."""
        for network in (server.addresses or {}).values():
            for address in network:
                with contextlib.suppress(OSError):
                    connect((address['addr'], port), _CONNECT).close()
                    return True
        return False
