# SPDX-License-Identifier: Apache-2.0
"""What an image of an installed disk costs: time, room in Glance and here.

Six ways in turns, of one server that is off: Nova's own, the same with
``[libvirt] snapshot_compression``, ours, ours signed, ours sealed, and what
people do by hand on the host to seal a disk: virt-sysprep, virt-sparsify,
qemu-img.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from benchmarks import disk
from benchmarks import figures
from benchmarks import onebox
from benchmarks.errors import BenchmarkError
from devstack.onebox.progress import say
from nova_newos import layout

_STOCK = 'stock'
_OURS = 'ours'
_SIGNED = 'ours, signed'
_SEALED = 'ours, sealed'
_BY_HAND = 'by hand'
#: Driver and options of each way.
_WAYS = {
    _STOCK: (onebox.STOCK, {}),
    'stock, snapshot_compression': (
        onebox.STOCK,
        {'libvirt.snapshot_compression': 'true'},
    ),
    _OURS: (onebox.OURS, {}),
    _SIGNED: (onebox.OURS, {}),
    _SEALED: (onebox.OURS, {}),
}
_FIGURES = ('seconds', 'MiB in Glance', 'MiB of temporary files')
_SEAL = 'newos_seal'
_KEY = 'newos.signing_key'
_MIB = 2**20

# Seconds between two looks.
_LOOK = 0.1
# Seconds that an image may take: an appliance without KVM is slow.
_LIMIT = 900


def measure(box, name, runs):
    """Take images of a server that is off.

    :param box: onebox.Cloud
    :param name: of the server; it must have been installed with ours
    :param runs: images of each way
    :returns: list of figures.Row, each of a way with stock
    :raises BenchmarkError: when there is no such server, or no image
    """
    server = box.cloud.compute.find_server(name)
    if server is None or server.status != 'SHUTOFF':
        raise BenchmarkError(
            f'there is no server {name} that is off: run the demo first, or '
            'name another with --server'
        )
    found = {way: [] for way in (*_WAYS, _BY_HAND)}
    with box.cleaned_up(), box.settings_kept(), _signing_key() as key:
        for _run in range(runs):
            for way, (driver, options) in _WAYS.items():
                box.use(
                    driver,
                    **{
                        'libvirt.snapshot_compression': '',
                        _KEY: key if way == _SIGNED else '',
                        **options,
                    },
                )
                found[way].append(_measured(box, server, way))
            found[_BY_HAND].append(_measured_by_hand(box, server))
    return compare(found)


@contextlib.contextmanager
def _signing_key():
    """Path of a new key."""
    with tempfile.TemporaryDirectory(prefix=f'{onebox.NAME}-') as directory:
        path = os.path.join(directory, 'key.pem')
        _run('openssl', 'genpkey', '-algorithm', 'ED25519', '-out', path)
        os.chmod(path, 0o600)
        yield path


def compare(found):
    """Each way beside Nova's own, the signed beside ours, the sealed by hand.

    :param found: dict of way to list of figures, each as of _FIGURES
    :returns: list of figures.Row; what is compared with is in the
        column of stock
    """
    ways = [(way, way, _STOCK) for way in list(_WAYS)[1:]]
    ways.append((f'{_SIGNED}, beside {_OURS}', _SIGNED, _OURS))
    ways.append((f'{_SEALED}, beside {_BY_HAND}', _SEALED, _BY_HAND))
    return [
        figures.Row(f'{title}: {name}', others, ours)
        for name, way, other in ways
        for title, others, ours in zip(
            _FIGURES,
            zip(*found[other], strict=True),
            zip(*found[way], strict=True),
            strict=True,
        )
    ]


def _measured(box, server, way):
    """Take an image; returns figures as of _FIGURES."""
    compute = box.cloud.compute
    # It wins over what the ISO says.
    sealed = 'true' if way == _SEALED else 'false'
    compute.set_server_metadata(server, **{_SEAL: sealed})
    try:
        taken = _take(box, server)
    finally:
        compute.delete_server_metadata(server, [_SEAL])
    return _said(way, taken)


def _said(way, taken):
    figures_of_it = (
        f'{figure:.1f} {title}'
        for figure, title in zip(taken, _FIGURES, strict=True)
    )
    say(f'{way}: {", ".join(figures_of_it)}')
    return taken


def _measured_by_hand(box, server):
    """Seal the server's disk on the host; returns figures as of _FIGURES."""
    directory = box.instances / server.id
    [(path, disk_format)] = [
        (path, disk_format)
        for path, disk_format in json.loads(
            (directory / 'disk.info').read_text()
        ).items()
        if path.endswith(f'/{layout.INSTALL_ROOT}')
    ]
    with (
        tempfile.TemporaryDirectory(
            prefix=f'{onebox.NAME}-', dir=box.instances
        ) as work,
        Peak(pathlib.Path(work)) as peak,
    ):
        seconds, size = seal_by_hand(path, disk_format, work)
    return _said(_BY_HAND, (seconds, size / _MIB, peak.bytes / _MIB))


def seal_by_hand(path, disk_format, work):
    """The commands, on an overlay: the server's disk is not written.

    :param path: of the disk
    :param disk_format: of the disk
    :param work: a directory for what is made
    :returns: seconds, and bytes of the image
    """
    copy, image = os.path.join(work, 'copy'), os.path.join(work, 'image')
    _run(
        'qemu-img',
        'create',
        '-q',
        '-f',
        'qcow2',
        '-b',
        path,
        '-F',
        disk_format,
        copy,
    )
    began = time.monotonic()
    _run('virt-sysprep', '-q', '--no-network', '--format', 'qcow2', '-a', copy)
    _run('virt-sparsify', '-q', '--in-place', '--format', 'qcow2', copy)
    _run(
        'qemu-img',
        'convert',
        '-f',
        'qcow2',
        '-O',
        'qcow2',
        '-c',
        '-o',
        'compression_type=zstd',
        copy,
        image,
    )
    return time.monotonic() - began, os.path.getsize(image)


def _run(*command):
    # As nova-compute of the box has it: KVM may be there and not work.
    environment = os.environ | {
        'LIBGUESTFS_BACKEND': 'direct',
        'LIBGUESTFS_BACKEND_SETTINGS': 'force_tcg',
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise BenchmarkError(f'{command[0]} failed: {done.stderr.strip()}')


def _take(box, server):
    with Peak(box.instances / 'snapshots') as peak:
        began = time.monotonic()
        image = box.cloud.compute.create_server_image(server, onebox.NAME)
        onebox.wait_for(
            'the image is active',
            lambda: _is_active(box, image),
            _LOOK,
            _LIMIT,
        )
        seconds = time.monotonic() - began
    size = box.cloud.image.get_image(image.id).size
    box.cloud.image.delete_image(image.id)
    onebox.wait_for(
        'the server is left alone',
        lambda: not box.cloud.compute.get_server(server.id).task_state,
        _LOOK,
    )
    return seconds, size / _MIB, peak.bytes / _MIB


def _is_active(box, image):
    found = box.cloud.image.find_image(image.id)
    if found is None:
        raise BenchmarkError(
            'the image failed; see the log of nova-compute of the box'
        )
    return found.status == 'active'


class Peak:
    """Watches how much room a directory takes.

    :ivar bytes: the most of it that was seen
    """

    def __init__(self, directory):
        self._directory = directory
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(_LOOK):
            self.bytes = max(self.bytes, disk.allocated_below(self._directory))
