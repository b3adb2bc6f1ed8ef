# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos import exception
from nova_newos import seal
from nova_newos import verdict
from nova_newos.seal import base
from nova_newos.virt import sealing
from tests.unit.virt import fakes

DISK = base.Disk('/s/overlay', 'qcow2')
FACTS = dict.fromkeys(verdict.FACTS, 'true')


def server(task_state='image_snapshot', properties=None, **metadata):
    image = fakes.image_dict(**(properties or {}))
    return fakes.server(
        image,
        server_layout=fakes.LAYOUT,
        task_state=task_state,
        metadata=metadata,
    )


@ddt.ddt
class SealingTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.events = mock.Mock()
        self.patch(
            seal.Sealers,
            'seal',
            lambda *args: self.events.seal(*args[1:]) and {'sysprep': 'done'},
        )
        self.facts = dict(FACTS)
        self.patch(
            verdict,
            'examine',
            lambda *args: self.events.examine(*args) and self.facts,
        )

    def sealing(self):
        return sealing.Sealing()

    def order(self):
        return [call[0] for call in self.events.mock_calls]

    def finish(self, **metadata):
        return self.sealing().finisher(server(**metadata))(DISK)

    def test_nothing_to_do(self):
        self.assertIsNone(self.sealing().finisher(server()))

    @ddt.data('image_backup', 'shelving', 'shelving_image_pending_upload')
    def test_what_comes_back_stays_what_it_is(self, task_state):
        self.flags('newos', refuse=['cloud_init'])
        self.assertIsNone(
            self.sealing().finisher(server(task_state, newos_seal='true'))
        )

    def test_decided_at_once(self):
        """What the user thinks meanwhile does not matter."""
        instance = server(newos_seal='true')
        finish = self.sealing().finisher(instance)
        instance.metadata['newos_seal'] = 'false'
        self.assertIn('seal_sysprep', finish(DISK))

    def test_property_of_the_iso(self):
        self.assertIs(
            True, sealing.is_asked_for(server(properties={'newos_seal': '1'}))
        )

    def test_operator(self):
        self.flags('newos', seal=True)
        self.assertIs(True, sealing.is_asked_for(server()))

    def test_sealed(self):
        properties = self.finish(newos_seal='true')
        self.assertEqual('done', properties['seal_sysprep'])
        self.assertEqual('true', properties['verdict_boot_loader'])
        self.assertEqual(['seal', 'examine'], self.order())
        for call in self.events.mock_calls:
            self.assertEqual(DISK, call.args[0])

    def test_looked_into_only(self):
        self.flags('newos', refuse=['cloud_init'])
        properties = self.finish()
        self.assertEqual(
            {f'verdict_{name}' for name in verdict.FACTS}, set(properties)
        )
        self.assertEqual(['examine'], self.order())

    def test_refused(self):
        self.facts['cloud_init'] = 'unknown'
        self.flags('newos', refuse=['boot_loader', 'cloud_init'])
        with self.assertRaises(exception.VerdictRefused) as caught:
            self.finish()
        self.assertEqual('cloud_init=unknown', caught.exception.facts)

    @ddt.data(('qemu', 'true'), ('kvm', 'false'))
    @ddt.unpack
    def test_accelerator(self, virt_type, emulated):
        self.flags('libvirt', virt_type=virt_type)
        with mock.patch.object(sealing.appliance, 'Appliance') as appliance:
            self.sealing()
        appliance.assert_called_once_with(
            sealing.CONF, emulate=emulated == 'true'
        )

    def test_plug_in_that_is_not_there(self):
        self.flags('newos', sealers=['nosuch'])
        with self.assertRaises(exception.SealerLoadError):
            self.sealing()
