# SPDX-License-Identifier: Apache-2.0


import ddt

from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import plan
from nova_newos.build import start
from tests.unit.build import base
from tests.unit.build import cloud as fake_cloud


@ddt.ddt
class ResumeTest(base.BuildTestCase):
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
        for _step in range(base.MANY):
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
        self.cloud.consoles['test'] = base.LOGIN
        engine.resume(self.cloud, build_id)
        self.drive(build_id)
        self.assertNotIn(failed.id, self.cloud.servers)
        self.assert_golden()

    def test_failed_server_is_deleted_slowly(self):
        """It is not judged once more."""
        build_id = self.fail('test')
        failed = self.cloud.server('test')
        delete = self.cloud.compute.delete_server
        self.cloud.compute.delete_server = lambda server: vars(failed).update(
            task_state='deleting'
        )
        engine.resume(self.cloud, build_id)
        for _look in range(3):
            status = engine.advance(self.cloud, build_id)
            self.assertIs(engine.Phase.TEST, status.phase)
        self.cloud.compute.delete_server = delete
        delete(failed)
        self.drive(build_id)
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
