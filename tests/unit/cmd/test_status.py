# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib.metadata
import io
import json
import pathlib
import types
from unittest import mock

import ddt
import fixtures
from oslo_upgradecheck import upgradecheck
from packaging import specifiers

from nova_newos.cmd import status
from tests.unit import base
from tests.unit.golden import signed

READY = """
[DEFAULT]
compute_driver = newos.NewosLibvirtDriver

[newos]
virtio_image_id = 4d2f1a1c-2a63-4f0c-9a63-5b5c2a2f7f63
"""

SUCCESS = upgradecheck.Code.SUCCESS
WARNING = upgradecheck.Code.WARNING
FAILURE = upgradecheck.Code.FAILURE


class FakeConnection:
    """What the check reads of a libvirt.virConnect."""

    def __init__(self, libvirt=9_000_000, qemu=6_002_000, hypervisor='QEMU'):
        self.getType = lambda: hypervisor
        self.getLibVersion = lambda: libvirt
        self.getVersion = lambda: qemu
        self.closed = False

    def close(self):
        self.closed = True


@ddt.ddt
class StatusTest(base.TestCase):
    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.config_file = root / 'nova.conf'
        self.nova = self._patch(importlib.metadata, 'version', '34.0.0')
        self._patch(
            status, 'supported_nova', specifiers.SpecifierSet('>=31.0.0,<35')
        )
        self.import_class = self._patch(
            status.importutils, 'import_class', object
        )
        self.open_libvirt = self._patch(
            status, '_open_libvirt', FakeConnection()
        )
        self._patch(status.media, 'Media')
        self._patch(
            status.sealers,
            'Sealers',
            types.SimpleNamespace(enabled=['sysprep']),
        )
        self.missing = {}
        self._patch(status.appliance, 'missing_tools', self.missing)

    def _patch(self, where, name, value=None):
        return self.useFixture(
            fixtures.MockPatchObject(where, name, return_value=value)
        ).mock

    def _run(self, config=READY):
        """Run the command; returns its exit code and the checks by name."""
        self.config_file.write_text(config)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = status.main(
                [
                    '--config-file',
                    str(self.config_file),
                    'upgrade',
                    'check',
                    '--json',
                ]
            )
        return code, {
            check['check']: check
            for check in json.loads(out.getvalue())['checks']
        }

    def assertOnly(self, name, result, says, config=READY):
        """One check has a finding, and the exit code is its."""
        code, checks = self._run(config)
        self.assertEqual(result, code)
        self.assertEqual(
            {name},
            {check for check in checks if checks[check]['result'] != SUCCESS},
        )
        self.assertIn(says, checks[name]['details'])

    def test_ready(self):
        code, checks = self._run()
        self.assertEqual(0, code)
        self.assertEqual(9, len(checks))
        self.assertTrue(self.open_libvirt.return_value.closed)
        self.open_libvirt.assert_called_once_with('qemu:///system')

    @ddt.data('30.2.0', '35.0.0')
    def test_other_nova(self, version):
        self.nova.return_value = version
        self.assertOnly('Nova release', FAILURE, version)

    @ddt.data('31.3.0', '32.2.0', '34.0.1.dev7')
    def test_supported_nova(self, version):
        self.nova.return_value = version
        self.assertEqual(0, self._run()[0])

    @ddt.data('31.0.0', '31.2.0', '32.0.0', '32.1.0')
    def test_nova_that_loses_uefi_variables(self, version):
        self.nova.return_value = version
        self.assertOnly('Nova release', WARNING, 'UEFI variables')

    def test_no_nova(self):
        self.nova.side_effect = importlib.metadata.PackageNotFoundError
        self.assertOnly('Nova release', FAILURE, 'not installed')

    def test_not_linked(self):
        self.import_class.side_effect = ModuleNotFoundError(
            name='nova.virt.newos'
        )
        self.assertOnly('Driver importable', FAILURE, 'nova-newos-link-driver')

    def test_missing_dependency(self):
        self.import_class.side_effect = ModuleNotFoundError(
            "No module named 'libvirt'", name='libvirt'
        )
        self.assertOnly('Driver importable', FAILURE, 'libvirt')

    def test_broken_driver(self):
        self.import_class.side_effect = AttributeError('went away')
        self.assertOnly('Driver importable', FAILURE, 'went away')

    @ddt.data('compute_driver = libvirt.LibvirtDriver', '')
    def test_other_driver_configured(self, line):
        self.assertOnly(
            'Driver configured',
            WARNING,
            'compute_driver',
            config=f'[DEFAULT]\n{line}\n',
        )

    def test_option_of_wrong_type(self):
        self.assertOnly(
            'Options of [newos]',
            FAILURE,
            'root_disk_size',
            config=READY + 'root_disk_size = 0\n',
        )

    @ddt.data('virtio.iso', '4d2f1a1c2a634f0c9a635b5c2a2f7f63')
    def test_malformed_virtio_image_id(self, value):
        self.assertOnly(
            'Driver ISO',
            FAILURE,
            value,
            config=f'{READY.rpartition("virtio")[0]}virtio_image_id={value}',
        )

    @ddt.data('', 'virtio_image_id =', 'virtio_image_id = None')
    def test_no_virtio_image(self, line):
        self.assertEqual(
            0, self._run(f'{READY.rpartition("virtio")[0]}\n{line}\n')[0]
        )

    def test_unknown_medium(self):
        status.media.Media.side_effect = status.exception.MediumLoadError(
            name='floppy', entry_point='floppy', reason='gone'
        )
        self.assertOnly('Media plug-ins', FAILURE, 'floppy')

    def test_unknown_sealer(self):
        errors = status.golden_exception
        status.sealers.Sealers.side_effect = errors.SealerLoadError(
            name='wax', entry_point='wax', reason='gone'
        )
        self.assertOnly('Sealers', FAILURE, 'wax')

    def test_tool_that_is_not_installed(self):
        self.missing['virt-sysprep'] = 'guestfs-tools'
        self.assertOnly('Sealers', WARNING, 'package guestfs-tools')

    @ddt.data(('require', FAILURE), ('never', None))
    @ddt.unpack
    def test_tool_as_the_operator_needs_it(self, policy, code):
        self.missing['virt-sysprep'] = 'guestfs-tools'
        config = f'{READY}[newos]\nseal = {policy}\n'
        if code is None:
            self.assertEqual(0, self._run(config)[0])
        else:
            self.assertOnly('Sealers', code, 'guestfs-tools', config)

    def test_no_sealers(self):
        """Then no tool is needed."""
        self.missing['virt-sysprep'] = 'guestfs-tools'
        status.sealers.Sealers.return_value.enabled = []
        self.assertEqual(0, self._run()[0])

    def test_signing_key(self):
        path = signed.write(
            self.config_file.parent,
            'key.pem',
            signed.private_pem(signed.key()),
        )
        config = f'{READY}signing_key = {path}\n'
        code, found = self._run(config)
        self.assertEqual(0, code)
        self.assertRegex(found['Signing key']['details'], '^[0-9a-f]{64}$')
        path.chmod(0o644)
        self.assertOnly('Signing key', FAILURE, '0644', config)

    def test_libvirt_does_not_answer(self):
        self.open_libvirt.side_effect = OSError('no socket')
        self.assertOnly('libvirt and QEMU', WARNING, 'no socket')

    def test_no_libvirt_python(self):
        self.open_libvirt.side_effect = ImportError("No module 'libvirt'")
        self.assertOnly('libvirt and QEMU', FAILURE, 'nova-newos[compute]')

    @ddt.data(
        ({'libvirt': 8_009_000}, 'libvirt 8.9.0'),
        ({'qemu': 6_001_050}, 'QEMU 6.1.50'),
        ({'hypervisor': 'TEST'}, 'TEST'),
    )
    @ddt.unpack
    def test_unsuitable_hypervisor(self, found, says):
        connection = FakeConnection(**found)
        self.open_libvirt.return_value = connection
        self.assertOnly('libvirt and QEMU', FAILURE, says)
        self.assertTrue(connection.closed)

    def test_configured_uri_is_asked(self):
        self._run(READY + '[libvirt]\nconnection_uri = qemu+unix:///x\n')
        self.open_libvirt.assert_called_once_with('qemu+unix:///x')


class SupportedNovaTest(base.TestCase):
    def test_bounds_come_from_the_distribution(self):
        lines = ['pbr>=6', "nova<35,>=31.0.0; extra == 'compute'"]
        with mock.patch.object(
            importlib.metadata, 'requires', return_value=lines
        ):
            found = status.supported_nova()
        self.assertIn('34.0.0', found)
        self.assertNotIn('35.0.0', found)
