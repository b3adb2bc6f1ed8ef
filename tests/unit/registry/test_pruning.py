# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.registry import exception
from nova_newos.registry import pruning
from tests.unit.registry import base
from tests.unit.registry import cloud as fake_cloud


@ddt.ddt
class PruneTest(base.RegistryTestCase):
    def setUp(self):
        super().setUp()
        self.versions = [self.publish() for _number in range(5)]
        self.current = self.versions[-1]

    def prune(self, keep=0, **options):
        """What became of each, in the order in which they were published."""
        judged = pruning.prune(
            self.cloud, base.FAMILY, fake_cloud.PROJECT, keep, **options
        )
        for judgement in judged:
            if not options.get('dry_run'):
                self.assertEqual(
                    bool(judgement.kept),
                    judgement.version.id in self.glance.images,
                )
        found = {each.version.id: each.kept for each in judged}
        return [found.get(each) for each in self.versions]

    def test_all(self):
        self.assertEqual(['', '', '', '', None], self.prune())
        self.assertEqual([self.current], [*self.glance.images])

    def test_last(self):
        last = 'one of the last'
        self.assertEqual(['', '', last, last, None], self.prune(keep=2))

    def test_dry_run(self):
        self.assertEqual(['', '', '', '', None], self.prune(dry_run=True))
        self.assertEqual(5, len(self.glance.images))

    @ddt.data(True, False)
    def test_in_use(self, admin):
        self.cloud.admin = admin
        self.cloud.running[self.versions[1]] = ['server', 'other']
        kept = 'servers were made from it: 2'
        self.assertEqual(['', kept, '', '', None], self.prune())

    def test_protected(self):
        self.glance.images[self.versions[0]]['protected'] = True
        self.assertEqual(['protected', '', '', '', None], self.prune())

    @ddt.data('notice', 'forever', '9999-12-31', 'last-4')
    def test_promised(self, validity):
        self.glance.images[self.versions[0]]['uuid_validity'] = validity
        kept = f'uuid_validity={validity}'
        self.assertEqual([kept, '', '', '', None], self.prune())

    @ddt.data('none', '2020-01-01', 'last-3', 'nonsense')
    def test_not_promised_any_more(self, validity):
        self.glance.images[self.versions[0]]['uuid_validity'] = validity
        self.assertEqual(['', '', '', '', None], self.prune())

    def test_refused_by_glance(self):
        image = self.versions[0]
        self.glance.forbidden.add(('DELETE', image))
        self.assertRegex(self.prune()[0], 'Glance keeps it: .*by policy')

    def test_another_client_was_first(self):
        image = self.versions[0]

        def meanwhile(method, path):
            if method == 'DELETE':
                self.glance.images.pop(image, None)

        self.glance.on_request = meanwhile
        self.assertEqual(['', '', '', '', None], self.prune())

    def test_current_again(self):
        """Another client has rolled back to it."""
        image = self.versions[0]

        def meanwhile(method, path):
            if method == 'GET' and path.endswith(image):
                self.glance.images[image]['os_hidden'] = False

        self.glance.on_request = meanwhile
        self.assertEqual('current again', self.prune()[0])
        self.assertIn(image, self.glance.images)

    def test_publisher_was_stopped(self):
        """What it left visible is hidden first; then it may go."""
        new = self.image()
        self.glance.requests.clear()
        self.glance.kill_at = 4
        with self.assertRaises(fake_cloud.Killed):
            self.publish(new)
        self.glance.kill_at = None
        self.assertEqual([''] * 5, self.prune())
        self.assert_current(new)

    @ddt.data(True, False)
    def test_killed(self, before):
        for number in range(30):
            self.glance.requests.clear()
            self.glance.kill_at, self.glance.kill_before = number, before
            try:
                self.prune()
            except fake_cloud.Killed:
                self.glance.kill_at = None
                self.assert_current(self.current)
            else:
                break
        self.assertEqual([self.current], [*self.glance.images])

    def test_snapshots_of_servers_stay(self):
        inherited = dict(self.glance.images[self.versions[0]])
        del inherited['id']
        snapshot = self.image(**inherited)
        self.prune()
        self.assertIn(snapshot, self.glance.images)

    def test_no_family(self):
        with self.assertRaises(exception.FamilyNotFound):
            pruning.prune(self.cloud, 'no', fake_cloud.PROJECT, 0)
