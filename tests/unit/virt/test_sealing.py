# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.golden import base
from nova_newos.golden import finishing
from nova_newos.virt import sealing
from tests.unit.virt import fakes

DISK = base.Disk('/s/overlay', 'qcow2')


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
        self.finish = mock.Mock(return_value={'seal_sysprep': 'done'})
        self.patch(
            finishing.Finisher,
            'finish',
            lambda _self, *args, **options: self.finish(*args, **options),
        )

    def sealing(self):
        return sealing.Sealing()

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
        self.assertEqual({'seal_sysprep': 'done'}, finish(DISK))
        self.finish.assert_called_once_with(DISK, is_sealed=True)

    def test_property_of_the_iso(self):
        self.assertIs(
            True, sealing.is_asked_for(server(properties={'newos_seal': '1'}))
        )

    def test_operator(self):
        self.flags('newos', seal=True)
        self.assertIs(True, sealing.is_asked_for(server()))

    def test_inspected_only(self):
        self.flags('newos', refuse=['cloud_init'])
        self.sealing().finisher(server())(DISK)
        self.finish.assert_called_once_with(DISK, is_sealed=False)

    @ddt.data(('qemu', 'true'), ('kvm', 'false'))
    @ddt.unpack
    def test_accelerator(self, virt_type, emulated):
        self.flags('libvirt', virt_type=virt_type)
        with mock.patch.object(finishing, 'Finisher') as finisher:
            self.sealing()
        finisher.assert_called_once_with(
            sealing.CONF, emulate=emulated == 'true'
        )

    def test_plug_in_that_is_not_there(self):
        self.flags('newos', sealers=['nosuch'])
        with self.assertRaises(exception.SealerLoadError):
            self.sealing()
