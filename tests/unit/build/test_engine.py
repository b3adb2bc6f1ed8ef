# SPDX-License-Identifier: Apache-2.0

import contextlib
import datetime

import ddt
import fixtures
from openstack import exceptions

from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import facts
from nova_newos.build import plan
from nova_newos.build import start
from nova_newos.build import times
from tests.unit import base
from tests.unit.build import cloud as fake_cloud

LOGIN = 'Debian GNU/Linux 12 golden ttyS0\n\ngolden login: '
# More steps than any build takes.
_MANY = 50


class BuildTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.now = datetime.datetime(2026, 1, 1, 0, 5)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.build.times.now', lambda: self.now
            )
        )
        self.cloud = fake_cloud.Cloud()
        self.cloud.consoles['test'] = LOGIN
        self.iso = self.cloud.add_image(disk_format='iso')

    def create(self, **kwargs):
        build_id = start.new_id()
        start.create(
            self.cloud,
            build_id,
            plan.Plan(name='debian', flavor='f', **kwargs),
            self.iso,
        )
        return build_id

    def happen(self):
        """What Nova and the guests do between two looks."""
        for server in self.cloud.servers.values():
            if server.status == 'BUILD':
                server.status, server.task_state = 'ACTIVE', None
            elif server.metadata['golden_role'] == 'install':
                server.status = 'SHUTOFF'
        for image in self.cloud.images.values():
            if image.status == 'queued' and image.disk_format != 'iso':
                image.status = 'active'
                self.cloud.server('install').task_state = None

    def drive(self, build_id):
        """Go on until it is over; returns all statuses."""
        reached = []
        for _step in range(_MANY):
            reached.append(engine.advance(self.cloud, build_id))
            if reached[-1].is_over:
                return reached
            self.happen()
        raise AssertionError(reached)

    def assert_golden(self):
        """There is one golden image, and nothing else of the build."""
        self.assertEqual(['debian'], [i.name for i in self.cloud.golden()])
        self.assertEqual({}, self.cloud.servers)
        self.assertEqual(2, len(self.cloud.images))

    def assert_nothing_left(self):
        self.assertEqual({}, self.cloud.servers)
        self.assertEqual([self.iso.id], list(self.cloud.images))


@ddt.ddt
class AdvanceTest(BuildTestCase):
    def test_build(self):
        build_id = self.create()
        reached = self.drive(build_id)
        phases = list(dict.fromkeys(status.phase for status in reached))
        self.assertEqual(
            [p for p in engine.Phase if p.name not in ('UPLOAD', 'FAILED')],
            phases,
        )
        self.assert_golden()
        self.assertEqual(self.cloud.golden(), [reached[-1].image])

    def test_without_test(self):
        reached = self.drive(self.create(boot_test='none'))
        self.assertNotIn(engine.Phase.TEST, [s.phase for s in reached])
        self.assert_golden()

    def test_family(self):
        """The one before keeps its id, and leaves its name."""
        first = self.drive(self.create())[-1].image
        second = self.drive(self.create())[-1].image
        self.assertEqual([second], self.cloud.golden())
        self.assertEqual('debian (20260101)', first.name)
        self.assertTrue(first.is_hidden)
        self.assertEqual([], facts.builds(self.cloud))

    def test_predecessor_is_hidden_after_all(self):
        """The client is killed when there are two of the name."""
        self.drive(self.create())
        build_id = self.create()
        while len(self.cloud.golden()) == 1:
            self.happen()
            self.cloud.kill_after = len(self.cloud.requests) + 1
            with contextlib.suppress(fake_cloud.Killed):
                engine.advance(self.cloud, build_id)
        self.cloud.kill_after = None
        self.drive(build_id)
        self.assertEqual(['debian'], [i.name for i in self.cloud.golden()])

    def test_pattern(self):
        self.cloud.consoles['test'] = 'ready to serve'
        self.drive(self.create(boot_test='^ready'))
        self.assert_golden()

    def test_looking_changes_nothing(self):
        build_id = self.create()
        before = list(self.cloud.requests)
        for _look in range(3):
            engine.status(self.cloud, build_id)
        self.assertEqual(before, self.cloud.requests)

    def test_candidate_is_hidden(self):
        build_id = self.create()
        seen = []
        for status in iter(lambda: engine.advance(self.cloud, build_id), None):
            if status.is_over:
                break
            if status.phase is engine.Phase.TEST:
                seen.append(status.image.is_hidden)
            self.happen()
        self.assertEqual({True}, set(seen))

    def test_killed_anywhere(self):
        """Another client goes on, after each request that changes anything."""
        self.drive(self.create())
        for count in range(1, len(self.cloud.requests) + 1):
            with self.subTest(requests=count):
                self.setUp()
                self.cloud.kill_after = count
                build_id = None
                try:
                    build_id = self.create()
                    self.drive(build_id)
                except fake_cloud.Killed:
                    self.cloud.kill_after = None
                server = next(iter(self.cloud.servers.values()), None)
                if server is not None:
                    build_id = server.tags[1].removeprefix('golden-build-')
                self.drive(build_id)
                self.assert_golden()

    def test_two_clients(self):
        build_id = self.create()
        for _step in range(_MANY):
            reached = [
                engine.advance(self.cloud, build_id) for _client in range(2)
            ]
            self.happen()
            if all(status.is_over for status in reached):
                break
        self.assert_golden()

    def left_by_nova(self, build_id):
        """An image that Nova has begun, as it does before it refuses."""
        return self.cloud.add_image(
            name=f'golden-build-{build_id}',
            status='queued',
            created_at=fake_cloud.moment(0),
        )

    def test_image_that_nova_has_left(self):
        """It is none, and goes with the build."""
        build_id = self.create()
        self.happen()
        engine.advance(self.cloud, build_id)
        self.happen()
        left = self.left_by_nova(build_id)
        for _step in range(_MANY):
            if engine.advance(self.cloud, build_id).is_over:
                break
            # Nothing becomes of it.
            self.happen()
            left.status = 'queued'
        self.assert_golden()

    def test_nothing_but_an_image_that_nova_has_left(self):
        build_id = self.create()
        self.happen()
        left = self.left_by_nova(build_id)
        status = engine.advance(self.cloud, build_id)
        self.assertIn('not made', status.detail)
        self.assertNotIn(left.id, self.cloud.images)
        self.drive(build_id)
        self.assert_golden()

    def test_captured_twice(self):
        """The one that was first counts, and the other one goes."""
        build_id = self.create()
        self.cloud.on_capture = lambda image: self.cloud.add_image(
            name=image.name,
            status='queued',
        )
        reached = self.drive(build_id)
        self.assertIs(engine.Phase.DONE, reached[-1].phase)
        self.assert_golden()

    def test_images_of_others(self):
        """Neither a name nor a tag is a proof in another project."""
        build_id = self.create()
        tag = f'golden-build-{build_id}'
        strangers = [
            self.cloud.add_image(name=tag, owner='another'),
            self.cloud.add_image(tags=[tag], owner='another'),
        ]
        self.drive(build_id)
        for image in strangers:
            self.assertIn(image.id, self.cloud.images)

    @ddt.data('', 'x', '../x', '8D1B0B0E-65FD-4B5C-8D71-8B8A5A4F5A55')
    def test_no_build(self, build_id):
        for ask in (engine.advance, engine.status, engine.cancel):
            with self.assertRaises(exception.BuildNotFound):
                ask(self.cloud, build_id)

    def test_cancelled(self):
        build_id = self.create()
        for _step in range(4):
            engine.advance(self.cloud, build_id)
            self.happen()
        engine.cancel(self.cloud, build_id)
        self.assert_nothing_left()
        with self.assertRaises(exception.BuildNotFound):
            engine.cancel(self.cloud, build_id)


@ddt.ddt
class FailureTest(BuildTestCase):
    def fail(self, build_id, **kwargs):
        last = self.drive(build_id)[-1]
        self.assertIs(engine.Phase.FAILED, last.phase)
        return last

    def test_install(self):
        build_id = self.create()
        server = self.cloud.server('install')
        server.status, server.fault = 'ERROR', {'message': 'no host'}
        self.assertEqual('install: no host', self.fail(build_id).detail)
        self.assert_nothing_left()

    def test_our_reason_comes_first(self):
        """Nova's has no more than the class, for who is no administrator."""
        build_id = self.create()
        server = self.cloud.server('install')
        server.status, server.fault = 'ERROR', {'message': 'NoValidHost'}
        server.metadata['newos_error'] = 'the disk is full'
        self.assertIn('the disk is full', self.fail(build_id).detail)

    @ddt.data(('refused: FAT', 'refused: FAT'), (None, 'was deleted'))
    @ddt.unpack
    def test_capture(self, told, detail):
        """Nova deletes the image, and an image is asked for once."""
        build_id = self.create()

        def refuse(image):
            self.cloud.images.pop(image.id)
            server = self.cloud.server('install')
            server.task_state = None
            if told:
                server.metadata['newos_error'] = told

        self.cloud.on_capture = refuse
        self.assertIn(detail, self.fail(build_id).detail)
        self.assertEqual(1, self.cloud.requests.count('create_server_image'))
        self.assert_nothing_left()

    def test_killed_image(self):
        build_id = self.create()
        self.cloud.on_capture = lambda image: vars(image).update(
            status='killed'
        )
        self.assertIn('killed', self.fail(build_id).detail)
        self.assert_nothing_left()

    def test_does_not_come_up(self):
        self.cloud.consoles['test'] = 'Kernel panic'
        build_id = self.create()
        for _step in range(_MANY):
            status = engine.advance(self.cloud, build_id)
            self.happen()
        self.assertIs(engine.Phase.TEST, status.phase)
        self.assertEqual(('Kernel panic',), status.console)
        self.cloud.server('test').status = 'SHUTOFF'
        status = engine.advance(self.cloud, build_id)
        self.assertIn('powered off', status.detail)
        self.assertEqual(('Kernel panic',), status.console)
        self.assert_nothing_left()

    def test_kept(self):
        build_id = self.create(keep_failed=True)
        server = self.cloud.server('install')
        server.status, server.fault = 'ERROR', {'message': 'x' * 300}
        first = self.fail(build_id)
        # Whoever asks later reads the same, as far as there is room.
        again = engine.status(self.cloud, build_id)
        self.assertEqual(first.detail[:255], again.detail[:255])
        self.assertIn(server.id, self.cloud.servers)
        engine.cancel(self.cloud, build_id)
        self.assert_nothing_left()

    def test_install_server_was_deleted(self):
        build_id = self.create()
        for _step in range(_MANY):
            if engine.advance(self.cloud, build_id).phase is engine.Phase.TEST:
                break
            self.happen()
        self.cloud.servers.pop(self.cloud.server('install').id)
        self.assertIn('was deleted', self.fail(build_id).detail)
        self.assert_nothing_left()

    @ddt.data('golden_name', 'golden_flavor')
    def test_plan_was_deleted(self, key):
        build_id = self.create()
        self.cloud.server('install').metadata.pop(key)
        with self.assertRaisesRegex(exception.PlanLost, key):
            for _step in range(_MANY):
                engine.advance(self.cloud, build_id)
                self.happen()

    @ddt.data('install', 'test')
    def test_kept_says_when(self, role):
        """However much later somebody looks."""
        build_id = self.create(keep_failed=True)
        for _step in range(_MANY):
            if self.cloud.server(role):
                break
            engine.advance(self.cloud, build_id)
            self.happen()
        server = self.cloud.server(role)
        began = times.parse(server.created_at)
        self.now = began + datetime.timedelta(seconds=70.4)
        # Of a server in this state Nova takes no metadata.
        server.status = 'ERROR'
        server.fault = {
            'message': 'no host',
            'created': times.text_of(self.now),
        }
        self.cloud.consoles[role] = 'the evidence'
        first = self.fail(build_id)
        self.assertEqual(70, first.phase_seconds)
        self.now = began + datetime.timedelta(days=2)
        later = engine.status(self.cloud, build_id)
        self.assertEqual(70, later.phase_seconds)
        self.assertEqual(first.seconds, later.seconds)
        self.assertEqual(first.detail, later.detail)
        self.assertEqual(role, later.failed_in.value)
        self.assertEqual(('the evidence',), later.console)

    def test_phases_have_their_own_seconds(self):
        build_id = self.create()
        for _step in range(_MANY):
            status = engine.advance(self.cloud, build_id)
            if self.cloud.server('test'):
                break
            self.happen()
        self.cloud.consoles['test'] = 'not yet'
        self.happen()
        tested = times.parse(self.cloud.server('test').created_at)
        self.now = tested + datetime.timedelta(seconds=9)
        status = engine.status(self.cloud, build_id)
        self.assertEqual(9, status.phase_seconds)
        self.assertGreater(status.seconds, 9)

    @ddt.data(('install_limit', 'install'), ('test_limit', 'test'))
    @ddt.unpack
    def test_limit(self, limit, role):
        self.cloud.consoles['test'] = 'Kernel panic'
        build_id = self.create(**{limit: 2})

        def hang():
            for server in self.cloud.servers.values():
                if server.metadata['golden_role'] == role:
                    server.status = 'ACTIVE'

        for _step in range(_MANY):
            status = engine.advance(self.cloud, build_id)
            self.assertFalse(status.is_over)
            self.happen()
            hang()
            server = self.cloud.server(role)
            if server is not None:
                made = times.parse(server.created_at)
                self.now = made + datetime.timedelta(seconds=110)
        self.now = made + datetime.timedelta(seconds=121)
        last = self.fail(build_id)
        self.assertIn('2 min', last.detail)
        self.assertEqual(role, last.failed_in.value)
        self.assert_nothing_left()

    @ddt.data('x', '-1', 'nan', 'inf', '')
    def test_limit_that_somebody_has_changed(self, value):
        metadata = {
            **plan.Plan(name='n', flavor='f').as_metadata(),
            'golden_test_limit': value,
        }
        self.assertEqual(plan.TEST_LIMIT, plan.of(metadata).test_limit)


@ddt.ddt
class RefusedTest(BuildTestCase):
    """What the cloud answers to the client's own requests."""

    def answer(self, request, error, times=1):
        """Have Nova or Glance answer so to the next of these requests."""
        original = getattr(self.cloud.compute, request)
        left = [error] * times

        def refuse(*args, **kwargs):
            if left:
                raise left.pop()
            return original(*args, **kwargs)

        setattr(self.cloud.compute, request, refuse)

    def error(self, kind, code, details):
        found = kind(details=details)
        found.status_code = code
        return found

    @ddt.data(400, 403, 413)
    def test_refused(self, code):
        build_id = self.create()
        self.answer(
            'create_server_image',
            self.error(exceptions.HttpException, code, 'Quota exceeded'),
        )
        last = self.drive(build_id)[-1]
        self.assertIs(engine.Phase.CAPTURE, last.failed_in)
        self.assertIn('Quota exceeded', last.detail)
        self.assert_nothing_left()

    @ddt.data(401, 408, 429, 500, 503)
    def test_not_the_build(self, code):
        """Whoever calls decides; the build is as it was."""
        build_id = self.create()
        self.answer(
            'create_server_image',
            self.error(exceptions.HttpException, code, 'later'),
        )
        with self.assertRaises(exceptions.HttpException):
            self.drive(build_id)
        self.drive(build_id)
        self.assert_golden()

    def test_conflict(self):
        """Said, and tried again: a server may be locked for a while."""
        build_id = self.create()
        self.answer(
            'create_server_image',
            self.error(exceptions.ConflictException, 409, 'it is locked'),
            times=2,
        )
        said = [status.detail for status in self.drive(build_id)]
        self.assertEqual(2, sum('it is locked' in each for each in said))
        self.assert_golden()

    def test_what_cannot_be_cleaned(self):
        """It is published, and has not failed."""
        build_id = self.create()
        self.answer(
            'delete_server',
            self.error(exceptions.ForbiddenException, 403, 'policy'),
        )
        with self.assertRaises(exceptions.ForbiddenException):
            self.drive(build_id)
        self.assertEqual(['debian'], [i.name for i in self.cloud.golden()])
        self.drive(build_id)
        self.assert_golden()


@ddt.ddt
class ResumeTest(BuildTestCase):
    def fail(self, role, user_data=None):
        """A kept build that has failed where its server is in ERROR."""
        build_id = start.new_id()
        start.create(
            self.cloud,
            build_id,
            plan.Plan(name='debian', flavor='f', keep_failed=True),
            self.iso,
            user_data,
            {'newos_seal': 'true'},
        )
        for _step in range(_MANY):
            server = self.cloud.server(role)
            if server is not None:
                server.status = 'ERROR'
            if engine.advance(self.cloud, build_id).is_over:
                return build_id
            self.happen()
        raise AssertionError(build_id)

    @ddt.data('install', 'test')
    def test_resumed(self, role):
        build_id = self.fail(role)
        failed = self.cloud.server(role)
        self.cloud.consoles[role] = 'the evidence'
        for _look in range(2):
            self.assertEqual(
                ('the evidence',),
                engine.status(self.cloud, build_id).console,
            )
        self.cloud.consoles['test'] = LOGIN
        engine.resume(self.cloud, build_id)
        self.drive(build_id)
        self.assertNotIn(failed.id, self.cloud.servers)
        self.assert_golden()

    @ddt.data('install', 'test')
    def test_killed_anywhere(self, role):
        build_id = self.fail(role)
        begun = len(self.cloud.requests)
        engine.resume(self.cloud, build_id)
        self.drive(build_id)
        for count in range(begun + 1, len(self.cloud.requests) + 1):
            with self.subTest(requests=count):
                self.setUp()
                build_id = self.fail(role)
                self.cloud.kill_after = count
                try:
                    engine.resume(self.cloud, build_id)
                    self.drive(build_id)
                except fake_cloud.Killed:
                    self.cloud.kill_after = None
                if engine.status(self.cloud, build_id).phase is (
                    engine.Phase.FAILED
                ):
                    engine.resume(self.cloud, build_id)
                self.drive(build_id)
                self.assert_golden()

    def test_capture(self):
        build_id = self.create(keep_failed=True)
        self.cloud.on_capture = lambda image: vars(image).update(
            status='killed'
        )
        last = self.drive(build_id)[-1]
        self.assertIs(engine.Phase.CAPTURE, last.failed_in)
        self.cloud.server('install').task_state = None
        self.cloud.on_capture = lambda image: None
        engine.resume(self.cloud, build_id)
        self.drive(build_id)
        self.assert_golden()

    def test_server_is_the_same(self):
        build_id = self.fail('install', user_data=b'#!/bin/sh')
        old = self.cloud.server('install')
        engine.resume(self.cloud, build_id, b'#!/bin/sh')
        [new] = [s for s in self.cloud.servers.values() if s is not old]
        self.assertEqual(old.fields, new.fields)
        self.assertEqual(old.tags, new.tags)
        self.assertEqual('true', new.metadata['newos_seal'])
        for key in ('golden_failed', 'golden_failed_at'):
            self.assertIn(key, old.metadata)
            self.assertNotIn(key, new.metadata)

    @ddt.data((b'#!/bin/sh', None), (b'#!/bin/sh', b'x'), (None, b'x'))
    @ddt.unpack
    def test_other_user_data(self, first, second):
        build_id = self.fail('install', user_data=first)
        before = list(self.cloud.requests)
        with self.assertRaisesRegex(exception.UserDataNeeded, '--user-data'):
            engine.resume(self.cloud, build_id, second)
        self.assertEqual(before, self.cloud.requests)

    def test_not_failed(self):
        build_id = self.create(keep_failed=True)
        with self.assertRaises(exception.BuildNotFailed):
            engine.resume(self.cloud, build_id)

    def test_reason_that_somebody_has_changed(self):
        build_id = self.fail('test')
        self.cloud.server('install').metadata['golden_failed'] = '\x1b[2J'
        status = engine.status(self.cloud, build_id)
        self.assertIs(engine.Phase.INSTALL, status.failed_in)
