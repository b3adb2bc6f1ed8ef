# SPDX-License-Identifier: Apache-2.0

import argparse
import contextlib
import io
from unittest import mock

import ddt
import fixtures
from osc_lib import exceptions

from nova_newos.osc import base as osc_base
from nova_newos.osc import family
from nova_newos.osc import image
from nova_newos.registry import exception
from nova_newos.registry import lineage
from tests.unit.build import cloud as things
from tests.unit.registry import base
from tests.unit.registry import cloud as fake_cloud


class CommandTestCase(base.RegistryTestCase):
    def setUp(self):
        super().setUp()
        self.said = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))

    def run_command(self, kind, *arguments):
        """Rows as dicts, or the one row, or None."""
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = kind(app, None)
        parsed = command.get_parser('openstack').parse_args(arguments)
        answer = command.take_action(parsed)
        if answer is None:
            return None
        names, values = answer
        if isinstance(values, tuple):
            return dict(zip(names, values, strict=True))
        return [
            dict(zip(names, map(_plain, row), strict=True)) for row in values
        ]


def _plain(value):
    return (
        value.human_readable() if isinstance(value, osc_base.Text) else value
    )


@ddt.ddt
class FamilyTest(CommandTestCase):
    def test_publish(self):
        first = self.publish()
        rows = self.run_command(
            family.PublishFamily,
            'debian',
            second := self.image(),
            '--description=ours',
            '--uuid-validity=last-3',
            '--visibility=community',
        )
        self.assertEqual(
            [
                (second, 'debian', 'current', '2026-01-01'),
                (first, 'debian (20260101)', 'former', '2026-01-01'),
            ],
            [
                (row['id'], row['name'], row['state'], row['built'])
                for row in rows
            ],
        )
        expected = {
            'image_description': 'ours',
            'uuid_validity': 'last-3',
            'visibility': 'community',
        }
        said = self.glance.images[second]
        self.assertEqual(expected, {name: said[name] for name in expected})

    def test_publish_again(self):
        """What follows an image stays, and it is said how to change that."""
        first, second = self.publish(), self.publish()
        rows = self.run_command(family.PublishFamily, 'debian', first)
        self.assertEqual(second, rows[0]['id'])
        self.assertIn('rollback --to', self.said.getvalue())

    def test_refused(self):
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = family.ShowFamily(app, argparse.Namespace())
        parsed = command.get_parser('openstack').parse_args(['none'])
        with self.assertRaisesRegex(
            exceptions.CommandError, "no family 'none'"
        ):
            command.run(parsed)

    def test_list(self):
        self.publish()
        current = self.publish(visibility='public')
        [row] = self.run_command(family.ListFamily)
        self.assertEqual(
            ('debian', current, 'public', fake_cloud.PROJECT),
            (row['family'], row['id'], row['visibility'], row['owner']),
        )
        self.assertEqual(
            [], self.run_command(family.ListFamily, '--owner=other')
        )
        self.assertEqual(
            [], self.run_command(family.ListFamily, '--visibility=private')
        )

    def test_show_of_another_project(self):
        other = self.image(owner='other')
        self.publish(other)
        [row] = self.run_command(family.ShowFamily, 'debian', '--owner=other')
        self.assertEqual(other, row['id'])

    def test_show(self):
        first, second = self.publish(), self.publish()
        self.glance.images[first]['golden_revoked'] = 'why'
        self.glance.images[second]['golden_published'] = 'spoilt'
        self.glance.images[second]['os_hidden'] = True
        third = self.publish()
        self.glance.images[first] |= {'os_hidden': False, 'name': '\x1b[2J'}
        rows = {
            row['id']: row
            for row in self.run_command(family.ShowFamily, 'debian')
        }
        self.assertEqual('to be hidden, revoked', rows[first]['state'])
        self.assertEqual('\\x1b[2J', rows[first]['name'])
        self.assertEqual('', rows[second]['published'])
        self.assertEqual('current', rows[third]['state'])

    def test_rollback(self):
        first, second = self.publish(), self.publish()
        rows = self.run_command(family.RollbackFamily, 'debian')
        self.assertEqual(first, rows[0]['id'])
        former = self.glance.images[second]['name']
        self.run_command(family.RollbackFamily, 'debian', f'--to={former}')
        self.assert_current(second)

    def test_retire(self):
        self.publish(facts={'provided_until': '9999-01-01'})
        with self.assertRaises(exception.StillProvided):
            self.run_command(family.RetireFamily, 'debian')
        self.run_command(family.RetireFamily, 'debian', '--force')
        self.assertEqual([], self.run_command(family.ListFamily))

    def test_prune(self):
        images = [self.publish() for _number in range(4)]
        self.cloud.running[images[1]] = ['server']
        arguments = (family.PruneFamily, 'debian', '--keep=1')
        for more, gone in ((['--dry-run'], 'to be deleted'), ([], 'deleted')):
            rows = self.run_command(*arguments, *more)
            self.assertEqual(
                [
                    (images[2], 'kept', 'one of the last'),
                    (images[1], 'kept', 'servers were made from it: 1'),
                    (images[0], gone, ''),
                ],
                [(row['id'], row['state'], row['reason']) for row in rows],
            )
        self.assertEqual(3, len(self.glance.images))

    @ddt.data('-1', 'all', '１')
    def test_keep(self, number):
        with (
            self.assertRaises(SystemExit),
            contextlib.redirect_stderr(self.said),
        ):
            self.run_command(family.PruneFamily, 'debian', f'--keep={number}')
        self.assertIn('give 0 or more', self.said.getvalue())


class CopyTest(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.there = fake_cloud.Cloud()
        self.connected = []

        @contextlib.contextmanager
        def connect(cloud):
            self.connected.append(cloud)
            yield self.there

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.family.openstack.connect', connect
            )
        )
        made = self.glance.add()
        self.glance.fill(made, bytes(3 * 2**20))
        self.first = self.publish(made['id'])
        made = self.glance.add()
        self.glance.fill(made, b'x' * 2**20)
        self.second = self.publish(made['id'])

    def test_current(self):
        row = self.run_command(family.CopyFamily, 'debian', '--to-cloud=c')
        self.assertEqual(['c'], self.connected)
        self.assertEqual([row['id']], self.there.glance.named('debian'))
        self.assertEqual(
            self.second,
            self.there.glance.images[row['id']]['golden_copied_from'],
        )

    def test_former(self):
        row = self.run_command(
            family.CopyFamily,
            *('debian', '--to-cloud=c', '--name=other'),
            *(f'--version={self.first}', '--visibility=public'),
        )
        copy = self.there.glance.images[row['id']]
        self.assertEqual(
            ('other', 'public', self.first),
            (copy['name'], copy['visibility'], copy['golden_copied_from']),
        )
        self.assertEqual(
            ['1 of 3 MiB (30 %)', '2 of 3 MiB (60 %)', '3 of 3 MiB (100 %)'],
            self.said.getvalue().splitlines(),
        )

    def test_retired(self):
        self.run_command(family.RetireFamily, 'debian')
        with self.assertRaises(exception.FamilyRetired):
            self.run_command(family.CopyFamily, 'debian', '--to-cloud=c')
        self.assertEqual([], self.connected)


class ImageTest(CommandTestCase):
    def test_lineage(self):
        iso = self.image(name='\x07iso')
        golden = self.publish(self.image(provenance_iso=iso))
        server = things.Thing(id='s', name='web', status='ACTIVE')
        self.cloud.running[golden] = [server]
        rows = [
            tuple(row.values())
            for row in self.run_command(image.LineageImage, iso, '--servers')
        ]
        self.assertEqual(
            [
                (0, 'itself', iso, '\\x07iso', ''),
                (1, 'install ISO', golden, 'debian', 'version of debian'),
                (2, 'server', 's', 'web', 'ACTIVE'),
            ],
            rows,
        )
        rows = self.run_command(image.LineageImage, golden)
        self.assertEqual([iso, golden], [row['id'] for row in rows])

    def test_lineage_is_cut(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_newos.registry.lineage.LIMIT', 1)
        )
        golden = self.image()
        self.run_command(image.LineageImage, golden)
        self.assertEqual('', self.said.getvalue())
        for _number in range(2):
            self.image(base_image_ref=golden)
        rows = self.run_command(image.LineageImage, golden)
        self.assertEqual(2, len(rows))
        self.assertIn(f'only {lineage.LIMIT} ', self.said.getvalue())

    def test_revoke(self):
        golden = self.image()
        arguments = (image.RevokeImage, golden, '--reason=a hole')
        self.run_command(*arguments)
        self.assertEqual('', self.said.getvalue())
        self.assertEqual('deactivated', self.glance.images[golden]['status'])

    def test_revoke_without_right(self):
        golden = self.image()
        self.glance.forbidden.add(('POST', '/deactivate'))
        arguments = (image.RevokeImage, golden, '--reason=a hole')
        with self.assertRaises(exception.DeactivationForbidden):
            self.run_command(*arguments)
        self.run_command(*arguments, '--hide')
        self.assertIn('can still boot it', self.said.getvalue())


@ddt.ddt
class TextTest(base.base.TestCase):
    @ddt.data(
        ('plain é', 'plain é'),
        ('\x1b]0;x\x07', '\\x1b]0;x\\x07'),
        ('a\nb', 'a\\nb'),
        ('\u202e', '\\u202e'),
    )
    @ddt.unpack
    def test_text(self, raw, shown):
        self.assertEqual(shown, osc_base.Text(raw).human_readable())
        self.assertEqual(raw, osc_base.Text(raw).machine_readable())
