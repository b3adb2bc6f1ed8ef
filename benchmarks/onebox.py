# SPDX-License-Identifier: Apache-2.0
"""The one box, as the benchmarks use it.

It stands on devstack/onebox, and runs in the box's Python: that has the
clients.
"""

import contextlib
import os
import subprocess
import tempfile
import time

import libvirt
from nova.virt.libvirt import imagecache
import openstack

from benchmarks.errors import BenchmarkError
from devstack.onebox import plans
from devstack.onebox import settings
from devstack.onebox import state as state_module
from devstack.onebox.progress import say

STOCK = 'libvirt.LibvirtDriver'
OURS = settings.OUR_DRIVER
#: Of every server and image made here, and of nothing else.
NAME = 'newos-benchmark'
FLAVOR = 'm1.nano'
#: Nova's image cache, in its directory of instances.
CACHE = '_base'
#: Seconds that any one thing may take.
LIMIT = 300

_BOX = state_module.TOP / 'devstack' / 'onebox' / 'box'


class Box:
    """A box that is up.

    :param root: its state directory
    :ivar instances: Nova's directory of instances, with the image cache
    :raises BenchmarkError: when there is none, or it is not up
    """

    def __init__(self, root):
        self._state = state_module.State(root)
        self.instances = self._state.instances
        self._check()
        self.cloud = openstack.connection.Connection(
            config=openstack.config.OpenStackConfig(
                config_files=[str(self._state.clouds)], load_envvars=False
            ).get_one(plans.USER_CLOUD)
        )
        self._libvirt = libvirt.openReadOnly(self._state.libvirt_uri)

    def _check(self):
        up = f'sudo devstack/onebox/box up --state {self._state.root}'
        if os.geteuid() != 0:
            raise BenchmarkError(
                "this changes the box's compute driver and reads guests' "
                'disks: run it as root'
            )
        if not self._state.exists():
            raise BenchmarkError(
                f'no box in {self._state.root}: make one with "{up}", or '
                'give the --state of another'
            )
        if self._run('status', quiet=True).returncode:
            raise BenchmarkError(
                f'the box in {self._state.root} is not up: run "{up}"'
            )

    def _run(self, command, *options, quiet=False):
        return subprocess.run(
            [_BOX, command, '--state', self._state.root, *options],
            stdout=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )

    def use(self, driver):
        """Have nova-compute use a compute driver."""
        say(f'-- compute driver: {driver}')
        process = self._run('up', '--compute-driver', driver, quiet=True)
        if process.returncode:
            raise BenchmarkError(
                f'the box did not come up with {driver}:\n{process.stdout}'
            )

    @contextlib.contextmanager
    def driver_kept(self):
        """Have the compute driver of now again afterwards."""
        driver = settings.load(self._state.settings).compute_driver
        try:
            yield
        finally:
            self.use(driver)

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
        for server in list(compute.servers(name=f'^{NAME}$')):
            compute.delete_server(server)
            compute.wait_for_delete(server, interval=0.5, wait=LIMIT)

    def _delete_images(self):
        images = self.cloud.image.images(
            name=NAME, owner=self.cloud.current_project_id
        )
        for image in list(images):
            self.cloud.image.delete_image(image)
            # Nova would keep it for a day.
            name = imagecache.get_cache_fname(image.id)
            (self.instances / CACHE / name).unlink(missing_ok=True)

    def upload(self, path):
        """Make an install ISO of a file; returns its id."""
        image = self.cloud.image.create_image(
            name=NAME,
            filename=str(path),
            disk_format='iso',
            container_format='bare',
            wait=True,
            use_import=False,
        )
        return image.id

    def create(self, image):
        """Ask for a server; returns its id at once."""
        compute = self.cloud.compute
        server = compute.create_server(
            name=NAME,
            image_id=image,
            flavor_id=compute.find_flavor(FLAVOR, ignore_missing=False).id,
            networks='none',
        )
        return server.id

    def is_built(self, server):
        """Whether Nova has started the server, which may be off again.

        :raises BenchmarkError: when it cannot, with the server's fault
        """
        found = self.cloud.compute.get_server(server)
        if found.status == 'ERROR':
            raise BenchmarkError(
                f'a server is in ERROR: {(found.fault or {}).get("message")}'
            )
        return found.status in ('ACTIVE', 'SHUTOFF')

    def is_running(self, server):
        """Whether libvirt runs the guest."""
        return self._listed(server, libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)

    def is_off(self, server):
        """Whether libvirt knows the guest as powered off."""
        return self._listed(server, libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF)

    def _listed(self, server, which):
        domains = self._libvirt.listAllDomains(which)
        return server in {domain.UUIDString() for domain in domains}

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
        path = f'{directory}/probe.iso'
        # The system's Python: the box's need not have what makes an ISO.
        process = subprocess.run(
            [
                '/usr/bin/python3',
                '-m',
                'devstack.onebox.media',
                'probe',
                f'--out={path}',
            ],
            cwd=state_module.TOP,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if process.returncode:
            raise BenchmarkError('the ISO could not be made, see above')
        yield path


def wait_for(what, condition, interval):
    """Wait until ``condition()`` is true.

    :param interval: seconds between two looks
    :raises BenchmarkError: naming ``what``, after LIMIT seconds
    """
    until = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > until:
            raise BenchmarkError(f'{what}: not within {LIMIT} s')
        time.sleep(interval)
