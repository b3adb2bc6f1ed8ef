# SPDX-License-Identifier: Apache-2.0
"""What the cloud has of a build."""

import dataclasses

from openstack import exceptions

from nova_newos.build import plan
from nova_newos.build import words

_TASKS_OF_CAPTURE = (
    'image_snapshot_pending',
    'image_snapshot',
    'image_pending_upload',
    'image_uploading',
)


@dataclasses.dataclass(frozen=True)
class Facts:
    """Servers and images of one build, as openstacksdk has them.

    :ivar build_id: a UUID, str
    :ivar install: the install server, or None
    :ivar tests: servers that were made from the candidate
    :ivar candidate: the captured image, published or not, or None
    :ivar strays: images that another client has captured at the same time
    """

    build_id: str
    install: object = None
    tests: tuple = ()
    candidate: object = None
    strays: tuple = ()

    @property
    def servers(self):
        """All of its servers; the install server, which has the plan, last."""
        return [*self.tests, *filter(None, [self.install])]

    @property
    def images(self):
        """All of its images that are not published."""
        images = [*self.strays, *filter(None, [self.candidate])]
        return [image for image in images if not is_published(image)]

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
    install = _install_server(servers)
    images = _images(cloud, tag)
    # The one that was first, for all clients.
    first, *others = sorted(
        images.values(),
        key=lambda image: (not is_published(image), image.created_at),
    ) or [None]
    return Facts(
        build_id,
        install,
        tuple(server for server in servers if server is not install),
        first,
        tuple(others),
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
    for thing in (*servers, *hidden):
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


def _install_server(servers):
    return next(
        (
            server
            for server in servers
            if server.metadata.get(words.ROLE) == words.INSTALL
        ),
        None,
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


def console(cloud, server):
    """The last of a server's serial console; a str."""
    try:
        answer = cloud.compute.get_server_console_output(server, length=2000)
    except (exceptions.ConflictException, exceptions.NotFoundException):
        # There is none before the guest starts.
        return ''
    return answer['output'] or ''
