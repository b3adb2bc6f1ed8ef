# SPDX-License-Identifier: Apache-2.0
"""When the host types, and when it does not."""

import ddt

from nova_newos.golden import provenance
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import glance
from nova_newos.virt import keys
from nova_newos.virt import snapshot
from tests.unit.virt import driver_base
from tests.unit.virt import fakes

KEYS = {'newos_boot_keys': '<waitIdle><enter>'}


@ddt.ddt
class KeysTest(driver_base.DriverTestCase):
    def setUp(self):
        super().setUp()
        self.done = []
        self.stock_spawn = self.stock_method(
            'spawn', lambda *_args, **_kwargs: self.done.append('spawn')
        )
        self.patch(glance, 'check')
        self.type_into = self.patch(
            keys, 'type_into', lambda *_args: self.done.append('type')
        )

    def spawn(self, instance, power_on=True):
        self.driver.spawn(
            self.context,
            instance,
            instance.image_meta,
            [],
            'password',
            {},
            power_on=power_on,
        )

    @ddt.data('spawning', 'rebuild_spawning')
    def test_first_start(self, task_state):
        instance = fakes.server(metadata=KEYS, task_state=task_state)
        self.spawn(instance)
        self.assertEqual(['spawn', 'type'], self.done)
        self.type_into.assert_called_once_with(self.driver._host, instance)

    def test_failed_start(self):
        self.stock_spawn.side_effect = ZeroDivisionError
        with self.assertRaises(ZeroDivisionError):
            self.spawn(fakes.server(metadata=KEYS))
        self.type_into.assert_not_called()

    def test_not_started(self):
        self.spawn(fakes.server(metadata=KEYS), power_on=False)
        self.type_into.assert_not_called()

    @ddt.data(
        fakes.image_dict('qcow2', **KEYS),
        fakes.image_dict('iso', newos_install='false', **KEYS),
    )
    def test_ordinary_server(self, image):
        self.spawn(fakes.server(image, metadata=KEYS))
        self.type_into.assert_not_called()

    @ddt.data(
        ({'newos_boot_keys': '<ener>'}, "'<ener>' .character 1. is no key"),
        ({'newos_boot_prompt': 'no'}, 'not skip or keep'),
    )
    @ddt.unpack
    def test_refused(self, metadata, text):
        """Before anything is made, and while devices are named too."""
        instance = fakes.server(metadata=metadata)
        self.metadata[fakes.SERVER] = metadata
        for operation in (
            lambda: self.spawn(instance),
            lambda: self.driver.default_root_device_name(
                instance, fakes.image_meta(), fakes.root_bdm(instance)
            ),
        ):
            with self.assertRaises(virt_exception.Refused) as caught:
                operation()
            self.assertRegex(caught.exception.format_message(), text)
        self.assertEqual([], self.done)
        self.assertEqual([], self.saved)


@ddt.ddt
class ProvenanceTest(driver_base.DriverTestCase):
    @ddt.data(('skipped', True), ('asks', False), (None, False))
    @ddt.unpack
    def test_changed_iso(self, outcome, is_said):
        self.patch(glance, 'digest', return_value='sha512:vendor')
        instance = fakes.server()
        if outcome is not None:
            instance.system_metadata['newos_prompt'] = outcome
        found = snapshot.origin(
            self.context,
            fakes.install_server(instance, media=[fakes.VIRTIO]),
            8002000,
        )
        self.assertEqual('sha512:vendor', found['provenance_iso_hash'])
        change = found.get(f'{provenance.PREFIX}iso_change')
        self.assertIs(is_said, change is not None)
        if is_said:
            self.assertIn('efisys_noprompt.bin', change)
