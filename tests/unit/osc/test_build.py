# SPDX-License-Identifier: Apache-2.0

import argparse
import datetime
import io
import itertools
import json
import pathlib
from unittest import mock

import ddt
import fixtures
from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

from nova_newos.build import engine
from nova_newos.osc import build
from nova_newos.osc import plugin
from tests.unit.build import base
from tests.unit.build import cloud as fake_cloud
from tests.unit.build import test_iso_file


class BuildTestCase(base.BuildTestCase):
    def setUp(self):
        super().setUp()
        self.patch_cloud()
        self.said = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))
        # Time passes, and the cloud goes on.
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.time.sleep', lambda _s: self.happen()
            )
        )

    def patch_cloud(self):
        cloud = self.cloud
        found = fake_cloud.Thing(id='f')
        cloud.compute.find_flavor = mock.Mock(return_value=found)
        cloud.image.find_image = mock.Mock(return_value=self.iso)
        cloud.network = mock.Mock()
        cloud.network.find_network.return_value = fake_cloud.Thing(id='n')

    def app(self):
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        return app

    def run_command(self, kind, *arguments):
        """Columns and values, as a dict."""
        command = kind(self.app(), None)
        parsed = command.get_parser('openstack').parse_args(arguments)
        return command.take_action(parsed)


@ddt.ddt
class BuildTest(BuildTestCase):
    def create(self, *more):
        names, values = self.run_command(
            build.CreateBuild, 'debian', '--iso=i', '--flavor=f', *more
        )
        return dict(zip(names, values, strict=True))

    def test_create_and_wait(self):
        shown = self.create('--wait')
        self.assertEqual('done', shown['phase'])
        self.assert_golden()
        for phase in ('install', 'capture', 'test', 'publish', 'clean'):
            self.assertIn(f'] {phase}: ', self.said.getvalue())

    def test_create_then_wait(self):
        build_id = self.create()['id']
        names, rows = self.run_command(build.ListBuild)
        self.assertEqual(
            [(build_id, 'debian', 'install')],
            [(row[0], row[1], row[3]) for row in rows],
        )
        names, values = self.run_command(build.WaitBuild, build_id)
        self.assertIn('done', values)
        self.assert_golden()

    def test_no_iso_of_its_own_to_keep(self):
        with self.assertRaisesRegex(exceptions.CommandError, '--iso-file'):
            self.create('--keep-iso')
        self.assertEqual([], self.cloud.requests)

    def test_list_with_a_broken_one(self):
        """It is told, and can be cancelled."""
        broken = self.create()['id']
        self.happen()
        self.happen()
        self.run_command(build.ListBuild)
        server = self.cloud.server('install')
        server.status = 'ERROR'
        server.metadata.pop('golden_flavor')
        other = self.create()['id']
        _names, rows = self.run_command(build.ListBuild)
        self.assertEqual(
            [(broken, 'unknown'), (other, 'install')],
            [(row[0], row[3]) for row in rows],
        )
        self.run_command(build.CancelBuild, broken)
        _names, rows = self.run_command(build.ListBuild)
        self.assertEqual([other], [row[0] for row in rows])

    def test_said_once(self):
        """Nobody wants to read the same line every three seconds."""
        self.create('--wait')
        lines = [line[10:] for line in self.said.getvalue().splitlines()]
        self.assertEqual(len(set(lines)), len(lines))

    def test_options(self):
        self.create(
            '--network=net',
            '--boot-test=^up',
            '--keep-failed',
            '--property=newos_seal=true',
            '--property=newos_finish=reboot',
        )
        [server] = self.cloud.servers.values()
        self.assertEqual([{'uuid': 'n'}], server.fields['networks'])
        wanted = {
            'golden_boot_test': '^up',
            'golden_keep_failed': 'true',
            'newos_seal': 'true',
            'newos_finish': 'reboot',
        }
        self.assertLessEqual(wanted.items(), server.metadata.items())

    def test_failed(self):
        self.cloud.consoles['test'] = 'one\nKernel panic'
        build_id = self.create()['id']
        happen = self.happen

        def power_off():
            happen()
            server = self.cloud.server('test')
            if server is not None:
                server.status = 'SHUTOFF'

        self.happen = power_off
        self.run_command(build.WaitBuild, build_id)
        self.assertRegex(
            self.said.getvalue(),
            '(?s)has failed after .*test: .*powered off.*ended with\n.*panic',
        )
        self.assert_nothing_left()

    def test_interrupted(self):
        build_id = self.create()['id']
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.time.sleep',
                mock.Mock(side_effect=KeyboardInterrupt),
            )
        )
        with self.assertRaisesRegex(
            exceptions.CommandError, f'golden build wait {build_id}'
        ):
            self.run_command(build.WaitBuild, build_id)
        self.assertEqual(1, len(self.cloud.servers))

    def test_show_and_cancel(self):
        build_id = self.create()['id']
        names, values = self.run_command(build.ShowBuild, build_id)
        self.assertEqual((build_id, 'debian', 'install'), values[:3])
        self.run_command(build.CancelBuild, build_id)
        self.assert_nothing_left()

    def test_stall(self):
        """Said while it lasts, with what the guest asks."""
        self.cloud.consoles['install'] = 'Booting\nPress any key\n\n'
        build_id = self.create()['id']
        passed = iter(range(0, 10000, 100))
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.progress.time.monotonic', lambda: next(passed)
            )
        )
        happen = self.happen

        def dawdle():
            happen()
            server = self.cloud.server('install')
            if server is not None and next(passed) < 2000:
                server.status = 'ACTIVE'

        self.happen = dawdle
        self.run_command(build.WaitBuild, build_id)
        self.assertRegex(
            self.said.getvalue(), "shown 'Press any key' for [1-9]+ min"
        )

    @ddt.data(
        sdk_exceptions.HttpException('gone', http_status=503),
        keystone_exceptions.ConnectFailure('refused'),
    )
    def test_cloud_does_not_answer(self, error):
        build_id = self.create()['id']
        answer = engine.advance
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.engine.advance',
                mock.Mock(
                    side_effect=itertools.chain(
                        [error],
                        iter(lambda: answer(self.cloud, build_id), None),
                    )
                ),
            )
        )
        self.run_command(build.WaitBuild, build_id)
        self.assert_golden()
        self.assertIn('trying again', self.said.getvalue())

    def test_cloud_refuses(self):
        build_id = self.create()['id']
        error = sdk_exceptions.ForbiddenException('no', http_status=403)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.engine.advance',
                mock.Mock(side_effect=error),
            )
        )
        with self.assertRaises(sdk_exceptions.ForbiddenException):
            self.run_command(build.WaitBuild, build_id)

    def test_prune(self):
        old = self.create()['id']
        new = self.create()['id']
        for server in self.cloud.servers.values():
            if new in server.tags[1]:
                server.created_at = '2026-01-03T00:00:00Z'
        self.now = datetime.datetime(2026, 1, 3)
        dry = self.run_command(
            build.PruneBuild, '--older-than=24', '--dry-run'
        )
        self.assertEqual(2, len(self.cloud.servers))
        self.assertEqual(
            dry, self.run_command(build.PruneBuild, '--older-than=24')
        )
        self.assertEqual([old], [row[0] for row in dry[1]])
        _names, rows = self.run_command(build.ListBuild)
        self.assertEqual([new], [row[0] for row in rows])

    def test_prune_what_the_install_server_left(self):
        """Somebody has deleted that, and the rest is hidden."""
        build_id = self.create()['id']
        self.cloud.servers.clear()
        self.cloud.add_image(
            tags=['golden-build', f'golden-build-{build_id}'],
            name=f'golden-build-{build_id}',
            is_hidden=True,
        )
        self.now = datetime.datetime(2026, 1, 3)
        self.run_command(build.PruneBuild, '--older-than=1')
        self.assert_nothing_left()

    def test_our_errors(self):
        """In a line, as the client's own."""
        app = mock.Mock()
        app.client_manager.golden = self.cloud
        command = build.ShowBuild(app, None)
        with self.assertRaisesRegex(
            exceptions.CommandError, 'there is no build x'
        ):
            command.run(command.get_parser('openstack').parse_args(['x']))

    def test_exit_status(self):
        """What a script asks, whatever the format is."""
        self.cloud.consoles['test'] = 'one\nKernel panic'
        build_id = self.create('--keep-failed')['id']
        happen = self.happen

        def power_off():
            happen()
            server = self.cloud.server('test')
            if server is not None:
                server.status = 'SHUTOFF'

        self.happen = power_off
        command = build.WaitBuild(self.app(), None)
        parsed = command.get_parser('openstack').parse_args(
            [build_id, '--format=json']
        )
        command.app.stdout = io.StringIO()
        self.assertEqual(1, command.run(parsed))
        shown = json.loads(command.app.stdout.getvalue())
        self.assertEqual(['one', 'Kernel panic'], shown['console'])
        self.assertEqual('test', shown['failed_in'])
        self.assertEqual(2, shown['seconds'] // 100)
        self.cloud.consoles['test'] = base.LOGIN
        self.happen = happen
        names, values = self.run_command(build.ResumeBuild, build_id, '--wait')
        self.assertIn('done', values)
        self.assert_golden()

    def test_resume_without_waiting(self):
        build_id = self.create('--keep-failed')['id']
        self.cloud.server('install').status = 'ERROR'
        self.run_command(build.WaitBuild, build_id)
        names, values = self.run_command(build.ResumeBuild, build_id)
        self.assertEqual('install', values[2])

    def test_control_characters(self):
        """Of names and consoles, which others have written."""
        evil = 'a\x1b[2Jb\u202ec\x9bd'
        self.cloud.consoles['test'] = f'{evil}\n'
        build_id = self.create('--keep-failed')['id']
        server = self.cloud.server('install')
        server.metadata['golden_name'] = evil
        server.status, server.fault = 'ERROR', {'message': evil}
        shown = [
            self.run_command(build.WaitBuild, build_id),
            self.run_command(build.ShowBuild, build_id),
            self.run_command(build.ListBuild),
            self.run_command(build.PruneBuild, '--older-than=0', '--dry-run'),
        ]
        server.metadata['golden_failed'] = f'test: {evil}'
        shown.append(self.run_command(build.ShowBuild, build_id))
        text = f'{shown}{self.said.getvalue()}'
        for control in '\x1b\u202e\x9b':
            self.assertNotIn(control, text)
        self.assertIn('x1b[2Jb', text)

    def test_console_column(self):
        column = build._Console(('one', '\x1b[2Jtwo'))
        self.assertEqual('one\n\\x1b[2Jtwo', column.human_readable())
        # JSON has its own way to write them.
        self.assertEqual(['one', '\x1b[2Jtwo'], column.machine_readable())

    @ddt.data('-1', 'nan', 'inf', 'x')
    def test_limit(self, minutes):
        with self.assertRaises(SystemExit):
            self.create(f'--test-limit={minutes}')

    def test_no_such_image(self):
        self.cloud.image.find_image.return_value = None
        with self.assertRaisesRegex(
            exceptions.CommandError, f'use --iso-file {__file__}'
        ):
            self.run_command(
                build.CreateBuild, 'x', f'--iso={__file__}', '--flavor=f'
            )
        with self.assertRaisesRegex(exceptions.CommandError, "'i'$"):
            self.create()
        self.assertEqual([], self.cloud.requests)


class FromFileTest(BuildTestCase):
    def setUp(self):
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(directory) / 'small.iso'
        self.path.write_bytes(test_iso_file.bootable())

    def create(self, *more):
        names, values = self.run_command(
            build.CreateBuild,
            'debian',
            f'--iso-file={self.path}',
            '--flavor=f',
            *more,
        )
        return dict(zip(names, values, strict=True))

    def test_file(self):
        shown = self.create('--wait')
        self.assertEqual('done', shown['phase'])
        self.assert_golden()
        self.assertIn('upload: small.iso, 0 of 0 MiB', self.said.getvalue())

    def test_cloud_does_not_answer(self):
        """The upload is done again, and what is left of it goes."""
        upload = self.cloud.image.create_image
        error = sdk_exceptions.HttpException('gone', http_status=503)

        def fail(**fields):
            self.cloud.image.create_image = upload
            self.cloud.add_image(
                disk_format='iso',
                status='queued',
                is_hidden=True,
                tags=fields['tags'],
            )
            raise error

        self.cloud.image.create_image = lambda name, **fields: fail(**fields)
        self.create('--wait')
        self.assertIn('trying again: gone', self.said.getvalue())
        self.assert_golden()

    def test_refused(self):
        """Nothing stays of what was uploaded."""
        error = sdk_exceptions.ForbiddenException('Quota exceeded')
        error.status_code = 403
        self.cloud.compute.create_server = mock.Mock(side_effect=error)
        with self.assertRaises(sdk_exceptions.ForbiddenException):
            self.create()
        self.assert_nothing_left()

    def test_interrupted(self):
        self.cloud.compute.create_server = mock.Mock(
            side_effect=KeyboardInterrupt
        )
        with self.assertRaises(KeyboardInterrupt):
            self.create()
        self.assert_nothing_left()

    def test_orphan(self):
        """Waited for as long as its client may need, and then said."""
        self.cloud.kill_after = 2
        cancel = mock.Mock()
        with fixtures.MonkeyPatch(
            'nova_newos.osc.build.engine.cancel', cancel
        ):
            self.assertRaises(fake_cloud.Killed, self.create)
        self.cloud.kill_after = None
        [image] = [i for i in self.cloud.images.values() if i is not self.iso]
        image.status = 'queued'
        build_id = image.tags[1].removeprefix('golden-build-')
        passed = itertools.count(0, 20)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.osc.build.time.monotonic', lambda: next(passed)
            )
        )
        # Nobody uploads it.
        self.happen = lambda: None
        with self.assertRaisesRegex(
            exceptions.CommandError, 'cancel the build'
        ):
            self.run_command(build.WaitBuild, build_id)
        self.iso = image
        self.create()
        self.assertIn(f'cancel {build_id}', self.said.getvalue())


class PluginTest(base.BuildTestCase):
    def test_option(self):
        """Without it no command of the client works."""
        parser = plugin.build_option_parser(argparse.ArgumentParser())
        parsed = vars(parser.parse_args([]))
        self.assertEqual('1', parsed[plugin.API_VERSION_OPTION])

    def test_client(self):
        instance = mock.Mock()
        self.assertIs(instance.sdk_connection, plugin.make_client(instance))
