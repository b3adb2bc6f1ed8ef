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

    @ddt.data(
        ('image_snapshot', {'newos_seal': 'true'}, [], True),
        ('image_snapshot', {}, ['cloud_init'], True),
        ('image_snapshot', {}, [], False),
        ('image_backup', {'newos_seal': 'true'}, ['cloud_init'], False),
        ('shelving', {'newos_seal': 'true'}, ['cloud_init'], False),
        (
            'shelving_image_pending_upload',
            {'newos_seal': 'true'},
            ['cloud_init'],
            False,
        ),
    )
    @ddt.unpack
    def test_is_wanted(self, task_state, metadata, refuse, expected):
        """What is to come back as it was stays what it is."""
        self.flags('newos', refuse=refuse)
        self.assertIs(
            expected, self.sealing().is_wanted(server(task_state, **metadata))
        )

    def test_property_of_the_iso(self):
        self.assertIs(
            True, sealing.is_asked_for(server(properties={'newos_seal': '1'}))
        )

    def test_operator(self):
        self.flags('newos', seal=True)
        self.assertIs(True, sealing.is_asked_for(server()))

    def test_sealed(self):
        properties = self.sealing().finish(server(newos_seal='true'), DISK)
        self.assertEqual('done', properties['seal_sysprep'])
        self.assertEqual('true', properties['verdict_boot_loader'])
        self.assertEqual(['seal', 'examine'], self.order())
        for call in self.events.mock_calls:
            self.assertEqual(DISK, call.args[0])

    def test_looked_into_only(self):
        self.flags('newos', refuse=['cloud_init'])
        properties = self.sealing().finish(server(), DISK)
        self.assertEqual(
            {f'verdict_{name}' for name in verdict.FACTS}, set(properties)
        )
        self.assertEqual(['examine'], self.order())

    def test_refused(self):
        self.facts['cloud_init'] = 'unknown'
        self.flags('newos', refuse=['boot_loader', 'cloud_init'])
        with self.assertRaises(exception.VerdictRefused) as caught:
            self.sealing().finish(server(), DISK)
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
