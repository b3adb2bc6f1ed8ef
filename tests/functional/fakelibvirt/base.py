# SPDX-License-Identifier: Apache-2.0
"""What the tests with fake libvirt and real files stand on."""

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
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base
from oslo_serialization import jsonutils
from oslo_utils import units
from oslo_utils import uuidutils

STOCK = 'libvirt.LibvirtDriver'
NEWOS = 'newos.NewosLibvirtDriver'

# First microversion with descriptions of faults as they are now, and more.
MICROVERSION = '2.95'

ISO_MAGIC_AT = 0x8000


def iso_bytes(size=2 * units.Mi):
    """The least that Glance and Nova take for an ISO 9660 volume.

    :param size: length in bytes
    """
    descriptor = b'\x01CD001\x01'.ljust(2048, b'\0')
    return (bytes(ISO_MAGIC_AT) + descriptor).ljust(size, b'\0')


def paste_config():
    """Path of the API's paste configuration as Nova's wheel installs it."""
    return os.path.join(sys.prefix, 'etc', 'nova', 'api-paste.ini')


class RecordingConnection(fakelibvirt.Connection):
    """Keeps the XML of domains: the fake forgets what it does not model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.defined = {}

    def defineXML(self, xml):
        domain = super().defineXML(xml)
        self.defined.setdefault(domain.UUIDString(), []).append(xml)
        return domain


class Glance(nova_fixtures.GlanceFixture):
    """Nova's fake, which also keeps the bytes of snapshots."""

    def update(
        self, context, image_id, metadata, data=None, purge_props=False
    ):
        if purge_props:
            # Glance replaces the properties, Nova's fake the whole record.
            metadata = {**self.images[image_id], **metadata}
        image = super().update(
            context, image_id, metadata, data=data, purge_props=purge_props
        )
        # As nova.image.glance sends them to the real one.
        for name in ('kernel_id', 'ramdisk_id'):
            if not image['properties'].get(name):
                image['properties'].pop(name, None)
        if data is not None:
            self._imagedata[image_id] = data.read()
            image.update(status='active', size=len(self._imagedata[image_id]))
        return image

    def bytes_of(self, image_id):
        """The bytes of an image, or None if none came."""
        return self._imagedata.get(image_id)


class ServersTestCase(base.ServersTestBase):
    """Servers of one or more compute hosts, with real files.

    :cvar DRIVER: compute_driver of hosts that are started without another
    """

    microversion = MICROVERSION
    ADMIN_API = True
    # What compute raises is to reach the user as it does on a cloud.
    CAST_AS_CALL = False
    DRIVER = NEWOS

    def setUp(self):
        self.computes = {}
        self.compute_rp_uuids = {}
        # Not a subdirectory of another test's: qemu-img records full paths.
        self.instances_path = self.useFixture(fixtures.TempDir()).path
        self.flags(instances_path=self.instances_path)
        self.flags(api_paste_config=paste_config(), group='wsgi')
        self.load_as_linked()
        # Past the set-up of ServersTestBase, which takes image backends
        # and disk creation out of the driver.
        super(base.ServersTestBase, self).setUp()
        self.glance = self.useFixture(Glance(self))
        self._give_users_a_token()
        self._replace_the_host()

    def _clear_attrs(self):
        # Nova drops all attributes of a test that ran, pytest its method.
        method = getattr(self, self._testMethodName)
        super()._clear_attrs()
        setattr(self, self._testMethodName, method)

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
        real = super()._get_connection

        with fixtures.MonkeyPatch(
            'nova.tests.fixtures.libvirt.Connection', RecordingConnection
        ):
            return real(*args, **kwargs)

    def start(self, hostname='compute1', driver=None):
        """Start a compute host.

        :param hostname: its name
        :param driver: its compute_driver, if not DRIVER
        :returns: the driver object
        """
        self.flags(compute_driver=driver or self.DRIVER)
        self.start_compute(hostname)
        return self.computes[hostname].driver

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
        for _second in range(60):
            server = self.admin_api.get_server(server['id'])
            if not server['OS-EXT-STS:task_state'] and (
                server['status'] in (state, 'ERROR')
            ):
                break
            time.sleep(1)
        self.assertEqual(state, server['status'], server.get('fault'))
        return server

    def xml(self, server, host='compute1'):
        """The XML that the server's domain was last defined with."""
        connection = self.computes[host].driver._host.get_connection()
        return connection.defined[server['id']][-1]

    def disks(self, server, host='compute1'):
        """The disks of a server's domain, as libvirt would get them.

        :returns: list of (file name, device, bus, target), in their order
        """
        tree = etree.fromstring(self.xml(server, host))
        return [
            (
                os.path.basename(disk.find('source').get('file')),
                disk.get('device'),
                disk.find('target').get('bus'),
                disk.find('target').get('dev'),
            )
            for disk in tree.findall('devices/disk')
        ]

    def boot_order(self, server, host='compute1'):
        tree = etree.fromstring(self.xml(server, host))
        return [boot.get('dev') for boot in tree.findall('os/boot')]

    def directory(self, server):
        """The directory of a server's files."""
        return pathlib.Path(self.instances_path, server['id'])

    def files(self, server):
        """Names of a server's files."""
        return {path.name for path in self.directory(server).iterdir()}

    def qemu_img_info(self, path):
        """What qemu-img says of a disk file, as a dict."""
        return jsonutils.loads(
            subprocess.check_output(
                ['qemu-img', 'info', '--output=json', '--force-share', path]
            )
        )

    def admin_context(self):
        return context.get_admin_context()

    def instance(self, server):
        """Nova's own record of a server."""
        return objects.Instance.get_by_uuid(
            self.admin_context(),
            server['id'],
            expected_attrs=['system_metadata', 'flavor'],
        )

    def layout(self, server):
        """The persisted layout of a server, or None."""
        return self.instance(server).system_metadata.get('newos_layout')
