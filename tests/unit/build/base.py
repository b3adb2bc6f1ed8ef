# SPDX-License-Identifier: Apache-2.0
"""Builds in a cloud in memory."""

import datetime

import fixtures

from nova_newos.build import engine
from nova_newos.build import plan
from nova_newos.build import start
from tests.unit import base
from tests.unit.build import cloud as fake_cloud

#: The end of a console.
LOGIN = 'Debian GNU/Linux 12 golden ttyS0\n\ngolden login: '
#: More steps than any build takes.
MANY = 50


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
        for _step in range(MANY):
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
