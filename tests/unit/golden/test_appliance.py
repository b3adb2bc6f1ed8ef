# SPDX-License-Identifier: Apache-2.0

import os
import sys
from unittest import mock

import ddt
import fixtures
from oslo_concurrency import processutils

from nova_newos.golden import appliance
from nova_newos.golden import base as golden_base
from nova_newos.golden import exception
from nova_newos.golden import inspector
from nova_newos.golden import run_limited
from tests.unit import plugins
from tests.unit.golden import base


@ddt.ddt
class RunTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.execute = self.patch(
            mock.patch('oslo_concurrency.processutils.execute')
        )
        self.execute.return_value = ('output', 'noise')
        self.patch(mock.patch('shutil.which', return_value='/usr/bin/it'))
        self.confined = self.patch(
            mock.patch.object(appliance, '_confined_qemu', return_value=None)
        )

        # As long as an operator may have it.
        self.directory = self.useFixture(fixtures.TempDir()).join('d' * 120)
        os.mkdir(self.directory)
        self.disk = golden_base.Disk(f'{self.directory}/copy', 'qcow2')

    def run_tool(self, tool='virt-sysprep', emulate=False, **options):
        made = appliance.Appliance(plugins.make_conf(**options), emulate)
        return made.run(self.disk, tool, '-a', 'b c')

    def environment(self):
        return self.execute.call_args.kwargs['env_variables']

    def assert_fails(self, error, tool='virt-sysprep', **result):
        self.execute.side_effect = processutils.ProcessExecutionError(
            **{'stdout': '', 'stderr': ''} | result
        )
        with self.assertRaises(error) as caught:
            self.run_tool(tool)
        return str(caught.exception)

    def test_is_supervised(self):
        self.patch(mock.patch('time.monotonic', return_value=5))
        self.assertEqual('output', self.run_tool(appliance_timeout=77))
        self.assertEqual(
            (
                sys.executable,
                '-I',
                run_limited.__file__,
                '77.0',
                '3328',
                self.directory,
                'virt-sysprep',
                '-a',
                'b c',
            ),
            self.execute.call_args.args,
        )

    def test_time_is_of_all_runs(self):
        clock = self.patch(mock.patch('time.monotonic', return_value=5))
        made = appliance.Appliance(plugins.make_conf(appliance_timeout=77))
        for now, left in ((10, '72.0'), (81.5, '0.5')):
            clock.return_value = now
            made.run(self.disk, 'virt-sysprep')
            self.assertEqual(left, self.execute.call_args.args[3])
        clock.return_value = 82
        self.execute.reset_mock()
        with self.assertRaises(exception.SealTimedOut):
            made.run(self.disk, 'virt-sysprep')
        self.execute.assert_not_called()

    def test_flood_of_output(self):
        message = self.assert_fails(
            exception.SealFailed, exit_code=run_limited.TOO_LONG
        )
        self.assertIn('too much to say', message)

    def test_environment(self):
        self.run_tool(appliance_memory=300)
        environment = self.environment()
        self.assertEqual('direct', environment['LIBGUESTFS_BACKEND'])
        self.assertEqual('300', environment['LIBGUESTFS_MEMSIZE'])
        self.assertEqual('C', environment['LC_ALL'])
        self.assertEqual('/var/tmp', environment['LIBGUESTFS_CACHEDIR'])
        self.assertNotIn('LIBGUESTFS_BACKEND_SETTINGS', environment)
        self.assertIn('/sbin', environment['PATH'].split(':'))

    def test_keeps_what_the_operator_set(self):
        self.patch(
            mock.patch.dict(
                os.environ,
                {'LIBGUESTFS_CACHEDIR': '/c', 'LIBGUESTFS_PATH': '/p'},
            )
        )
        self.run_tool()
        self.assertEqual('/c', self.environment()['LIBGUESTFS_CACHEDIR'])
        self.assertEqual('/p', self.environment()['LIBGUESTFS_PATH'])

    def test_emulates(self):
        self.run_tool(emulate=True)
        self.assertEqual(
            'force_tcg', self.environment()['LIBGUESTFS_BACKEND_SETTINGS']
        )

    def test_qemu_is_confined(self):
        self.confined.return_value = '/sockets/qemu'
        self.run_tool()
        self.assertEqual('/sockets/qemu', self.environment()['LIBGUESTFS_HV'])

    def test_qemu_that_the_operator_chose(self):
        self.confined.return_value = '/sockets/qemu'
        self.patch(mock.patch.dict(os.environ, {'LIBGUESTFS_HV': '/q'}))
        self.run_tool()
        self.assertEqual('/q', self.environment()['LIBGUESTFS_HV'])

    def test_qemu_that_cannot_be_confined(self):
        self.run_tool()
        self.assertNotIn('LIBGUESTFS_HV', self.environment())

    TEMPORARY = ('HOME', 'TMPDIR', 'LIBGUESTFS_TMPDIR', 'XDG_RUNTIME_DIR')

    def test_temporary_directories_are_removed(self):
        seen = {}

        def execute(*command, env_variables):
            for name in self.TEMPORARY:
                directory = env_variables[name]
                seen[directory] = os.stat(directory).st_mode & 0o777
                with open(os.path.join(directory, 'left'), 'w'):
                    pass
            raise processutils.ProcessExecutionError(stdout='', stderr='')

        self.execute.side_effect = execute
        self.assertRaises(exception.SealFailed, self.run_tool)
        self.assertEqual({0o700}, set(seen.values()))
        self.assertEqual([], [path for path in seen if os.path.exists(path)])
        self.assertEqual([], os.listdir(self.directory))

    def test_what_a_guest_can_fill_is_watched(self):
        """libguestfs puts an inspection's overlay into LIBGUESTFS_TMPDIR."""
        self.run_tool()
        for name in ('HOME', 'TMPDIR', 'LIBGUESTFS_TMPDIR'):
            self.assertEqual(
                self.directory, os.path.dirname(self.environment()[name])
            )

    def test_sockets_have_short_paths(self):
        self.run_tool()
        directory = self.environment()['XDG_RUNTIME_DIR']
        self.assertLess(len(directory), 40)

    @ddt.data(
        ('virt-sysprep', 'guestfs-tools'),
        (appliance.SYSTEM_PYTHON, 'python3-guestfs'),
        ('virt-other', 'virt-other'),
    )
    @ddt.unpack
    def test_not_installed(self, tool, package):
        self.patch(mock.patch('shutil.which', return_value=None))
        with self.assertRaises(exception.ApplianceToolMissing) as caught:
            self.run_tool(tool)
        self.assertIn(f'to install {package}', str(caught.exception))
        self.execute.assert_not_called()

    def test_bindings_not_installed(self):
        message = self.assert_fails(
            exception.ApplianceToolMissing,
            appliance.SYSTEM_PYTHON,
            exit_code=inspector.EX_UNAVAILABLE,
            stderr="No module named 'guestfs'",
        )
        self.assertIn('to install python3-guestfs', message)

    def test_timed_out(self):
        message = self.assert_fails(exception.SealTimedOut, exit_code=124)
        self.assertIn('[newos] appliance_timeout=1800', message)

    def test_no_room(self):
        message = self.assert_fails(
            exception.SealNoRoom, exit_code=run_limited.NO_ROOM
        )
        self.assertIn(self.directory[:78], message)

    @ddt.data(
        ('virt-sysprep: error: no operating systems\n\nIf reporting', 'no op'),
        (
            'supermin: failed to find a suitable kernel\nlibguestfs: error: x',
            'supermin: failed to find a suitable kernel',
        ),
        ('first\nlast \x1b[0m\udcff\n\n', 'last [0m'),
        ('', 'exit status 1'),
    )
    @ddt.unpack
    def test_reason(self, stderr, reason):
        message = self.assert_fails(
            exception.SealFailed, exit_code=1, stderr=stderr
        )
        self.assertIn('virt-sysprep', message)
        self.assertIn(reason, message)
        self.assertTrue(message.isprintable())

    def test_flood_of_messages(self):
        message = self.assert_fails(
            exception.SealFailed, exit_code=1, stderr='error ' * 1000000
        )
        self.assertLessEqual(len(message), 190)


class ConfinedQemuTest(base.TestCase):
    """tests/functional/golden runs it."""

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.qemu = os.path.join(self.directory, 'its qemu')
        with open(self.qemu, 'w'):
            os.utime(self.qemu, (0, 12345))
        self.which = self.patch(
            mock.patch('shutil.which', return_value=self.qemu)
        )

    def test_program(self):
        made = appliance._confined_qemu(self.directory)
        self.assertTrue(os.access(made, os.X_OK))
        # libguestfs asks a program that it does not know, which takes long.
        self.assertEqual(12345, os.stat(made).st_mtime)
        with open(made) as program:
            text = program.read()
        self.assertTrue(text.startswith('#!/bin/sh\n'))
        self.assertIn(f"exec '{self.qemu}' -sandbox", text)
        self.assertIn('spawn=deny', text)

    def test_nothing_can_be_run_there(self):
        flags = mock.Mock(f_flag=os.ST_NOEXEC)
        self.patch(mock.patch('os.statvfs', return_value=flags))
        self.assertIsNone(appliance._confined_qemu(self.directory))

    def test_qemu_of_another_name(self):
        self.which.return_value = None
        self.assertIsNone(appliance._confined_qemu(self.directory))
