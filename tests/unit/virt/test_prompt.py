# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos.virt import prompt
from nova_newos.virt import qemu_img
from tests.unit.iso import samples
from tests.unit.iso import test_prompt
from tests.unit.iso import udf_samples
from tests.unit.virt import disks_base
from tests.unit.virt import fakes

CATALOG = test_prompt.catalog(sectors=1)
WINDOWS = udf_samples.medium(CATALOG)
#: It has no image that does not ask.
ASKING = udf_samples.medium(CATALOG, no_prompt=bytes(2048))
OTHER = samples.medium([samples.primary(), samples.TERMINATOR])


@ddt.ddt
class SkipTest(disks_base.DisksTestCase):
    def setUp(self):
        super().setUp()
        self.storage.content[fakes.ISO] = WINDOWS
        self.write = self.patch(qemu_img, 'write')

    def outcome(self):
        return self.instance.system_metadata.get('newos_prompt')

    def test_overlay(self):
        self.create()
        self.write.assert_called_once_with(
            self.path('disk'),
            'qcow2',
            test_prompt.CHANGE.offset,
            test_prompt.CHANGE.content,
        )
        self.assertEqual('skipped', self.outcome())
        self.assertEqual('skipped', self.saved[-1]['newos_prompt'])
        self.assertTrue(prompt.is_skipped(self.instance))

    def test_copy(self):
        """A host that keeps disks as raw files copies the ISO."""
        self.flags('libvirt', images_type='raw')
        self.create()
        self.assertEqual(
            (self.path('disk'), 'raw'), self.write.mock_calls[0].args[:2]
        )
        self.assertFalse(
            pathlib.Path(self.path('disk')).samefile(self.base(fakes.ISO))
        )

    def test_cache_is_left_alone(self):
        self.create()
        base = pathlib.Path(self.base(fakes.ISO))
        self.assertEqual(WINDOWS, base.read_bytes())

    def test_once(self):
        """What a guest has open is not written to."""
        self.create()
        pathlib.Path(self.base(fakes.ISO)).unlink()
        self.disks().restore_cdroms(fakes.context(), self.server())
        self.write.assert_called_once()

    def test_made_again(self):
        """A guest that runs on another host finds what it had."""
        self.disks().restore_cdroms(
            fakes.context(), self.server(), {'disk': 'qcow2'}
        )
        self.write.assert_called_once()

    @ddt.data(
        ({}, {'newos_boot_prompt': 'keep'}),
        ({'newos_boot_prompt': 'keep'}, {}),
        ({'newos_boot_prompt': 'skip'}, {'newos_boot_prompt': 'keep'}),
    )
    @ddt.unpack
    def test_kept(self, properties, metadata):
        self.instance = fakes.server(
            fakes.image_dict(**properties), metadata=metadata
        )
        self.create()
        self.write.assert_not_called()
        self.assertIsNone(self.outcome())

    @ddt.data(('uefi', True), ('bios', False))
    @ddt.unpack
    def test_nothing_to_boot_instead(self, firmware, is_asked):
        self.storage.content[fakes.ISO] = ASKING
        self.instance = fakes.server(
            fakes.image_dict(hw_firmware_type=firmware)
        )
        self.create()
        self.write.assert_not_called()
        self.assertEqual('asks', self.outcome())
        self.assertIs(is_asked, prompt.is_asked(self.instance))

    def test_failed(self):
        """The server goes on, with a key."""
        self.write.side_effect = processutils.ProcessExecutionError
        self.create()
        self.assertEqual('asks', self.outcome())

    def test_another_iso(self):
        """It takes back what was so before a rebuild."""
        self.storage.content[fakes.ISO] = OTHER
        self.instance.system_metadata['newos_prompt'] = 'skipped'
        self.create()
        self.write.assert_not_called()
        self.assertIsNone(self.outcome())
        self.assertNotIn('newos_prompt', self.saved[-1])


@ddt.ddt
class CheckTest(fakes.TestCase):
    @ddt.data({}, {'newos_boot_prompt': 'keep'}, {'newos_boot_prompt': 'skip'})
    def test_accepted(self, wanted):
        prompt.check(fakes.server(fakes.image_dict(**wanted)))
        prompt.check(fakes.server(metadata=wanted))

    def test_refused(self):
        wanted = {'newos_boot_prompt': 'no'}
        for error, server in (
            (
                exception.PropertyInvalid,
                fakes.server(fakes.image_dict(**wanted)),
            ),
            (exception.MetadataInvalid, fakes.server(metadata=wanted)),
        ):
            with self.assertRaisesRegex(error, "'no' .*skip or keep"):
                prompt.check(server)
