# SPDX-License-Identifier: Apache-2.0
"""The cloud on the one box, as the benchmarks use it.

It stands on devstack/onebox, and runs in the box's Python: that has the
clients.
"""

import contextlib
import pathlib
import tempfile

import libvirt
from nova.virt.libvirt import imagecache
import openstack
import psutil

from benchmarks.errors import BenchmarkError
from devstack.onebox import client
from devstack.onebox import settings
from devstack.onebox import waiting

STOCK = client.STOCK
OURS = client.OURS
#: Of every server and image made here, and of nothing else.
NAME = 'newos-benchmark'
FLAVOR = 'm1.nano'
#: Nova's image cache, in its directory of instances.
CACHE = '_base'
#: Seconds that any one thing may take.
LIMIT = 300


class Cloud(client.Box):
    """The cloud of a box that is up.

    :param root: its state directory
    :ivar instances: Nova's directory of instances, with the image cache
    :ivar cloud: what an ordinary user has of it, an openstacksdk Connection
    :raises BoxError: when there is none, or it is not up
    """

    def __init__(self, root):
        super().__init__(root)
        self.check_up()
        self.instances = self.state.instances
        self.cloud = self._connect(settings.USER_CLOUD)
        self._admin = self._connect(settings.ADMIN_CLOUD)
        self._libvirt = libvirt.openReadOnly(self.state.libvirt_uri)

    def _connect(self, name):
        return openstack.connection.Connection(
            config=openstack.config.OpenStackConfig(
                config_files=[str(self.state.clouds)], load_envvars=False
            ).get_one(name)
        )

    @contextlib.contextmanager
    def cleaned_up(self):
        """Delete what was made, now by an earlier run and later by this."""
        self.delete_servers()
        self._delete_images()
        try:
            yield
        finally:
            self.delete_servers()
            self._delete_images()

    def delete_servers(self):
        """Delete all servers made here, and wait until they are gone."""
        compute = self.cloud.compute
        servers = list(self._servers())
        for server in servers:
            compute.delete_server(server)
        for server in servers:
            compute.wait_for_delete(server, interval=0.5, wait=LIMIT)

    def _servers(self):
        # Those that one request made have a number behind the name.
        return self.cloud.compute.servers(name=f'^{NAME}(-[0-9]+)?$')

    @contextlib.contextmanager
    def quota_for(self, servers):
        """Let the user have so many servers of FLAVOR meanwhile."""
        project = self.cloud.current_project_id
        flavor = self._flavor()
        wanted = {
            'instances': servers,
            'cores': servers * flavor.vcpus,
            'ram': servers * flavor.ram,
        }
        quotas = self._admin.get_compute_quotas(project)
        before = {name: quotas[name] for name in wanted}
        self._admin.set_compute_quotas(
            project,
            # Less than 0 is no limit.
            **{
                name: limit if limit < 0 else max(limit, wanted[name])
                for name, limit in before.items()
            },
        )
        try:
            yield
        finally:
            self._admin.set_compute_quotas(project, **before)

    def _flavor(self):
        return self.cloud.compute.find_flavor(FLAVOR, ignore_missing=False)

    def _delete_images(self):
        images = self.cloud.image.images(
            name=NAME, owner=self.cloud.current_project_id
        )
        for image in list(images):
            self.cloud.image.delete_image(image)
            # Nova would keep it for a day.
            name = imagecache.get_cache_fname(image.id)
            (self.instances / CACHE / name).unlink(missing_ok=True)

    def upload(self, path, disk_format='iso'):
        """Make an image, by default an install ISO; returns its id."""
        image = self.cloud.image.create_image(
            name=NAME,
            filename=str(path),
            disk_format=disk_format,
            container_format='bare',
            wait=True,
            use_import=False,
        )
        return image.id

    def create(self, image, count=1):
        """Ask for servers in one request; returns at once.

        :returns: the id of the first of them
        """
        server = self.cloud.compute.create_server(
            name=NAME,
            image_id=image,
            flavor_id=self._flavor().id,
            networks='none',
            min_count=count,
            max_count=count,
        )
        return server.id

    def hard_reboot(self, server):
        """Ask for it; returns at once."""
        self.cloud.compute.reboot_server(server, 'HARD')

    def is_built(self, server):
        """Whether Nova has started the server, which may be off again.

        :raises BenchmarkError: when it cannot, with the server's fault
        """
        return _built(self.cloud.compute.get_server(server))

    def built(self):
        """Ids of all servers made here, and whether they are built.

        :returns: {id: bool}
        :raises BenchmarkError: when one cannot be built, with its fault
        """
        return {server.id: _built(server) for server in self._servers()}

    def run_number(self, server):
        """What libvirt calls this run of the guest, None when it is off."""
        for domain in self._domains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING):
            if domain.UUIDString() == server:
                return domain.ID()
        return None

    def off(self):
        """Ids of the servers whose guests libvirt knows as powered off."""
        return {
            domain.UUIDString()
            for domain in self._domains(
                libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF
            )
        }

    def _domains(self, which):
        return self._libvirt.listAllDomains(which)

    def read_by_glance(self):
        """Bytes that Glance has read from anywhere since it was started."""
        conf = str(self.state.etc / 'glance.uwsgi.ini')
        # What a process that is just ending does not tell is None.
        found = psutil.process_iter(['cmdline', 'io_counters'])
        return sum(
            process.info['io_counters'].read_chars
            for process in found
            if conf in (process.info['cmdline'] or ())
        )

    def console(self, server):
        """What the guest has said on its console."""
        answer = self.cloud.compute.get_server_console_output(server)
        return answer['output'] or ''


@contextlib.contextmanager
def cloud_errors():
    """Turn what the cloud and libvirt complain about into our error."""
    try:
        yield
    except (
        libvirt.libvirtError,
        openstack.exceptions.SDKException,
    ) as error:
        raise BenchmarkError(f'the cloud says: {error}') from error


@contextlib.contextmanager
def probe_iso():
    """Path of an ISO that installs itself in a second and powers off."""
    # A copy: other versions of this project, in use on the same machine,
    # replace what the cache of media holds.
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / 'probe.iso'
        client.medium('probe', f'--out={path}')
        yield path


def wait_for(what, condition, interval, limit=LIMIT):
    """Wait until ``condition()`` is true.

    :param interval: seconds between two looks
    :param limit: seconds that it may take
    :raises BenchmarkError: naming ``what``, after that time
    """
    try:
        waiting.wait_for(what, condition, limit, interval)
    except waiting.TimedOut as error:
        raise BenchmarkError(str(error)) from None


def _built(server):
    if server.status == 'ERROR':
        raise BenchmarkError(
            f'a server is in ERROR: {(server.fault or {}).get("message")}'
        )
    return server.status in ('ACTIVE', 'SHUTOFF')
