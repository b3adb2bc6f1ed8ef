# SPDX-License-Identifier: Apache-2.0

import json
from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.golden import appliance
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
FAILED = exception.SealFailed(tool='t', reason='longer than')


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
            finisher = finishing.Finisher(conf)
        return finisher.finish(base.DISK, is_sealed)

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
        with self.assertRaises(exception.SealFailed):
            self.finish(FAILED, sealers=['sparsify'])

    def test_fault_of_the_host(self):
        for error in (
            exception.ApplianceToolMissing(tool='t', package='p'),
            exception.SealNoRoom(path='p'),
        ):
            with self.assertRaises(type(error)):
                self.finish(error, is_sealed=False)

    def test_refused(self):
        with self.assertRaises(exception.VerdictRefused) as caught:
            self.finish(
                json.dumps(FOUND),
                is_sealed=False,
                refuse=['file_systems_clean', 'cloud_init'],
            )
        self.assertEqual('cloud_init=unknown', caught.exception.facts)

    def test_sealer_that_fails(self):
        """Then nothing is inspected."""
        with self.assertRaises(exception.SealFailed):
            self.finish(sealers=['broken'])
        self.assertEqual([], self.commands)

    def test_sealer_that_fails_at_the_end(self):
        with self.assertRaises(exception.SealFailed):
            self.finish(json.dumps(FOUND), sealers=['late'])

    def test_plug_in_that_is_not_there(self):
        with self.assertRaises(exception.SealerLoadError):
            finishing.Finisher(plugins.make_conf(sealers=['nosuch']))

    def test_accelerator(self):
        conf = plugins.make_conf(sealers=[])
        with mock.patch.object(appliance, 'Appliance') as made:
            finishing.Finisher(conf, emulate=True)
        made.assert_called_once_with(conf, emulate=True)


@ddt.ddt
class AskedTest(unit_base.TestCase):
    @ddt.data(
        ({}, {}, False, False),
        ({}, {}, True, True),
        ({}, {'newos_seal': 'yes'}, False, True),
        ({}, {'newos_seal': 'False'}, True, False),
        ({'newos_seal': 'true'}, {'newos_seal': 'false'}, False, True),
        ({'newos_seal': '0'}, {'newos_seal': 'true'}, True, False),
    )
    @ddt.unpack
    def test_precedence(self, metadata, properties, default, expected):
        self.assertIs(
            expected, finishing.is_sealing_asked(metadata, properties, default)
        )

    def test_metadata_invalid(self):
        with self.assertRaises(exception.MetadataInvalid) as caught:
            finishing.is_sealing_asked({'newos_seal': 'perhaps'}, {}, False)
        self.assertIn('server set --property', str(caught.exception))

    def test_property_invalid(self):
        with self.assertRaises(exception.PropertyInvalid) as caught:
            finishing.is_sealing_asked({}, {'newos_seal': 'perhaps'}, False)
        self.assertIn("'perhaps'", str(caught.exception))
