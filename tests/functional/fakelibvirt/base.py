# SPDX-License-Identifier: Apache-2.0
"""What the tests with fake libvirt and real files stand on."""

import contextlib
import functools
import importlib
import io
import os
import pathlib
import subprocess
import sys
import time

import fixtures
from lxml import etree
from nova import context
from nova import objects
import nova.conf
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional.api import client
from nova.tests.functional.libvirt import base
from oslo_serialization import jsonutils
from oslo_utils import units
from oslo_utils import uuidutils
import testtools

from nova_newos import layout
from tests.functional.fakelibvirt import glance
from tests.functional.fakelibvirt import hosts
from tests.functional.fakelibvirt import libvirtd
from tests.functional.fakelibvirt import progress

CONF = nova.conf.CONF

STOCK = 'libvirt.LibvirtDriver'
NEWOS = 'newos.NewosLibvirtDriver'

# First microversion with descriptions of faults as they are now, and more.
MICROVERSION = '2.95'

# A compute host has room for 32 of them.
MAX_GUESTS = 16

ISO_MAGIC_AT = 0x8000

# Seconds to wait for what takes less than one on an idle machine.
PATIENCE = 120


def iso_bytes(size=2 * units.Mi):
    """The least that Glance and Nova take for an ISO 9660 volume.

    :param size: length in bytes
    """
    descriptor = b'\x01CD001\x01'.ljust(2048, b'\0')
    return (bytes(ISO_MAGIC_AT) + descriptor).ljust(size, b'\0')


def paste_config():
    """Path of the API's paste configuration as Nova's wheel installs it."""
    return os.path.join(sys.prefix, 'etc', 'nova', 'api-paste.ini')


def seen(disk):
    """What matters of a <disk>: (file name, device, bus, target).

    A volume goes by its id.
    """
    source = disk.find('source')
    path = None if source is None else source.get('file')
    target = disk.find('target')
    return (
        os.path.basename(path) if path else disk.findtext('serial'),
        disk.get('device'),
        target.get('bus'),
        target.get('dev'),
    )


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
            pathlib.Path(path).write_bytes(iso_bytes())

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


class ServersTestCase(testtools.TestCase):
    """Servers of one or more compute hosts, with real files.

    What is not the test's own, it takes from its cloud. The cloud is shared
    with other tests that want the same.

    :cvar HOSTS: dict of the compute hosts' names to their compute_driver
    :cvar SHARED_STORAGE: whether hosts keep servers in one directory
    :cvar IMAGES_TYPE: Nova's option
    """

    HOSTS = {'compute1': NEWOS}
    SHARED_STORAGE = True
    IMAGES_TYPE = 'qcow2'

    def setUp(self):
        super().setUp()
        self.cloud = CLOUDS.get(self.HOSTS, self.SHARED_STORAGE, self.prepare)
        self.addCleanup(self.cloud.clean)
        self.addOnException(lambda _error: self.use_up())
        self.flags(images_type=self.IMAGES_TYPE, group='libvirt')

    def __getattr__(self, name):
        if 'cloud' not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.cloud, name)

    @staticmethod
    def prepare(cloud):
        """Change what a cloud is before a service of it is started."""

    def use_up(self):
        """Have no other test use the cloud."""
        self.cloud.used_up = True

    def flags(self, group=None, **options):
        """Change Nova's options until the end of the test."""
        section = CONF[group] if group else CONF
        for name, value in options.items():
            before = section[name]
            self.addCleanup(CONF.set_override, name, before, group)
            CONF.set_override(name, value, group)

    def restart_compute_service(self, host, driver=NEWOS):
        """Restart a compute host's service, maybe with another driver."""
        self.use_up()
        self.flags(compute_driver=driver)
        self.cloud.restart_compute_service(host)

    def add_image(self, disk_format='iso', data=None, **metadata):
        """Put an image into Glance.

        :param disk_format: Glance's
        :param data: its bytes; an ISO's if not given
        :param metadata: fields of the record, ``properties`` among them
        :returns: its id
        """
        data = iso_bytes() if data is None else data
        record = {
            'id': uuidutils.generate_uuid(),
            'name': 'image',
            'status': 'active',
            'visibility': 'public',
            'container_format': 'bare',
            'disk_format': disk_format,
            'min_disk': 0,
            'min_ram': 0,
            'size': len(data),
            'checksum': None,
            'tags': [],
            'protected': False,
            'properties': {},
            **metadata,
        }
        self.glance.create(None, record, data=io.BytesIO(data))
        return record['id']

    def add_disk_image(self, **metadata):
        """Put an image of an ordinary disk of 1 MiB into Glance."""
        return self.add_image('raw', data=bytes(units.Mi), **metadata)

    def add_flavor(self, disk=1, **figures):
        """Make a flavor; by default with a root disk of 1 GiB only.

        :returns: its id
        """
        return self._create_flavor(
            memory_mb=256,
            vcpu=1,
            disk=disk,
            **{'ephemeral': 0, 'swap': 0, **figures},
        )

    def create(
        self, image, flavor=None, host='compute1', state='ACTIVE', **fields
    ):
        """Create a server and wait for it.

        :param image: id of the image
        :param flavor: id of the flavor; one with a disk of 1 GiB if not given
        :param host: name of the compute host
        :param state: the status that it is to reach
        :param fields: more of the request
        :returns: the API's record of the server
        """
        body = self._build_server(
            name='server',
            image_uuid=image,
            flavor_id=flavor or self.add_flavor(),
            networks='none',
            host=host,
        )
        body.update(fields)
        if not image:
            del body['imageRef']
        server = self.admin_api.post_server({'server': body})
        return self.wait_for(server, state)

    def wait_for(self, server, state):
        """Wait until a server reaches a state; another end is a failure."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            server = self.admin_api.get_server(server['id'])
            if not server['OS-EXT-STS:task_state'] and (
                server['status'] in (state, 'ERROR')
            ):
                break
            self.progress.wait()
        self.assertEqual(state, server['status'], server.get('fault'))
        return server

    def act(self, server, action, body=None, state='ACTIVE', api=None):
        """Ask for an action and wait for the state after it.

        :param action: key of the request
        :param body: its value
        :param state: the status that the server is to reach
        :param api: client that asks, if not an ordinary user
        :returns: the API's record of the server
        """
        api = api or self.api
        api.post_server_action(server['id'], {action: body})
        return self.wait_for(server, state)

    def fails(self, server, action, body, event, advice, name=None):
        """An action fails, and the record of it says what to do.

        :param action: the key of the request
        :param body: its value
        :param event: the step that fails
        :param advice: part of the text
        :param name: of the action in the record, if not as in the request
        """
        self.admin_api.post_server_action(server['id'], {action: body})
        found = self._wait_for_action_fail_completion(
            server, name or action, event
        )
        self.assertIn(advice, found['details'])

    def attach(self, server, volume):
        """Attach a volume and wait for it to be in the domain.

        No later test has it attached to its own server otherwise.
        """
        self.addCleanup(self.delete_if_there, server)
        self.api.post_server_volume(
            server['id'], {'volumeAttachment': {'volumeId': volume}}
        )
        self._wait_for_assert(
            lambda: self.assertIn(
                volume, [name for name, *_rest in self.attached(server)]
            ),
            max_retries=PATIENCE * 2,
        )

    def delete_if_there(self, server):
        with contextlib.suppress(client.OpenStackApiNotFoundException):
            self._delete_server(server)

    def domain(self, server, host='compute1'):
        """The server's domain in the fake libvirt."""
        connection = self.computes[host].driver._host.get_connection()
        return connection.lookupByUUIDString(server['id'])

    def xml(self, server, host='compute1'):
        """The XML that the server's domain was last defined with."""
        connection = self.computes[host].driver._host.get_connection()
        return connection.defined[server['id']][-1]

    def disks(self, server, host='compute1'):
        """The disks of a server's domain, as libvirt would get them.

        :returns: list of (file name, device, bus, target), in their order
        """
        tree = etree.fromstring(self.xml(server, host))
        return [seen(disk) for disk in tree.findall('devices/disk')]

    def attached(self, server, host='compute1'):
        """The disks of a server's domain, as libvirt has them.

        :returns: as above
        """
        return [seen(disk) for disk in self.domain(server, host).disks()]

    def boot_order(self, server, host='compute1'):
        tree = etree.fromstring(self.xml(server, host))
        return [boot.get('dev') for boot in tree.findall('os/boot')]

    def directory(self, server, host='compute1'):
        """The directory of a server's files."""
        return self.hosts.directory(host) / server['id']

    def files(self, server, host='compute1'):
        """Names of a server's files."""
        return {path.name for path in self.directory(server, host).iterdir()}

    def qemu_img_info(self, path):
        """What qemu-img says of a disk file, as a dict."""
        return jsonutils.loads(
            subprocess.check_output(
                ['qemu-img', 'info', '--output=json', '--force-share', path]
            )
        )

    def install(self, server, name='disk.newos', host='compute1'):
        """Write to a root disk what no blank disk has."""
        self._qemu_io(self.directory(server, host) / name, 'write')

    def assert_installed(self, server, name='disk.newos', host='compute1'):
        """A root disk has what was written to it."""
        self._qemu_io(self.directory(server, host) / name, 'read')

    def _qemu_io(self, path, command, pattern='0x4e', at='0'):
        info = self.qemu_img_info(path)
        done = subprocess.run(
            [
                'qemu-io',
                '-f',
                info['format'],
                '-c',
                f'{command} -P {pattern} {at} 64k',
                path,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(0, done.returncode, (path, done.stdout))

    def content(self, server, name, host='compute1'):
        """The bytes that a guest sees on a disk."""
        raw = pathlib.Path(self.instances_path, 'content')
        path = self.directory(server, host) / name
        subprocess.check_call(['qemu-img', 'convert', '-O', 'raw', path, raw])
        return raw.read_bytes()

    def admin_context(self):
        return context.get_admin_context()

    def instance(self, server):
        """Nova's own record of a server."""
        return objects.Instance.get_by_uuid(
            self.admin_context(),
            server['id'],
            expected_attrs=['system_metadata', 'flavor'],
        )

    def layout_of(self, server):
        """The persisted layout of a server, or None."""
        return layout.load(self.instance(server).system_metadata)


ROOT = ('disk.newos', 'disk', 'virtio', 'vda')
ISO = ('disk', 'cdrom', 'ide', 'hda')
DRIVERS = ('disk.virtio', 'cdrom', 'ide', 'hdb')

#: The root disk of a server of stock Nova.
STOCK_ROOT = ('disk', 'disk', 'virtio', 'vda')


class InstalledTestCase(ServersTestCase):
    """An install server with a driver ISO, that something was installed on."""

    def setUp(self):
        super().setUp()
        self.drivers = self.add_image(
            data=iso_bytes() + b'drivers', is_public=True
        )
        self.iso = self.add_image(
            properties={'newos_virtio_image_id': self.drivers}
        )
        self.server = self.create(self.iso)
        self.install(self.server)

    def assert_kept(self, root_gb=1, host='compute1', boots_installer=False):
        """The server is as it was, with what was installed.

        :param root_gb: size of the root disk now
        :param boots_installer: whether it was started with the ISO in its
            boot order
        """
        self.assertEqual([ROOT, ISO, DRIVERS], self.disks(self.server, host))
        self.assertEqual(
            ['hd', 'cdrom'] if boots_installer else ['hd'],
            self.boot_order(self.server, host),
        )
        self.assertEqual(
            layout.Layout(self.iso, 1, (('virtio', self.drivers),)),
            self.layout_of(self.server),
        )
        self.assert_installed(self.server, host=host)
        info = self.qemu_img_info(
            self.directory(self.server, host) / 'disk.newos'
        )
        self.assertEqual(root_gb * units.Gi, info['virtual-size'])
        for name, image in (('disk', self.iso), ('disk.virtio', self.drivers)):
            # Whole sectors, for a guest.
            wanted = self.glance.bytes_of(image)
            found = self.content(self.server, name, host)
            self.assertEqual(wanted, found[: len(wanted)], name)
            self.assertFalse(any(found[len(wanted) :]), name)
