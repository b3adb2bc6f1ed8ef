# SPDX-License-Identifier: Apache-2.0
"""The next step of a build.

:func:`decide` says what it is, from the facts alone; :func:`advance` does it.
The order is such that a client may be killed between any two requests, and
that another one may do the same at the same time: Nova makes one image of a
server at a time, what is there twice is deleted again, and nothing is deleted
before the golden image is published or the build has failed.
"""

import dataclasses
import enum
import functools

from openstack import exceptions

from nova_newos.build import exception
from nova_newos.build import facts as build_facts
from nova_newos.build import words
from nova_newos.build.recipes import words as recipe_words

# Lines of the console that go with a failure.
_TAIL = 15


class Phase(enum.Enum):
    """Where a build stands."""

    INSTALL = 'install'
    CAPTURE = 'capture'
    TEST = 'test'
    PUBLISH = 'publish'
    CLEAN = 'clean'
    DONE = 'done'
    FAILED = 'failed'


@dataclasses.dataclass(frozen=True)
class Step:
    """What is to be done, or waited for, next.

    :ivar phase: a :class:`Phase`
    :ivar detail: for people: what is waited for, or why the build has failed
    :ivar action: called with cloud and facts; None to wait
    :ivar server: whose console tells more, or None
    """

    phase: Phase
    detail: str
    action: object = None
    server: object = None


@dataclasses.dataclass(frozen=True)
class Status:
    """What became of a call of :func:`advance`.

    :ivar build_id: a UUID, str
    :ivar phase: a :class:`Phase`
    :ivar detail: for people
    :ivar image: the golden image or its candidate, or None
    :ivar console: the last lines of the server that is waited for, or that
        has failed; tuple of str
    """

    build_id: str
    phase: Phase
    detail: str
    image: object = None
    console: tuple = ()

    @property
    def is_over(self):
        """Whether there will be no other step."""
        return self.phase in (Phase.DONE, Phase.FAILED)


def advance(cloud, build_id):
    """Do the next step of a build, if it is not waiting.

    :param cloud: an ``openstack.connection.Connection`` of the build's project
    :param build_id: a UUID, str
    :returns: a :class:`Status`
    :raises BuildNotFound: when nothing is left of it, or it never was
    """
    found, step = _next(cloud, build_id)
    reached = _status(cloud, found, step)
    if step.action is not None:
        step.action(cloud, found)
    return reached


def status(cloud, build_id):
    """Where a build stands; as :func:`advance`, without doing anything."""
    return _status(cloud, *_next(cloud, build_id))


def cancel(cloud, build_id):
    """Delete what a build has made, but for what it has published.

    :raises BuildNotFound: when nothing is left of it, or it never was
    """
    found = build_facts.look(cloud, build_id)
    if not found.servers and not found.images:
        raise exception.BuildNotFound(build=build_id)
    clean(cloud, found)


def _next(cloud, build_id):
    if not words.is_id(build_id):
        raise exception.BuildNotFound(build=build_id)
    found = build_facts.look(cloud, build_id)
    return found, decide(
        found, lambda server: build_facts.console(cloud, server)
    )


def _status(cloud, found, step):
    lines = ()
    if step.server is not None:
        text = build_facts.console(cloud, step.server)
        lines = tuple(text.splitlines()[-_TAIL:])
    return Status(
        found.build_id, step.phase, step.detail, found.candidate, lines
    )


def decide(found, console):
    """The next :class:`Step`.

    :param found: a :class:`~nova_newos.build.facts.Facts`
    :param console: called with a server; returns the text of its console
    :raises BuildNotFound: when there are no facts
    """
    image = found.candidate
    if image is not None and build_facts.is_published(image):
        return _published(found)
    if found.install is None:
        return _abandoned(found)
    reason = found.install.metadata.get(words.FAILED)
    if reason:
        return Step(Phase.FAILED, reason)
    if image is None:
        return _install(found)
    if image.status in ('queued', 'saving'):
        return Step(Phase.CAPTURE, 'the image of the root disk is being saved')
    if image.status != 'active':
        return _failed(
            Phase.CAPTURE, found, f'the captured image is {image.status}'
        )
    return _adopted(found) or _test(found, console)


def _published(found):
    if found.servers or found.images:
        return Step(
            Phase.CLEAN, 'deleting what the build has made besides', clean
        )
    return Step(Phase.DONE, f'published as {found.candidate.name}')


def _abandoned(found):
    if not found.servers and not found.images:
        raise exception.BuildNotFound(build=found.build_id)
    return Step(Phase.FAILED, 'its install server was deleted', action=clean)


def _install(found):
    server = found.install
    if server.status == 'ERROR':
        return _failed(Phase.INSTALL, found, fault_of(server))
    if found.is_being_captured:
        return Step(Phase.CAPTURE, 'Nova is copying the root disk')
    if words.CAPTURED in server.metadata:
        told = server.metadata.get('newos_error')
        return _failed(
            Phase.CAPTURE, found, told or 'the captured image was deleted'
        )
    if server.status == 'BUILD':
        return Step(Phase.INSTALL, 'Nova is creating the install server')
    if server.status == 'SHUTOFF':
        return Step(
            Phase.CAPTURE, 'asking for an image of the root disk', _capture
        )
    return Step(
        Phase.INSTALL,
        'the installer is at work; the build goes on when it has powered the '
        'server off',
        server=server,
    )


def _adopted(found):
    """Have the candidate found by its tag; None if that is done."""
    if words.TAG in found.candidate.tags and found.candidate.is_hidden:
        return None
    return Step(Phase.CAPTURE, 'hiding the candidate', _adopt)


def _test(found, console):
    pattern = found.plan.pattern
    if pattern is None:
        return Step(Phase.PUBLISH, 'publishing it untested', _publish)
    if not found.tests:
        return Step(Phase.TEST, 'booting the candidate', _boot)
    server = found.tests[0]
    if server.status == 'ERROR':
        return _failed(Phase.TEST, found, fault_of(server), server)
    if any(pattern.search(line) for line in console(server).splitlines()):
        return Step(Phase.PUBLISH, 'it boots: publishing it', _publish)
    if server.status == 'SHUTOFF':
        return _failed(
            Phase.TEST,
            found,
            'the candidate powered off instead of coming up',
            server,
        )
    return Step(
        Phase.TEST,
        f'its console is to show {pattern.pattern!r}',
        server=server,
    )


def _failed(phase, found, reason, server=None):
    text = f'{phase.value}: {reason}'
    action = clean
    if found.plan.keep_failed:
        action = functools.partial(_keep, reason=text)
    return Step(Phase.FAILED, text, action, server or found.install)


def fault_of(server):
    """Why a server is in the state ERROR, in Nova's words."""
    fault = server.fault or {}
    told = server.metadata.get('newos_error')
    return told or fault.get('message') or 'Nova gives no reason'


def _capture(cloud, found):
    tag = words.tag_of(found.build_id)
    try:
        cloud.compute.create_server_image(found.install, tag)
    except exceptions.ConflictException:
        # Another client was first.
        return
    cloud.compute.set_server_metadata(found.install, **{words.CAPTURED: 'yes'})


def _adopt(cloud, found):
    # Hidden last: without its tags nobody would find it then.
    for tag in (words.tag_of(found.build_id), words.TAG):
        # By its id: tags of an Image would be part of the next update, and
        # Glance takes none of openstacksdk's changes of them.
        cloud.image.add_tag(found.candidate.id, tag)
    cloud.image.update_image(found.candidate, is_hidden=True)


def _boot(cloud, found):
    create_server(
        cloud,
        found.build_id,
        found.plan,
        name=f'{found.plan.name}-test',
        image_id=found.candidate.id,
        metadata={words.ROLE: words.TEST},
    )


def _publish(cloud, found):
    digest = found.install.metadata.get(recipe_words.DIGEST)
    cloud.image.update_image(
        found.candidate,
        name=found.plan.name,
        is_hidden=False,
        **({recipe_words.DIGEST: digest} if digest else {}),
    )


def create_server(cloud, build_id, plan, **fields):
    """Create a server of a build; returns it without waiting.

    :param fields: more of ``POST /servers``, by openstacksdk's names
    """
    network = plan.network
    if network not in ('none', 'auto'):
        network = [{'uuid': network}]
    return cloud.compute.create_server(
        flavor_id=plan.flavor,
        networks=network,
        tags=[words.TAG, words.tag_of(build_id)],
        **fields,
    )


def _keep(cloud, found, reason):
    cloud.compute.set_server_metadata(
        found.install, **{words.FAILED: reason[: words.MAX_LENGTH]}
    )


def clean(cloud, found):
    """Delete what a build has made, but for what it has published.

    The install server is the last to go: by it another client finds the rest.

    :param found: a :class:`~nova_newos.build.facts.Facts`
    """
    for image in found.images:
        cloud.image.delete_image(image)
    for server in found.servers:
        cloud.compute.delete_server(server)
