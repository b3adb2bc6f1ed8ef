# SPDX-License-Identifier: Apache-2.0

import contextlib

import ddt

from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import facts
from tests.unit.build import base
from tests.unit.build import cloud as fake_cloud


@ddt.ddt
class AdvanceTest(base.BuildTestCase):
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
        for _step in range(base.MANY):
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
        for _step in range(base.MANY):
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
