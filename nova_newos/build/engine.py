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

from nova_newos import exception as core_exception
from nova_newos.build import actions
from nova_newos.build import boot_test
from nova_newos.build import exception
from nova_newos.build import facts as build_facts
from nova_newos.build import times
from nova_newos.build import words

# Seconds after which Nova, if it does nothing, has given up an image: it makes
# the image's record, and then says that it is at it.
_GIVEN_UP = 60

# Lines of the console that go with a failure.
_TAIL = 15

# What is not about the build: the client's own token, and "try again".
_PASSING = (401, 408, 429)


class Phase(enum.Enum):
    """Where a build stands."""

    UPLOAD = 'upload'
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
    :ivar failed_in: of a build that has failed, the :class:`Phase` it was in
    :ivar is_orphan: whether nothing is done unless another client does it
    :ivar failed_at: when that was found out, or None
    """

    phase: Phase
    detail: str
    action: object = None
    server: object = None
    failed_in: Phase | None = None
    is_orphan: bool = False
    failed_at: object = None


@dataclasses.dataclass(frozen=True)
class Status:
    """What became of a call of :func:`advance`.

    :ivar build_id: a UUID, str
    :ivar phase: a :class:`Phase`
    :ivar detail: for people
    :ivar name: of the golden image to be, '' where nobody knows
    :ivar image: the golden image or its candidate, or None
    :ivar server: that is waited for, or has failed; or None
    :ivar console: the last lines of that server; tuple of str
    :ivar begun: when the build began, None where nothing is left that says
    :ivar since: when its phase began, or the one it has failed in; or None
    :ivar until: when it failed; else when this was looked at
    :ivar failed_in: the :class:`Phase` it has failed in, or None
    :ivar is_orphan: see :class:`Step`
    """

    build_id: str
    phase: Phase
    detail: str
    name: str = ''
    image: object = None
    server: object = None
    console: tuple = ()
    begun: object = None
    since: object = None
    until: object = None
    failed_in: Phase | None = None
    is_orphan: bool = False

    @property
    def is_over(self):
        """Whether there will be no other step."""
        return self.phase in (Phase.DONE, Phase.FAILED)

    @property
    def seconds(self):
        """Since the build began, or None."""
        return self.begun and times.seconds(self.begun, self.until)

    @property
    def phase_seconds(self):
        """Since its phase began, or None."""
        return self.since and times.seconds(self.since, self.until)


def advance(cloud, build_id):
    """Do the next step of a build, if it is not waiting.

    What Nova or Glance refuses fails the build, with their words.

    :param cloud: an ``openstack.connection.Connection`` of the build's project
    :param build_id: a UUID, str
    :returns: a :class:`Status`
    :raises BuildNotFound: when nothing is left of it, or it never was
    :raises openstack.exceptions.SDKException: when the cloud does not answer,
        or refuses what is not the build's: call it again
    """
    found, guests, step = _next(cloud, build_id)
    reached = _status(found, guests, step)
    if step.action is None:
        return reached
    try:
        step.action(cloud, found)
    except (exceptions.ConflictException, exceptions.NotFoundException) as e:
        # Another client was first, or it is not time: looking again tells.
        return dataclasses.replace(
            reached, detail=f'{reached.detail} ({_words_of(e)})'
        )
    except exceptions.HttpException as error:
        if not _is_refusal(step, error):
            raise
        return _refused(cloud, build_id, step, _words_of(error))
    except core_exception.NewosError as error:
        return _refused(cloud, build_id, step, str(error))
    return reached


def _refused(cloud, build_id, refused, reason):
    """Fail for what cannot be done, if it still is what is to be done.

    Another client may have done it meanwhile: the quota is for one of them.
    """
    found, guests, step = _next(cloud, build_id)
    if (step.phase, step.detail) == (refused.phase, refused.detail):
        step = _failed(
            step.phase, found, f'{step.detail}: {reason}', step.server
        )
        step.action(cloud, found)
    return _status(found, guests, step)


def _is_refusal(step, error):
    """Whether the build cannot go on because of that."""
    code = error.status_code or 0
    return (
        step.phase in (Phase.INSTALL, Phase.CAPTURE, Phase.TEST, Phase.PUBLISH)
        and 400 <= code < 500
        and code not in _PASSING
    )


def _words_of(error):
    """What the service has said, without what the library says of it."""
    return str(error.details or error)


def status(cloud, build_id):
    """Where a build stands; as :func:`advance`, without doing anything."""
    return _status(*_next(cloud, build_id))


def cancel(cloud, build_id):
    """Delete what a build has made, but for what it has published.

    :raises BuildNotFound: when nothing is left of it, or it never was
    """
    found = build_facts.look(cloud, build_id)
    if found.is_empty:
        raise exception.BuildNotFound(build=build_id)
    actions.clean(cloud, found)


def resume(cloud, build_id, user_data=None):
    """Have a build go on that has failed and was kept, where it failed.

    What shows why it failed goes as soon as that is begun anew.

    :param user_data: that it began with, bytes or None; needed where it
        failed to install, for Nova does not show it
    :raises NewosError: when it has not failed, or cannot be resumed
    """
    found, _guests, step = _next(cloud, build_id)
    if step.phase is not Phase.FAILED or step.action is not None:
        raise exception.BuildNotFailed(build=build_id)
    if step.failed_in is Phase.INSTALL:
        _check_user_data(found, user_data)
        actions.reinstall(cloud, found, user_data)
        return
    recapture = step.failed_in is Phase.CAPTURE
    actions.forget_failure(cloud, found, recapture)


def _check_user_data(found, user_data):
    expected = found.install.metadata.get(words.USER_DATA)
    given = user_data and actions.digest_of(found.build_id, user_data)
    if expected != given:
        raise exception.UserDataNeeded(
            needed='the user data that it began with'
            if expected
            else 'no user data, as it began'
        )


def _next(cloud, build_id):
    if not words.is_id(build_id):
        raise exception.BuildNotFound(build=build_id)
    found = build_facts.look(cloud, build_id)
    guests = build_facts.Guests(cloud)
    return found, guests, decide(found, guests)


def _status(found, guests, step):
    lines = ()
    if step.server is not None:
        lines = tuple(guests.console(step.server).splitlines()[-_TAIL:])
    began = times.began(found)
    begun, until = min(began.values(), default=None), times.ended(found)
    if step.phase in (Phase.CLEAN, Phase.DONE):
        begun, until = times.of_published(found.candidate)
    phase = step.failed_in or step.phase
    return Status(
        found.build_id,
        step.phase,
        step.detail,
        name=found.name,
        image=found.candidate,
        server=step.server,
        console=lines,
        begun=begun,
        since=began.get(phase.value),
        until=step.failed_at or until,
        failed_in=step.failed_in,
        is_orphan=step.is_orphan,
    )


def decide(found, guests):
    """The next :class:`Step`.

    :param found: a :class:`~nova_newos.build.facts.Facts`
    :param guests: a :class:`~nova_newos.build.facts.Guests`
    :raises BuildNotFound: when there are no facts
    """
    image = found.candidate
    if image is not None and build_facts.is_published(image):
        return _published(found)
    if found.install is None:
        return _abandoned(found)
    reason = found.install.metadata.get(words.FAILED)
    if reason:
        return _kept(found, reason)
    if found.retired:
        return Step(
            Phase.INSTALL, 'deleting the server that failed', actions.retire
        )
    if image is None:
        return _install(found)
    if image.status in ('queued', 'saving'):
        return _saved(found)
    if image.status != 'active':
        return _failed(
            Phase.CAPTURE, found, f'the captured image is {image.status}'
        )
    return _adopted(found) or _test(found, guests)


def _saved(found):
    """Wait for Nova, which has to be at it."""
    given_up = not found.is_being_captured and (
        times.age(found.candidate) > _GIVEN_UP
    )
    if given_up:
        return Step(
            Phase.CAPTURE,
            'deleting an image that Nova has begun and not made',
            actions.drop_candidate,
        )
    return Step(Phase.CAPTURE, 'the image of the root disk is being saved')


def _published(found):
    if not found.is_empty:
        return Step(
            Phase.CLEAN,
            'deleting what the build has made besides',
            actions.finish,
        )
    return Step(Phase.DONE, f'published as {found.candidate.name}')


def _abandoned(found):
    if found.is_empty:
        raise exception.BuildNotFound(build=found.build_id)
    if found.isos and not (found.servers or found.images):
        return _upload(found)
    if found.images:
        # Nova leaves out servers of a cell that is down, and a captured image
        # is hours of work.
        return Step(
            Phase.FAILED,
            'its install server is gone; what is left is deleted by: '
            f'openstack golden build cancel {found.build_id}',
            failed_in=Phase.INSTALL,
        )
    return Step(
        Phase.FAILED,
        'its install server was deleted',
        action=actions.clean,
        failed_in=Phase.INSTALL,
    )


def _upload(found):
    """Only who has the file and the user data can go on with that."""
    iso = found.isos[-1]
    if iso.status == 'saving':
        return Step(Phase.UPLOAD, f'{iso.name} is being uploaded')
    what = 'uploaded' if iso.status == 'active' else 'not being uploaded'
    return Step(
        Phase.UPLOAD,
        f'{iso.name} is {what}, and the client that began the build has not '
        'gone on yet. If that was ended, cancel the build and create it again',
        is_orphan=True,
    )


def _kept(found, reason):
    """Its phase is the first word, unless somebody has changed that."""
    try:
        phase = Phase(reason.partition(':')[0])
    except ValueError:
        phase = Phase.INSTALL
    tests = found.tests if phase in (Phase.TEST, Phase.PUBLISH) else ()
    server = next(iter(tests), found.install)
    return Step(Phase.FAILED, reason, server=server, failed_in=phase)


def _install(found):
    server = found.install
    if server.status == 'ERROR':
        return _in_error(found)
    if found.is_being_captured:
        return Step(Phase.CAPTURE, 'Nova is copying the root disk')
    if words.CAPTURED in server.metadata:
        told = server.metadata.get('newos_error')
        return _failed(
            Phase.CAPTURE, found, told or 'the captured image was deleted'
        )
    if server.status == 'SHUTOFF':
        return Step(
            Phase.CAPTURE,
            'asking for an image of the root disk',
            actions.capture,
        )
    limit = found.plan.install_limit
    if limit and times.age(server) > limit * 60:
        return _failed(
            Phase.INSTALL,
            found,
            f'the installer has not powered the server off in {limit:g} min',
        )
    if server.status == 'BUILD':
        return Step(Phase.INSTALL, 'Nova is creating the install server')
    return Step(
        Phase.INSTALL,
        'the installer is at work; the build goes on when it has powered the '
        'server off',
        server=server,
    )


def _in_error(found):
    """Nova takes no metadata of such a server, which says enough by itself."""
    server = found.install
    step = _failed(Phase.INSTALL, found, fault_of(server))
    if not found.plan.keep_failed:
        return step
    return dataclasses.replace(
        step,
        action=None,
        failed_at=times.parse((server.fault or {}).get('created')),
    )


def _adopted(found):
    """Have the candidate found by its tag; None if that is done."""
    if words.TAG in found.candidate.tags and found.candidate.is_hidden:
        return None
    return Step(Phase.CAPTURE, 'hiding the candidate', actions.adopt)


def _test(found, guests):
    test = found.plan.test
    if test is None:
        return Step(Phase.PUBLISH, 'publishing it untested', actions.publish)
    if not found.tests:
        return Step(Phase.TEST, 'booting the candidate', actions.boot)
    server = found.tests[0]
    if server.task_state == 'deleting':
        return Step(Phase.TEST, 'the server of the last test is being deleted')
    if server.status == 'ERROR':
        return _failed(Phase.TEST, found, fault_of(server), server)
    if test.passed(server, guests):
        return _came_up(found, server, guests)
    if server.status == 'SHUTOFF':
        return _failed(
            Phase.TEST,
            found,
            'the candidate powered off instead of coming up',
            server,
        )
    if _is_late(found, server):
        return _failed(
            Phase.TEST,
            found,
            f'{test}, and has not in {found.plan.test_limit:g} min',
            server,
        )
    return Step(Phase.TEST, str(test), server=server)


def _is_late(found, server):
    return times.age(server) > found.plan.test_limit * 60


def _came_up(found, server, guests):
    """Whether a sealed image is another machine each time it is booted.

    No good image is held back: what it does not show is not asked for.
    """
    publish = Step(Phase.PUBLISH, 'it boots: publishing it', actions.publish)
    if found.plan.test.port or not boot_test.is_sealed(found.candidate):
        return publish
    console = guests.console(server)
    if not boot_test.is_settled(console) and not _is_late(found, server):
        return Step(Phase.TEST, 'cloud-init is at work', server=server)
    shown = boot_test.identities(console)
    before = server.metadata.get(words.SEEN)
    if before is None and shown:
        return Step(
            Phase.TEST,
            'booting it once more, which is to be another machine',
            functools.partial(actions.boot_again, identities=shown),
        )
    if shown & set((before or '').split()):
        return _failed(
            Phase.TEST,
            found,
            'two boots of the sealed candidate show the same SSH host key or '
            'machine id',
            server,
        )
    return publish


def _failed(phase, found, reason, server=None):
    text = f'{phase.value}: {reason}'
    action = actions.clean
    # As it is kept: whoever looks later sees the same seconds.
    failed_at = times.now().replace(microsecond=0)
    if found.plan.keep_failed:
        action = functools.partial(actions.keep, reason=text, at=failed_at)
    return Step(
        Phase.FAILED,
        text,
        action,
        server or found.install,
        failed_in=phase,
        failed_at=failed_at,
    )


def fault_of(server):
    """Why a server is in the state ERROR, in Nova's words."""
    fault = server.fault or {}
    told = server.metadata.get('newos_error')
    return told or fault.get('message') or 'Nova gives no reason'
