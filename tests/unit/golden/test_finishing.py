# SPDX-License-Identifier: Apache-2.0

import json
from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.golden import appliance
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import finishing
from nova_newos.golden import verdict
from tests.unit import base as unit_base
from tests.unit import plugins
from tests.unit.golden import base

SAMPLES = 'tests.unit.golden.samples:'

# A disk of which little can be told.
FOUND = {
    'filesystems': [{'type': 'ext4', 'clean': True}],
    'boot': {'grub': False, 'files': []},
    'systems': [],
}
FACTS = dict.fromkeys(verdict.FACTS, 'unknown') | {
    'file_systems_clean': 'true',
    'boot_loader': 'false',
}
FAILED = golden_exception.SealFailed(tool='t', reason='longer than')


class FinisherTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.provide(
            *(
                (name, SAMPLES + name.capitalize())
                for name in ('good', 'broken', 'late')
            ),
            ('sparsify', 'nova_newos.golden.sparsify:SparsifySealer'),
        )

    def finish(self, *outputs, is_sealed=True, sealers=(), refuse=()):
        """The properties; what the appliance ran is in self.commands."""
        conf = plugins.make_conf(sealers=list(sealers), refuse=list(refuse))
        fake = base.FakeAppliance(*outputs)
        self.commands = fake.commands
        with mock.patch.object(appliance, 'Appliance', return_value=fake):
            return finishing.Finisher(conf).finish(base.DISK, is_sealed)

    def plan(self):
        [(_disk, _tool, arguments)] = self.commands
        return json.loads(arguments[-1])

    def prefixed(self, facts):
        return {f'verdict_{name}': value for name, value in facts.items()}

    def test_sealed(self):
        properties = self.finish(
            json.dumps(FOUND), sealers=['good', 'sparsify']
        )
        self.assertTrue(properties.pop('seal_good').startswith('good qcow2'))
        self.assertEqual(
            'unused blocks discarded', properties.pop('seal_sparsify')
        )
        self.assertEqual(self.prefixed(FACTS), properties)
        self.assertEqual(
            (True, True), (self.plan()['write'], self.plan()['discard'])
        )

    def test_inspected_only(self):
        properties = self.finish(
            json.dumps(FOUND), is_sealed=False, sealers=['sparsify']
        )
        self.assertEqual(self.prefixed(FACTS), properties)
        self.assertIs(False, self.plan()['write'])

    def test_guest_that_cannot_be_inspected(self):
        """Without facts it may be an image, but not without sealing."""
        unknown = self.prefixed(dict.fromkeys(verdict.FACTS, 'unknown'))
        self.assertEqual(unknown, self.finish(FAILED, is_sealed=False))
        self.assertLessEqual(
            unknown.items(), self.finish(FAILED, sealers=['good']).items()
        )
        with self.assertRaises(golden_exception.SealFailed):
            self.finish(FAILED, sealers=['sparsify'])

    def test_fault_of_the_host(self):
        for error in (
            golden_exception.ApplianceToolMissing(tool='t', package='p'),
            golden_exception.SealNoRoom(path='p'),
        ):
            with self.assertRaises(type(error)):
                self.finish(error, is_sealed=False)

    def test_refused(self):
        with self.assertRaises(golden_exception.VerdictRefused) as caught:
            self.finish(
                json.dumps(FOUND),
                is_sealed=False,
                refuse=['file_systems_clean', 'cloud_init'],
            )
        self.assertEqual('cloud_init=unknown', caught.exception.facts)

    def test_sealer_that_fails(self):
        """Then nothing is inspected."""
        with self.assertRaises(golden_exception.SealFailed):
            self.finish(sealers=['broken'])
        self.assertEqual([], self.commands)

    def test_sealer_that_fails_at_the_end(self):
        with self.assertRaises(golden_exception.SealFailed):
            self.finish(json.dumps(FOUND), sealers=['late'])

    def test_plug_in_that_is_not_there(self):
        with self.assertRaises(golden_exception.SealerLoadError):
            finishing.Finisher(plugins.make_conf(sealers=['nosuch']))

    def test_accelerator(self):
        conf = plugins.make_conf(sealers=[])
        fake = base.FakeAppliance(*[json.dumps(FOUND)] * 2)
        with mock.patch.object(
            appliance, 'Appliance', return_value=fake
        ) as made:
            finisher = finishing.Finisher(conf, emulate=True)
            for _image in range(2):
                finisher.finish(base.DISK, False)
        # Each image has a time of its own.
        self.assertEqual([mock.call(conf, emulate=True)] * 2, made.mock_calls)


class TurnTest(base.TestCase):
    """A host is not blocked by who asks for images."""

    def setUp(self):
        super().setUp()
        self.patch(mock.patch.object(finishing, '_WAIT', 0.01))
        self.finish = self.patch(
            mock.patch.object(
                finishing.Finisher, '_finish', side_effect=self.nested
            )
        )
        self.refused = []

    def nested(self, disk, is_sealed, _tools):
        """Another image, while this one is made."""
        if not self.refused and self.finish.call_count < 4:
            try:
                self.finisher.finish(disk, is_sealed)
            except golden_exception.SealBusy as error:
                self.refused.append(error)
        return {}

    def nest(self, count):
        self.finisher = finishing.Finisher(
            plugins.make_conf(sealers=[], seal_concurrency=count)
        )
        self.finisher.finish(base.DISK, True)
        return self.finish.call_count

    def test_one(self):
        self.assertEqual(1, self.nest(1))
        self.assertIn('inspecting 1 other', str(self.refused[0]))
        # The turn is given back.
        self.finisher.finish(base.DISK, False)

    def test_some(self):
        self.assertEqual(3, self.nest(3))

    def test_given_back_after_a_failure(self):
        self.finish.side_effect = FAILED
        finisher = finishing.Finisher(plugins.make_conf(sealers=[]))
        for _image in range(2):
            with self.assertRaises(golden_exception.SealFailed):
                finisher.finish(base.DISK, True)


@ddt.ddt
class AskedTest(unit_base.TestCase):
    @ddt.data(
        ({}, {}, 'never', False),
        ({}, {}, 'allow', False),
        ({}, {}, 'require', True),
        ({}, {'newos_seal': 'yes'}, 'allow', True),
        ({}, {'newos_seal': 'yes'}, 'require', True),
        ({}, {'newos_seal': 'False'}, 'allow', False),
        ({}, {'newos_seal': 'False'}, 'never', False),
        ({'newos_seal': 'true'}, {'newos_seal': 'false'}, 'allow', True),
        ({'newos_seal': 'true'}, {'newos_seal': 'false'}, 'require', True),
        ({'newos_seal': '0'}, {'newos_seal': 'true'}, 'allow', False),
        ({'newos_seal': '0'}, {'newos_seal': 'true'}, 'never', False),
    )
    @ddt.unpack
    def test_precedence(self, metadata, properties, policy, expected):
        self.assertIs(
            expected, finishing.is_to_be_sealed(metadata, properties, policy)
        )

    @ddt.data(
        ({'newos_seal': 'true'}, {}, 'never', golden_exception.SealNotAllowed),
        ({}, {'newos_seal': '1'}, 'never', golden_exception.SealNotAllowed),
        (
            {'newos_seal': 'false'},
            {},
            'require',
            golden_exception.SealRequired,
        ),
        ({}, {'newos_seal': 'no'}, 'require', golden_exception.SealRequired),
    )
    @ddt.unpack
    def test_operator_does_not_want_it(
        self, metadata, properties, policy, error
    ):
        with self.assertRaises(error) as caught:
            finishing.is_to_be_sealed(metadata, properties, policy)
        self.assertIn(f'seal={policy}', str(caught.exception))

    def test_metadata_invalid(self):
        with self.assertRaises(exception.MetadataInvalid) as caught:
            finishing.is_to_be_sealed({'newos_seal': 'perhaps'}, {}, 'never')
        self.assertIn('server set --property', str(caught.exception))

    def test_property_invalid(self):
        with self.assertRaises(exception.PropertyInvalid) as caught:
            finishing.is_to_be_sealed({}, {'newos_seal': 'perhaps'}, 'never')
        self.assertIn("'perhaps'", str(caught.exception))
