# SPDX-License-Identifier: Apache-2.0
"""Nova's services, with what is fake about the hosts that they run on."""

import contextlib
import functools
import importlib
import os
import pathlib
import sys

import fixtures
from nova import context
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional.libvirt import base

from tests.functional.fakelibvirt import glance
from tests.functional.fakelibvirt import hosts
from tests.functional.fakelibvirt import libvirtd
from tests.functional.fakelibvirt import progress

# First microversion with descriptions of faults as they are now, and more.
MICROVERSION = '2.95'

# A compute host has room for 32 of them.
MAX_GUESTS = 16

# Seconds to wait for what takes less than one on an idle machine.
PATIENCE = 120


def paste_config():
    """Path of the API's paste configuration as Nova's wheel installs it."""
    return os.path.join(sys.prefix, 'etc', 'nova', 'api-paste.ini')


class Cloud(base.ServersTestBase):
    """Nova's services, for one test after another.

    Its set-up costs more than most of what tests do with it. So it is a test
    of Nova's that never ends by itself: tests get it from
    ServersTestCase.setUp, and may leave servers in it.

    :param hosts: dict of the compute hosts' names to their compute_driver
    :param shared_storage: whether hosts keep servers in one directory
    :param prepare: called with this object before a service is started
    :ivar used_up: whether what is left is of no use to another test
    """

    microversion = MICROVERSION
    ADMIN_API = True
    # What compute raises is to reach the user as it does on a cloud.
    CAST_AS_CALL = False

    def __init__(self, hosts, shared_storage, prepare):
        super().__init__('stop')
        self._cleanup = contextlib.ExitStack()
        self._hosts = hosts
        self._shared_storage = shared_storage
        self._prepare = prepare
        self.used_up = False

    def addCleanup(self, function, /, *args, **kwargs):
        # No test runner is there to do it.
        self._cleanup.callback(function, *args, **kwargs)

    def stop(self):
        """Undo the set-up."""
        self._cleanup.close()

    def setUp(self):
        self.computes = {}
        self.compute_rp_uuids = {}
        # Not a subdirectory of another test's: qemu-img records full paths.
        self.instances_path = self.useFixture(fixtures.TempDir()).path
        self.flags(instances_path=self.instances_path)
        self.flags(migration_inbound_addr='%s', group='libvirt')
        self.flags(api_paste_config=paste_config(), group='wsgi')
        self.flags(instances=-1, cores=-1, ram=-1, group='quota')
        self.load_as_linked()
        self._prepare(self)
        # Past the set-up of ServersTestBase, which takes image backends
        # and disk creation out of the driver.
        super(base.ServersTestBase, self).setUp()
        # Nova's tests have each idle thread of a pool look for work a hundred
        # times a second, so that it ends at once. These pools live longer.
        self.useFixture(
            fixtures.MonkeyPatch(
                'futurist._thread.ThreadWorker.MAX_IDLE_FOR', 1
            )
        )
        self.progress = self.useFixture(progress.Progress())
        self.hosts = self.useFixture(
            hosts.Hosts(self.instances_path, self._shared_storage)
        )
        self.glance = self.useFixture(glance.Glance(self))
        # Nova's tests have their machine to themselves.
        self.notifier.wait_for_versioned_notifications = functools.partial(
            self.notifier.wait_for_versioned_notifications, timeout=PATIENCE
        )
        self._give_users_a_token()
        self._replace_the_host()
        for host, driver in self._hosts.items():
            self.flags(compute_driver=driver)
            self.hosts.add(host)
            self.start_compute(host)

    def clean(self):
        """Leave nothing to the next test but servers, up to a number.

        To delete one costs half as much as to create it.
        """
        self.glance.reset()
        self.notifier.reset()
        guests = sum(
            len(compute.driver._host.get_connection()._vms)
            for compute in self.computes.values()
        )
        self.used_up = self.used_up or guests > MAX_GUESTS

    def load_as_linked(self):
        """Make our driver known as nova-newos-link-driver would."""
        sys.modules['nova.virt.newos'] = importlib.import_module(
            'nova_newos.virt.shim'
        )
        self.addCleanup(sys.modules.pop, 'nova.virt.newos')

    def _give_users_a_token(self):
        # Nova's hard reboot looks after missing files only for a user with
        # a token; Nova's fake Keystone gives none.
        init = context.RequestContext.__init__

        def with_token(self, *args, **kwargs):
            init(self, *args, **kwargs)
            if self.user_id and not self.auth_token:
                self.auth_token = 'token'

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.context.RequestContext.__init__', with_token
            )
        )

    def _replace_the_host(self):
        self.useFixture(nova_fixtures.CGroupsFixture())
        self.libvirt = self.useFixture(nova_fixtures.LibvirtFixture())
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Domain', libvirtd.Domain
            )
        )
        self.useFixture(nova_fixtures.OSBrickFixture())
        # Without a helper: this process may do what qemu-img needs.
        self.useFixture(nova_fixtures.PrivsepFixture())
        # These disks are no attacker's, and a limit takes a process that
        # starts in three times what qemu-img needs.
        self.useFixture(
            fixtures.MonkeyPatch('nova.privsep.qemu.QEMU_IMG_LIMITS', None)
        )
        for name, value in (
            (
                'nova.virt.libvirt.LibvirtDriver._get_local_gb_info',
                {'total': 128, 'used': 44, 'free': 84},
            ),
            ('nova.privsep.utils.supports_direct_io', True),
            ('nova.virt.libvirt.host.Host.get_online_cpus', set(range(16))),
        ):
            self.useFixture(fixtures.MockPatch(name, return_value=value))
        self._replace_file_systems()
        self.mock_conn = self.useFixture(
            fixtures.MockPatch('nova.virt.libvirt.host.Host.get_connection')
        ).mock

    def _replace_file_systems(self):
        # What is in them is Nova's alone, and not every machine has mkfs
        # for each and genisoimage.
        self.useFixture(
            fixtures.MockPatch('nova.privsep.fs.unprivileged_mkfs')
        )

        def write_iso(builder, path, directory):
            pathlib.Path(path).write_bytes(glance.iso_bytes())

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.configdrive.ConfigDriveBuilder._make_iso9660',
                write_iso,
            )
        )

    def _setup_compute_service(self):
        """Nothing: each test starts the compute hosts that it wants."""

    def _get_connection(self, *args, **kwargs):
        with fixtures.MonkeyPatch(
            'nova.tests.fixtures.libvirt.Connection', libvirtd.Connection
        ):
            return super()._get_connection(*args, **kwargs)

    def start_compute(self, hostname='compute1', *args, **kwargs):
        with self.hosts.on(hostname):
            super().start_compute(hostname, *args, **kwargs)
        self.hosts.computes[hostname] = self.computes[hostname]
        return hostname

    def _wait_for_server_parameter(
        self, server, expected_params, max_retries=PATIENCE * 2, **kwargs
    ):
        return super()._wait_for_server_parameter(
            server, expected_params, max_retries, **kwargs
        )

    def _wait_for_state_change(
        self, server, expected_status, max_retries=PATIENCE * 2, **kwargs
    ):
        return super()._wait_for_state_change(
            server, expected_status, max_retries, **kwargs
        )

    def _wait_for_migration_status(self, *args, **kwargs):
        return self._again(super()._wait_for_migration_status, *args, **kwargs)

    def _wait_for_instance_action_event(self, *args, **kwargs):
        return self._again(
            super()._wait_for_instance_action_event, *args, **kwargs
        )

    def _again(self, wait, *args, **kwargs):
        # These give up after five seconds.
        return self._wait_for_assert(
            lambda: wait(*args, **kwargs), max_retries=PATIENCE // 5, sleep=0
        )


class _Clouds:
    """The cloud of this process, as there can be no second one at a time."""

    def __init__(self):
        self._cloud = None
        self._arguments = None

    def get(self, *arguments):
        """A running Cloud that was made with these arguments."""
        if self._arguments != arguments or self._cloud.used_up:
            self.stop()
            self._cloud = Cloud(*arguments)
            self._cloud.setUp()
            self._arguments = arguments
        return self._cloud

    def stop(self):
        """Stop the cloud, if one runs."""
        cloud, self._cloud, self._arguments = self._cloud, None, None
        if cloud:
            cloud.stop()


CLOUDS = _Clouds()
