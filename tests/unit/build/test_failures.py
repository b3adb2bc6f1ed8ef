# SPDX-License-Identifier: Apache-2.0

import datetime

import ddt
from openstack import exceptions

from nova_newos.build import actions
from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import facts
from nova_newos.build import plan
from nova_newos.build import times
from tests.unit.build import base


@ddt.ddt
class FailureTest(base.BuildTestCase):
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
        for _step in range(base.MANY):
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
        for _step in range(base.MANY):
            if engine.advance(self.cloud, build_id).phase is engine.Phase.TEST:
                break
            self.happen()
        self.cloud.servers.pop(self.cloud.server('install').id)
        self.assertIn('is gone', self.fail(build_id).detail)
        self.assertEqual(2, len(self.cloud.images))
        engine.cancel(self.cloud, build_id)
        self.assert_nothing_left()

    @ddt.data('golden_name', 'golden_flavor')
    def test_plan_was_deleted(self, key):
        build_id = self.create()
        self.cloud.server('install').metadata.pop(key)
        with self.assertRaisesRegex(exception.PlanLost, key):
            for _step in range(base.MANY):
                engine.advance(self.cloud, build_id)
                self.happen()

    @ddt.data('install', 'test')
    def test_kept_says_when(self, role):
        """However much later somebody looks."""
        build_id = self.create(keep_failed=True)
        for _step in range(base.MANY):
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
        for _step in range(base.MANY):
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
        self.now = datetime.datetime(2026, 1, 1)

        def hang():
            for server in self.cloud.servers.values():
                if server.metadata['golden_role'] == role:
                    server.status = 'ACTIVE'

        for _step in range(base.MANY):
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

    def test_limit_of_what_nova_does_not_finish(self):
        build_id = self.create(install_limit=2)
        self.now += datetime.timedelta(minutes=10)
        self.assertIn('2 min', self.fail(build_id).detail)

    @ddt.data('x', '-1', 'nan', 'inf', '')
    def test_limit_that_somebody_has_changed(self, value):
        metadata = {
            **plan.Plan(name='n', flavor='f').as_metadata(),
            'golden_test_limit': value,
        }
        self.assertEqual(plan.TEST_LIMIT, plan.of(metadata).test_limit)


@ddt.ddt
class RefusedTest(base.BuildTestCase):
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

    def test_another_client_was_first(self):
        """What is refused is done: the quota is for one of them."""
        build_id = self.create()
        create = self.cloud.compute.create_server

        def lose(*args, **fields):
            self.cloud.compute.create_server = create
            create(*args, **fields)
            raise self.error(exceptions.ForbiddenException, 403, 'Quota')

        self.cloud.compute.create_server = lose
        self.drive(build_id)
        self.assert_golden()

    def test_another_client_has_published(self):
        """What this one knows is old, and the image is not the build's."""
        build_id = self.create(boot_test='none')
        found = []
        for _step in range(base.MANY):
            if self.cloud.golden():
                break
            found.append(facts.look(self.cloud, build_id))
            engine.advance(self.cloud, build_id)
            self.happen()
        [golden] = self.cloud.golden()
        actions.clean(self.cloud, found[-1])
        self.assertIn(golden.id, self.cloud.images)

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
