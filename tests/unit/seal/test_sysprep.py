# SPDX-License-Identifier: Apache-2.0

import json
from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.seal import appliance
from nova_newos.seal import sparsify
from nova_newos.seal import sysprep
from tests.unit import plugins
from tests.unit.seal import base

# As virt-sysprep 1.48 prints it, shortened.
LISTED = """\
bash-history * Remove the bash history in the guest
customize * Customize the guest
firewall-rules   Remove the firewall rules
machine-id * Remove the local machine ID
net-hostname * Remove HOSTNAME in network interface configuration
script * Run arbitrary scripts against the guest
ssh-hostkeys * Remove the SSH host keys in the guest
"""

DEBIAN = {
    'other_etc': {},
    'machine_id': {'/etc/machine-id': 33},
    'hostname': {'/etc/hostname': 5},
    'sshd': {'/usr/sbin/sshd': 1000},
    'systemd': {'/lib/systemd/systemd': 1000},
    'key_makers': {},
}


def looked(*types, missing=(), image_state=None, **paths):
    """What a look into a disk prints."""
    found = {'systems': [{'type': name} for name in types]}
    if types == ('windows',):
        found['image_state'] = image_state
    if len(types) == 1:
        found['missing'] = list(missing)
        found['paths'] = DEBIAN | paths
    return json.dumps(found)


class SysprepTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.which = self.patch(
            mock.patch('shutil.which', return_value='/usr/bin/virt-sysprep')
        )
        self.execute = self.patch(
            mock.patch(
                'oslo_concurrency.processutils.execute',
                return_value=(LISTED, ''),
            )
        )

    def sealer(self, *operations):
        return sysprep.SysprepSealer(
            plugins.make_conf(sysprep_operations=list(operations))
        )


@ddt.ddt
class OperationsTest(SysprepTestCase):
    def test_known(self):
        self.sealer('machine-id', 'firewall-rules')
        self.execute.assert_called_once_with(
            'virt-sysprep', '--list-operations'
        )

    @ddt.data(
        (('machine-id', 'shave', 'iron'), 'iron, shave'),
        (('customize',), 'customize'),
        (('script',), 'script'),
    )
    @ddt.unpack
    def test_unusable(self, operations, names):
        with self.assertRaises(exception.SysprepOperationUnknown) as caught:
            self.sealer(*operations)
        self.assertEqual(names, caught.exception.names)

    def test_default_without_what_the_host_does_not_have(self):
        """Distributions differ, and nobody named those."""
        sealer = sysprep.SysprepSealer(plugins.make_conf())
        # Nova's own tests see what is run at the start.
        self.execute.assert_not_called()
        self.which.assert_not_called()
        fake = base.FakeAppliance(looked('linux', sshd={}, hostname={}))
        report = sealer.seal(base.DISK, fake)
        self.assertEqual('4 operations', report)
        self.assertEqual(
            'bash-history,machine-id,net-hostname,ssh-hostkeys',
            fake.commands[1][2][-1],
        )

    def test_default_that_is_named_is_the_operator_s(self):
        named = plugins.make_conf().newos.sysprep_operations
        with self.assertRaises(exception.SysprepOperationUnknown):
            self.sealer(*named)

    def test_without_the_tool_no_name_is_known_to_be_wrong(self):
        self.which.return_value = None
        self.sealer('shave')
        self.assertRaises(
            exception.SysprepOperationUnknown, self.sealer, 'customize'
        )
        self.execute.assert_not_called()

    @ddt.data('Machine-Id', '-machine-id', 'a b', '')
    def test_no_names_at_all(self, name):
        self.assertRaises(ValueError, self.sealer, name)


@ddt.ddt
class SealTest(SysprepTestCase):
    OPERATIONS = ('machine-id', 'net-hostname', 'ssh-hostkeys')

    def seal(self, found, operations=OPERATIONS):
        """The report, and the arguments of virt-sysprep."""
        fake = base.FakeAppliance(found)
        report = self.sealer(*operations).seal(base.DISK, fake)
        self.assertEqual(appliance.SYSTEM_PYTHON, fake.commands[0][1])
        if len(fake.commands) == 1:
            return report, None
        _look, (disk, tool, arguments) = fake.commands
        self.assertEqual((base.DISK, 'virt-sysprep'), (disk, tool))
        return report, arguments

    def test_format_is_named_and_network_off(self):
        _report, arguments = self.seal(looked('linux'))
        self.assertEqual(
            ['--no-network', '--format', 'qcow2', '-a', '/snapshots/x/copy'],
            arguments[:5],
        )

    def test_debian(self):
        report, arguments = self.seal(looked('linux'))
        self.assertEqual('3 operations, host keys made by a unit', report)
        at = arguments.index('--operations')
        self.assertEqual(
            'machine-id,net-hostname,ssh-hostkeys,customize', arguments[at + 1]
        )
        self.assertEqual('--no-selinux-relabel', arguments[at + 2])
        self.assertEqual(
            ['--mkdir', '--write', '--link', '--truncate', '--truncate'],
            arguments[at + 3 :: 2],
        )
        self.assertEqual(
            ['/etc/hostname', '/etc/machine-id'], arguments[-3::2]
        )

    def test_unit(self):
        _report, arguments = self.seal(looked('linux'))
        path, _colon, unit = arguments[
            arguments.index('--write') + 1
        ].partition(':')
        self.assertIn('ExecStart=/usr/bin/ssh-keygen -A', unit)
        self.assertIn(
            f'{path}:/etc/systemd/system/multi-user.target.wants/'
            'newos-host-keys.service',
            arguments,
        )

    @ddt.data(
        {'key_makers': {'/usr/bin/cloud-init': 1}},
        {'sshd': {}},
        {'systemd': {}},
    )
    def test_no_unit_where_it_is_not_needed(self, paths):
        report, arguments = self.seal(looked('linux', **paths))
        self.assertEqual('3 operations', report)
        self.assertNotIn('--write', arguments)
        self.assertEqual(
            ['--truncate', '/etc/hostname', '--truncate', '/etc/machine-id'],
            arguments[-4:],
        )

    def test_nothing_to_customize(self):
        """Then customize, which makes a machine-id, is not done."""
        _report, arguments = self.seal(
            looked('linux', sshd={}, hostname={}, machine_id={})
        )
        self.assertEqual('machine-id,net-hostname,ssh-hostkeys', arguments[-1])

    def test_host_keys_are_kept(self):
        _report, arguments = self.seal(looked('linux'), ['machine-id'])
        self.assertEqual(['--operations', 'machine-id'], arguments[-2:])

    @ddt.data(
        (0, ['/etc/hostname', '/etc/machine-id']), (33, ['/etc/hostname'])
    )
    @ddt.unpack
    def test_machine_id_is_kept_unless_customize_made_it(self, size, paths):
        _report, arguments = self.seal(
            looked('linux', machine_id={'/etc/machine-id': size}),
            ['net-hostname'],
        )
        self.assertEqual(
            paths,
            [
                argument
                for before, argument in zip(
                    arguments, arguments[1:], strict=False
                )
                if before == '--truncate'
            ],
        )

    def test_windows_that_is_generalized(self):
        report, arguments = self.seal(
            looked(
                'windows', image_state='IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE'
            )
        )
        self.assertEqual("generalized by Windows' own Sysprep", report)
        self.assertIsNone(arguments)

    @ddt.data(
        ('IMAGE_STATE_COMPLETE', '(IMAGE_STATE_COMPLETE)'),
        ('IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE', 'SPECIALIZE'),
        ('a\n\x1b' * 1000, 'a a a'),
        ('', '(state unknown)'),
        (None, '(state unknown)'),
    )
    @ddt.unpack
    def test_windows_that_is_not(self, state, told):
        fake = base.FakeAppliance(looked('windows', image_state=state))
        with self.assertRaises(exception.WindowsNotGeneralized) as caught:
            self.sealer().seal(base.DISK, fake)
        message = str(caught.exception)
        self.assertIn(told, message)
        self.assertIn('run its "sysprep /generalize', message)
        self.assertTrue(message.isprintable())
        self.assertEqual(1, len(fake.commands))

    @ddt.data(
        ((), 'no operating system'),
        (('linux', 'linux'), 'more than one operating system'),
        (('windows', 'linux'), 'more than one operating system'),
        (('windows', 'windows'), 'more than one operating system'),
    )
    @ddt.unpack
    def test_not_one_system(self, types, reason):
        self.assert_refused(looked(*types), reason)

    def assert_refused(self, found, reason):
        """With this reason, and before anything was changed."""
        fake = base.FakeAppliance(found)
        with self.assertRaises(exception.SealFailed) as caught:
            self.sealer(*self.OPERATIONS).seal(base.DISK, fake)
        self.assertIn(reason, str(caught.exception))
        self.assertTrue(str(caught.exception).isprintable())
        self.assertEqual(1, len(fake.commands))

    @ddt.data(*DEBIAN)
    def test_could_not_be_looked_for(self, name):
        self.assert_refused(
            looked('linux', **{name: None}), f'cannot be looked for: {name}'
        )

    def test_not_all_of_the_system_could_be_mounted(self):
        self.assert_refused(
            looked('linux', missing=['/etc', '/a\n'], hostname=None),
            '/etc, /a of the guest cannot be mounted',
        )

    def test_other_disks_do_not_matter(self):
        report, _arguments = self.seal(looked('linux', missing=['/data']))
        self.assertIn('3 operations', report)

    def test_etc_that_is_elsewhere(self):
        self.assert_refused(
            looked('linux', other_etc={'/var/lib/overlay/1/etc': 1}),
            'its /etc is an overlay or a deployment',
        )

    def test_failure_gets_out(self):
        error = exception.SealFailed(tool='virt-sysprep', reason='r')
        fake = base.FakeAppliance(looked('linux'), error)
        self.assertRaises(
            exception.SealFailed, self.sealer().seal, base.DISK, fake
        )


class SparsifyTest(base.TestCase):
    def test_in_place_with_the_format_named(self):
        fake = base.FakeAppliance()
        report = sparsify.SparsifySealer(None).seal(base.DISK, fake)
        self.assertEqual('unused blocks discarded', report)
        self.assertEqual(
            [
                (
                    base.DISK,
                    'virt-sparsify',
                    ['--in-place', '--format', 'qcow2', '/snapshots/x/copy'],
                )
            ],
            fake.commands,
        )
