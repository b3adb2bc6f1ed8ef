# SPDX-License-Identifier: Apache-2.0
"""What the tests with fake libvirt and real files stand on."""

import contextlib
import io
import os
import pathlib
import subprocess
import time

from lxml import etree
from nova import context
from nova import objects
import nova.conf
from nova.tests.functional.api import client
from oslo_serialization import jsonutils
from oslo_utils import units
from oslo_utils import uuidutils
import testtools

from nova_newos import layout
from tests.functional.fakelibvirt import cloud
from tests.functional.fakelibvirt import glance

CONF = nova.conf.CONF

STOCK = 'libvirt.LibvirtDriver'
NEWOS = 'newos.NewosLibvirtDriver'


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
        self.cloud = cloud.CLOUDS.get(
            self.HOSTS, self.SHARED_STORAGE, self.prepare
        )
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
        data = glance.iso_bytes() if data is None else data
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
        deadline = time.monotonic() + cloud.PATIENCE
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
            max_retries=cloud.PATIENCE * 2,
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
            data=glance.iso_bytes() + b'drivers', is_public=True
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
