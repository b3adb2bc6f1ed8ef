# SPDX-License-Identifier: Apache-2.0

import fnmatch
import json
import re
from unittest import mock

import ddt

from nova_newos.golden import appliance
from nova_newos.golden import exception
from nova_newos.golden import sysprep
from tests.unit import plugins
from tests.unit.golden import base

# As virt-sysprep 1.48 prints it, shortened.
LISTED = """\
bash-history * Remove the bash history in the guest
customize * Customize the guest
firewall-rules   Remove the firewall rules
machine-id * Remove the local machine ID
mail-spool * Remove email from the local mail spool directory
net-hostname * Remove HOSTNAME in network interface configuration
script * Run arbitrary scripts against the guest
ssh-hostkeys * Remove the SSH host keys in the guest
"""

DEBIAN = {
    'other_etc': {},
    'hostname': {'/etc/hostname': 5},
    'sshd': {'/usr/sbin/sshd': 1000},
    'systemd': {'/lib/systemd/systemd': 1000},
    'key_makers': {},
}


def findings(*types, missing=(), image_state=None, edited=(), **paths):
    """What the last boot tells the sealer."""
    found = {'systems': [{'type': name} for name in types]}
    if types == ('windows',):
        found['image_state'] = image_state
    if len(types) == 1:
        found['missing'] = list(missing)
        found['paths'] = DEBIAN | paths
        found['edited'] = list(edited)
    return found


def answer(*types, **options):
    """The same as the appliance prints it."""
    found = findings(*types, **options)
    asked = {
        name: found.pop(name) for name in ('paths', 'edited') if name in found
    }
    return json.dumps(found | {'asked': {'sysprep': asked}})


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
        fake = base.FakeAppliance()
        last_boot = sealer.seal(base.DISK, fake)
        self.assertEqual('5 operations', last_boot.report(findings('linux')))
        self.assertEqual(
            'bash-history,machine-id,net-hostname,ssh-hostkeys',
            fake.commands[0][2][-1],
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
    UNIT = '/etc/systemd/system/newos-host-keys.service'
    FAILED = exception.SealFailed(tool='virt-sysprep', reason='r')

    def seal(self, *operations, outputs=()):
        """What is left for the last boot, and what was run."""
        fake = base.FakeAppliance(*outputs)
        sealer = self.sealer(*(operations or self.OPERATIONS))
        return sealer.seal(base.DISK, fake), fake.commands

    def edits(self, *operations):
        """Those that hang on operations, by path."""
        last_boot, _commands = self.seal(*operations)
        return {
            edit.path: edit
            for edit in last_boot.edits
            if 'random-seed' not in edit.path
        }

    def test_random_seed(self):
        """All servers from the image would begin with the same."""
        last_boot, _commands = self.seal('machine-id')
        self.assertEqual(
            {
                '/var/lib/systemd/random-seed',
                '/var/lib/random-seed',
                '/var/lib/urandom/random-seed',
            },
            {edit.path for edit in last_boot.edits if edit.content is None},
        )

    def test_format_is_named_and_network_off(self):
        _last_boot, [(disk, tool, arguments)] = self.seal()
        self.assertEqual((base.DISK, 'virt-sysprep'), (disk, tool))
        self.assertEqual(
            [
                *('--no-network', '--format', 'qcow2'),
                *('-a', '/snapshots/x/copy', '--operations'),
                'machine-id,net-hostname,ssh-hostkeys',
            ],
            arguments,
        )

    def unit_edits(self):
        last_boot, _commands = self.seal()
        return [e for e in last_boot.edits if e.path == self.UNIT]

    def test_unit(self):
        edit, _beside = self.unit_edits()
        self.assertIn('ExecStart=/usr/bin/ssh-keygen -A', edit.content)
        self.assertEqual(
            '/etc/systemd/system/multi-user.target.wants/'
            'newos-host-keys.service',
            edit.link,
        )

    def test_unit_only_where_it_is_needed(self):
        edit, beside = self.unit_edits()
        self.assertEqual(['sshd', 'systemd'], edit.if_found)
        self.assertEqual(['key_makers'], edit.unless_found)
        self.assertEqual(
            ['sshd', 'systemd', 'key_makers', 'key_makers_held_back'],
            beside.if_found,
        )
        self.assertEqual([], beside.unless_found)
        self.assertEqual(
            (edit.content, edit.link), (beside.content, beside.link)
        )
        last_boot, _commands = self.seal()
        self.assertLessEqual(
            {*beside.if_found, *edit.unless_found}, set(last_boot.patterns)
        )

    def test_unit_waits_for_who_else_may_make_keys(self):
        edit, _beside = self.unit_edits()
        after = ' '.join(re.findall('(?m)^After=(.*)$', edit.content))
        self.assertLessEqual(
            {
                'cloud-init.service',
                'cloud-init-network.service',
                'sshd-keygen.target',
            },
            set(after.split()),
        )

    def is_pattern_of(self, name, path):
        last_boot, _commands = self.seal()
        return any(
            fnmatch.fnmatchcase(path, pattern)
            for pattern in last_boot.patterns[name]
        )

    def test_cloud_init_holds_back_who_makes_keys(self):
        """The drop-in of cloud-init's package on Fedora and Red Hat."""
        path = (
            '/usr/lib/systemd/system/sshd-keygen@.service.d/'
            'disable-sshd-keygen-if-cloud-init-active.conf'
        )
        self.assertTrue(self.is_pattern_of('key_makers_held_back', path))
        self.assertFalse(self.is_pattern_of('key_makers', path))

    @ddt.data(
        # bookworm, trixie: both make keys when the package is installed.
        (['ssh.service', 'ssh@.service'], False),
        (['ssh.service', 'sshd-keygen.service'], False),
        # EL 9 and Fedora.
        (['sshd.service', 'sshd-keygen@.service'], True),
        (['sshd.service', 'sshd-keygen.target'], True),
        (['sshd.service', 'sshdgenkeys.service'], True),
    )
    @ddt.unpack
    def test_who_makes_keys(self, units, expected):
        last_boot, _commands = self.seal()
        paths = [f'/usr/lib/systemd/system/{unit}' for unit in units]
        self.assertIs(
            expected,
            any(
                fnmatch.fnmatchcase(path, pattern)
                for path in paths
                for pattern in last_boot.patterns['key_makers']
            ),
        )

    def test_hostname(self):
        edit = self.edits()['/etc/hostname']
        self.assertEqual(('', ['hostname']), (edit.content, edit.if_found))

    def test_only_what_the_operations_ask_for(self):
        self.assertEqual({}, self.edits('machine-id'))
        self.assertEqual([self.UNIT], list(self.edits('ssh-hostkeys')))
        self.assertEqual(['/etc/hostname'], list(self.edits('net-hostname')))

    def test_mail_spool_of_windows_is_left_alone(self):
        """virt-sysprep would not ask which system it is."""
        _last_boot, [(_disk, _tool, arguments)] = self.seal(
            'machine-id', 'mail-spool'
        )
        self.assertEqual('machine-id', arguments[-1])
        self.assertEqual(
            {'/var/spool/mail/*': None, '/var/mail/*': None},
            {
                path: edit.content
                for path, edit in self.edits(
                    'machine-id', 'mail-spool'
                ).items()
            },
        )

    def test_nothing_left_for_the_tool(self):
        last_boot, commands = self.seal('mail-spool')
        self.assertEqual([], commands)
        self.assertEqual('1 operations', last_boot.report(findings('linux')))

    def report(self, found):
        last_boot, _commands = self.seal()
        return last_boot.report(found)

    def test_report(self):
        self.assertEqual('3 operations', self.report(findings('linux')))
        self.assertEqual(
            '3 operations, host keys made by a unit',
            self.report(
                findings('linux', edited=['/etc/hostname', self.UNIT])
            ),
        )

    @ddt.data(
        ({}, {}, ''),
        ({'/@/1/k': 1}, {}, ', left in btrfs snapshots: host keys'),
        (
            {'/@/1/k': 1},
            {'/@/1/m': 33},
            ', left in btrfs snapshots: host keys, machine-id',
        ),
        (None, {}, ', in btrfs snapshots unknown'),
    )
    @ddt.unpack
    def test_snapshots(self, keys, ids, told):
        snapshots = {'host_keys': keys, 'machine_id': ids}
        self.assertEqual(
            f'3 operations{told}',
            self.report(findings('linux') | {'snapshots': snapshots}),
        )

    def test_windows_that_is_generalized(self):
        found = findings(
            'windows', image_state='IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE'
        )
        self.assertEqual(
            "generalized by Windows' own Sysprep", self.report(found)
        )

    @ddt.data(
        ('IMAGE_STATE_COMPLETE', '(IMAGE_STATE_COMPLETE)'),
        ('IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE', 'SPECIALIZE'),
        ('a\n\x1b' * 1000, 'a a a'),
        ('', '(state unknown)'),
        (None, '(state unknown)'),
    )
    @ddt.unpack
    def test_windows_that_is_not(self, state, told):
        with self.assertRaises(exception.WindowsNotGeneralized) as caught:
            self.report(findings('windows', image_state=state))
        message = str(caught.exception)
        self.assertIn(told, message)
        self.assertIn('run its "sysprep /generalize', message)
        self.assertTrue(message.isprintable())

    @ddt.data(
        ((), 'no operating system'),
        (('linux', 'linux'), 'more than one operating system'),
        (('windows', 'linux'), 'more than one operating system'),
        (('windows', 'windows'), 'more than one operating system'),
    )
    @ddt.unpack
    def test_not_one_system(self, types, reason):
        self.assert_refused(reason, *types)

    def assert_refused(
        self, reason, *types, error=exception.SealFailed, **options
    ):
        """With this reason, whether virt-sysprep could work on it or not."""
        with self.assertRaises(error) as caught:
            self.report(findings(*types, **options))
        self.assertIn(reason, str(caught.exception))
        self.assertTrue(str(caught.exception).isprintable())
        with self.assertRaises(error) as again:
            self.seal(outputs=[self.FAILED, answer(*types, **options)])
        self.assertEqual(str(caught.exception), str(again.exception))

    @ddt.data(*DEBIAN)
    def test_could_not_be_looked_for(self, name):
        self.assert_refused(
            f'cannot be looked for: {name}', 'linux', **{name: None}
        )

    MISSING = {
        'point': '/boot/efi\n',
        'device': '/dev/sda1',
        'reason': 'mount: mount exited with status 32: mount: '
        "/sysroot/boot/efi: unknown filesystem type 'vfat'.",
        'host': True,
        'hides': '/',
    }

    @ddt.data(
        (True, exception.GuestFileSystemUnsupported, 'by the host'),
        (False, exception.GuestFileSystemBroken, 'mounted'),
    )
    @ddt.unpack
    def test_not_all_of_the_system_could_be_mounted(self, host, error, who):
        """It is named, and who is to repair it."""
        other = self.MISSING | {'point': '/etc', 'hides': '/etc'}
        self.assert_refused(
            f'/boot/efi of the guest (/dev/sda1) cannot be mounted{who[7:]}: '
            if not host
            else f'(/dev/sda1) cannot be mounted {who}: '
            "unknown filesystem type 'vfat'.;",
            'linux',
            error=error,
            missing=[other, self.MISSING | {'host': host}],
            hostname=None,
        )

    def test_not_mounted_for_reasons_of_its_own(self):
        missing = self.MISSING | {
            'device': None,
            'reason': 'mount points are not known',
        }
        self.assert_refused(
            '(device unknown) cannot be mounted by the host: mount po',
            'linux',
            error=exception.GuestFileSystemUnsupported,
            missing=[missing],
            hostname=None,
        )

    def test_other_disks_do_not_matter(self):
        self.assertIn(
            '3 operations',
            self.report(findings('linux', missing=[self.MISSING])),
        )

    def test_crowd(self):
        with self.assertRaisesRegex(exception.SealFailed, '48 partitions'):
            self.report({'systems': [], 'crowded': True})

    def test_etc_that_is_elsewhere(self):
        self.assert_refused(
            'its /etc is an overlay or a deployment',
            'linux',
            other_etc={'/var/lib/overlay/1/etc': 1},
        )

    def test_failure_gets_out(self):
        """Also if nothing is wrong with the guest, or nobody can tell."""
        for last in (
            answer('linux'),
            exception.SealFailed(tool='x', reason='y'),
        ):
            with self.assertRaises(exception.SealFailed) as caught:
                self.seal(outputs=[self.FAILED, last])
            self.assertIs(self.FAILED, caught.exception)

    def test_explanation_is_inspected_for_only(self):
        fake = base.FakeAppliance(self.FAILED, answer('linux'))
        with self.assertRaises(exception.SealFailed):
            self.sealer('machine-id').seal(base.DISK, fake)
        _disk, tool, arguments = fake.commands[1]
        self.assertEqual(appliance.SYSTEM_PYTHON, tool)
        self.assertIs(False, json.loads(arguments[-1])['write'])

    def test_time_is_over(self):
        """There is none for an explanation either."""
        error = exception.SealTimedOut(tool='virt-sysprep', reason='r')
        fake = base.FakeAppliance(error)
        with self.assertRaises(exception.SealTimedOut):
            self.sealer('machine-id').seal(base.DISK, fake)
        self.assertEqual(1, len(fake.commands))

    def test_windows_does_not_need_the_tool(self):
        windows = answer(
            'windows', image_state='IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE'
        )
        last_boot, commands = self.seal(outputs=[self.FAILED, windows])
        self.assertEqual(2, len(commands))
        self.assertIn(self.UNIT, [edit.path for edit in last_boot.edits])
