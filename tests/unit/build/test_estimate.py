# SPDX-License-Identifier: Apache-2.0

import datetime

import ddt
from openstack import exceptions

from nova_newos.build import engine
from nova_newos.build import estimate
from nova_newos.build import times
from tests.unit import base
from tests.unit.build import base as build_base
from tests.unit.build import cloud as fake_cloud


@ddt.ddt
class SecondsTest(base.TestCase):
    def test_of_property(self):
        self.assertEqual(
            {'install': 40, 'test': 3},
            times.of_property('install=40 test=3 x=-1 y= \x1b=3 z=99999999'),
        )

    @ddt.data(None, '', 'nonsense')
    def test_nothing(self, text):
        self.assertEqual({}, times.of_property(text))

    @ddt.data('', None, 'yesterday', 3)
    def test_no_time(self, text):
        self.assertIsNone(times.parse(text))

    def test_clocks_differ(self):
        later = times.parse('2026-01-01T00:00:05Z')
        self.assertEqual(0, times.seconds(later, times.parse('2026-01-01')))


class OutlookTest(build_base.BuildTestCase):
    def setUp(self):
        super().setUp()
        self.outlook = estimate.Outlook(self.cloud)

    def status(self, phase='install', since=10, name='debian'):
        return engine.Status(
            'id',
            engine.Phase(phase),
            '',
            name=name,
            server=fake_cloud.Thing(),
            since=self.now,
            until=self.now + datetime.timedelta(seconds=since),
        )

    def earlier(self, text, name='debian'):
        self.cloud.add_image(
            name=name, properties={'golden_build_seconds': text}
        )

    def test_last_build(self):
        self.earlier('install=1000')
        self.earlier('install=40 capture=8 test=30')
        self.assertEqual(68, self.outlook.left(self.status()))
        self.assertEqual(20, self.outlook.left(self.status('test')))

    def test_longer_than_the_last(self):
        self.earlier('install=40')
        self.assertIsNone(self.outlook.left(self.status(since=50)))

    def test_first_build(self):
        self.assertIsNone(self.outlook.left(self.status()))

    def test_name_with_an_operator(self):
        """Glance would look for something else."""
        self.earlier('install=40', name='in:debian')
        self.assertIsNone(self.outlook.left(self.status(name='in:debian')))

    def test_recorded(self):
        """By one build, and read for the next."""
        build_id = self.create()
        self.drive(build_id)
        [golden] = self.cloud.golden()
        taken = times.of_property(golden.properties['golden_build_seconds'])
        self.assertEqual(['install', 'capture', 'test'], list(taken))
        self.assertGreater(self.outlook.left(self.status(since=0)), 0)
        status = engine.status(self.cloud, build_id)
        self.assertEqual(sum(taken.values()), status.seconds)

    def test_diagnostics_are_refused(self):
        """Once: by Nova's defaults they are all but administrators'."""
        for _look in range(3):
            self.assertIsNone(self.outlook.written(self.status()))
        self.assertEqual(1, self.cloud.diagnosed)

    def test_written(self):
        self.cloud.compute.get_server_diagnostics = lambda server: (
            fake_cloud.Thing(
                disk_details=[{'write_bytes': 5}, {'write_bytes': None}, {}]
            )
        )
        self.assertEqual(5, self.outlook.written(self.status()))

    def test_diagnostics_fail(self):
        def fail(server):
            raise exceptions.ConflictException()

        self.cloud.compute.get_server_diagnostics = fail
        self.assertIsNone(self.outlook.written(self.status()))
