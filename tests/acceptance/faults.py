# SPDX-License-Identifier: Apache-2.0
"""Break a service of the box while Nova is in the middle of something.

Nothing here relies on being quick: a transfer of image data waits at the
:class:`Gate` for as long as the test likes, and a libvirtd that is frozen
keeps Nova at the step after its disks are made.
"""

import contextlib
import hashlib
import os
import signal
import socket
import socketserver
import subprocess
import threading

import openstack

from tests.acceptance import cache
from tests.acceptance import onebox

_CHUNK = 2**16
#: What passes of a held transfer: enough that each end has begun, which
#: reads or writes 1 MiB at a time.
_PASSES = 4 * 2**20
#: All that Nova sends to Glance, as something to hold.
UPLOADS = 'uploads'


class Gate:
    """A relay between Nova and Glance that can hold the bytes of an image.

    :param port: of Glance on this host
    :ivar url: where Nova finds Glance behind the gate
    """

    def __init__(self, port):
        self._glance = ('127.0.0.1', port)
        self._held = set()
        self._changed = threading.Condition()
        self._server = _Server(('127.0.0.1', 0), self)
        _host, own_port = self._server.server_address
        self.url = f'http://127.0.0.1:{own_port}'
        threading.Thread(
            target=self._server.serve_forever, daemon=True
        ).start()

    def close(self):
        """Let everything pass, and end."""
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def hold(self, *transfers):
        """Let no more than the first MiB pass.

        :param transfers: ids of images that are downloaded, or UPLOADS
        """
        with self._changed:
            self._held.update(transfers)

    def release(self, *transfers):
        """Let these pass again; all, when none is named."""
        with self._changed:
            self._held.difference_update(transfers or set(self._held))
            self._changed.notify_all()

    def relay(self, client):
        """Serve one connection until both sides have said all."""
        # uWSGI closes after each answer: one request a connection.
        request = client.recv(_CHUNK)
        if not request:
            return
        try:
            glance = socket.create_connection(self._glance)
        except OSError:
            # Nobody there: the client's connection ends, too.
            return
        transfer = _transfer_of(request)
        with glance:
            glance.sendall(request)
            answer = threading.Thread(
                target=self._pass, args=(glance, client, transfer)
            )
            answer.start()
            self._pass(client, glance, transfer)
            answer.join()

    def _pass(self, source, target, transfer):
        passed = 0
        try:
            while data := source.recv(_CHUNK):
                passed += len(data)
                if passed > _PASSES:
                    self._wait(transfer)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone: so is the connection, for the other.
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _wait(self, transfer):
        with self._changed:
            self._changed.wait_for(lambda: transfer not in self._held)


def _transfer_of(request):
    """What a request transfers, None when it is no image's bytes."""
    method, path, _version = request.split(b'\r\n', 1)[0].decode().split()
    *_, image_id, what = path.split('/')
    if what != 'file':
        return None
    return UPLOADS if method == 'PUT' else image_id


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, address, gate):
        self.gate = gate
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.gate.relay(self.request)


class Services:
    """The services of the box, one by one."""

    def __init__(self, box):
        self._box = box

    def _pid(self, name):
        return int(self._box.supervise('pid', name))

    def stop(self, name):
        """Stop a service as its operator would."""
        self._box.supervise('stop', name)

    def start(self, name):
        """Start a service that was stopped or killed."""
        self._box.supervise('start', name)

    def restart(self, name):
        """Restart a service as its operator would."""
        self._box.supervise('restart', name)

    def kill(self, name):
        """Kill a service and all that it runs: no time to clean up."""
        pid = self._pid(name)
        os.killpg(pid, signal.SIGKILL)
        onebox.wait_for(f'{name} is dead', lambda: not _exists(pid))

    @contextlib.contextmanager
    def frozen(self, name):
        """A service that is there and does nothing."""
        pid = self._pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            # The test may have killed it meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def make_glance_patient(self):
        """Let Glance wait at the gate; uWSGI's own limit is 4 s.

        Lasts until ``box up`` starts Glance the next time.
        """
        ini = self._box.state.root / 'etc' / 'glance.uwsgi.ini'
        ini.write_text(f'{ini.read_text()}\nsocket-timeout = 600\n')
        self.stop('glance')
        self.start('glance')


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Log:
    """What a service writes from now on.

    :param name: of the service
    """

    def __init__(self, box, name):
        self._path = box.state.logs / f'{name}.log'
        self._begin = self._path.stat().st_size

    def wait_for(self, text):
        """Wait until it wrote this text."""

        def written():
            with open(self._path, 'rb') as file:
                file.seek(self._begin)
                return text.encode() in file.read()

        onebox.wait_for(f'{text!r} in {self._path}', written)


class InstancesDisk:
    """A file system for the instances, with as much room as a test wants.

    Of 8 GiB, for Nova gives a host no server that is larger than its disk.

    :param path: where it is mounted
    :param image: file to make it in, which stays sparse
    """

    def __init__(self, path, image):
        self._path = path
        self._image = image
        self._filler = path / 'newos-test-filler'

    def mount(self):
        """Lay it over the instances directory."""
        with open(self._image, 'wb') as file:
            file.truncate(8 * 2**30)
        _run('mkfs.ext4', '-q', '-m', '0', self._image)
        _run('mount', '-o', 'loop', self._image, self._path)

    def unmount(self):
        """Bring the instances directory back."""
        # libvirtd has a view of its own, which keeps it.
        _run('umount', '--lazy', self._path)
        self._image.unlink()

    def leave(self, free):
        """Leave that many bytes."""
        self._filler.unlink(missing_ok=True)
        # What is to be allocated yet shall count.
        _run('sync', '--file-system', self._path)
        state = os.statvfs(self._path)
        with open(self._filler, 'wb') as file:
            os.posix_fallocate(
                file.fileno(), 0, state.f_bavail * state.f_frsize - free
            )


def _run(*command):
    subprocess.run(command, check=True)


class Scene:
    """Servers in each phase that a fault may meet, all at the same time.

    :param servers: launches them
    :param images: deletes what golden images the test leaves
    :param installed: an installed server, off
    :param isos: ids of images: two that this host has not cached, and one
        that waits to be told to install
    :ivar fetching: half of its ISO is on the host
    :ivar creating: has its disks, but libvirt has not heard of it
    :ivar installing: its guest runs
    :ivar captured: the installed server, half of whose golden image is in
        Glance
    :ivar golden: id of that image
    """

    def __init__(self, box, gate, services, servers, images, installed, isos):
        self.box = box
        self.gate = gate
        self.services = services
        self.servers = servers
        self.images = images
        self.cloud = servers.cloud
        self.fetched_iso, self.other_iso, waiting_iso = isos
        self.captured = installed
        self._root = digest_of(installed.directory / 'disk.newos')
        gate.hold(self.fetched_iso, self.other_iso, UPLOADS)
        self.fetching = servers.begin(self.fetched_iso)
        self.creating = servers.begin(self.other_iso)
        self.golden = self.begin_image(installed)
        self.installing = servers.begin(waiting_iso)
        self._await_phases()

    def _await_phases(self):
        for iso in (self.fetched_iso, self.other_iso):
            part = cache.base_file(self.box, iso).with_suffix('.part')
            onebox.wait_for(
                f'{part} is half there',
                lambda part=part: part.exists() and part.stat().st_size,
            )
        onebox.wait_for(
            'the golden image is half there',
            lambda: self.status_of(self.golden) == 'saving',
        )
        self.installing.wait_for_report(**{'booted-from': 'waiting'})

    @contextlib.contextmanager
    def held(self):
        """Each server is held in its phase until the end of the block."""
        with self.services.frozen('libvirtd'):
            self.gate.release(self.other_iso)
            # The last disk that Nova makes before it asks libvirt.
            disk = self.creating.directory / 'disk.virtio'
            onebox.wait_for(f'{disk} is there', disk.exists)
            yield
        self.gate.release()

    def begin_image(self, guest):
        """Have an image made of a server and do not wait; returns its id."""
        image = self.cloud.compute.create_server_image(
            guest.id, 'newos-test-golden', wait=False
        )
        self.images.adopt(image.id)
        return image.id

    def status_of(self, image_id):
        """Of an image; None when there is none."""
        image = self.cloud.image.find_image(image_id)
        return image and image.status

    def assert_root_untouched(self):
        """The installed server is off and has what was installed."""
        self.captured.wait_for_status('SHUTOFF')
        root = self.captured.directory / 'disk.newos'
        assert digest_of(root) == self._root

    def capture_again(self):
        """An image of the installed server works; returns its record."""
        image_id = self.begin_image(self.captured)
        onebox.wait_for(
            'the retried golden image',
            lambda: self.status_of(image_id) == 'active',
        )
        self.assert_is_root(image_id)
        self.assert_root_untouched()
        return self.cloud.image.get_image(image_id)

    def assert_is_root(self, image_id):
        """An image holds what the installed server's root disk holds."""
        compared = subprocess.run(
            [
                *'qemu-img compare -f qcow2 -F qcow2'.split(),
                self.captured.directory / 'disk.newos',
                self.box.state.root / 'images' / 'store' / image_id,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert compared.returncode == 0, compared.stdout + compared.stderr


def digest_of(path):
    """sha256 of a file."""
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def wait_for_answer(cloud):
    """Wait until the cloud's API answers again."""

    def answers():
        try:
            return cloud.compute.get('/servers/detail').ok
        except openstack.exceptions.SDKException:
            return False

    onebox.wait_for('the compute API answers', answers)
