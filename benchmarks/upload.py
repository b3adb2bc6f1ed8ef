# SPDX-License-Identifier: Apache-2.0
"""What the upload filter costs an upload to Glance.

Two processes of Glance on the box's database and store, one with the filter
in its pipeline and one without, take the same file in turns.
"""

import contextlib
import http.client
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from benchmarks import figures
from benchmarks import onebox
from devstack.onebox.progress import say

SIZE = 256 * 2**20

_MIB = 2**20
# As glanceclient has them.
_CHUNK = 2**20
_TYPE = {'Content-Type': 'application/octet-stream'}
# Seconds between two looks.
_LOOK = 0.2
#: What is uploaded, (title, disk format, whether in chunks).
_KINDS = (
    ('an ISO', 'iso', False),
    ('an ISO, in chunks', 'iso', True),
    ('another image', 'raw', False),
)
_AGAIN = ': without it twice'


def measure(box, runs):
    """Compare uploads with the filter and without.

    :param box: onebox.Cloud
    :param runs: uploads of each kind to each
    :returns: list of figures.Row, in MiB a second
    """
    with (
        _files() as files,
        _glance(box, without_filter) as plain,
        _glance(box, str) as watched,
        # In the end the images go first, while both still run.
        box.cleaned_up(),
    ):
        found = {}
        for run in range(runs + 1):
            for title, disk_format, in_chunks in _KINDS:
                ways = [(title, plain), (title + _AGAIN, plain)]
                ways.append((f'{title}, filter', watched))
                # No way is always the first.
                for way, url in ways[run % 3 :] + ways[: run % 3]:
                    speed = _upload(
                        box, url, files[disk_format], disk_format, in_chunks
                    )
                    found.setdefault(way, []).append(speed)
            say(f'round {run} of {runs}')
    # The first round reads the database of systems, and is not counted.
    return compare({way: speeds[1:] for way, speeds in found.items()})


def compare(found):
    """Each kind with the filter, and twice without it.

    :param found: dict of way to list of MiB a second
    :returns: list of figures.Row; stock is without the filter
    """
    return [
        row
        for title, _format, _in_chunks in _KINDS
        for row in (
            figures.Row(title, found[title], found[f'{title}, filter']),
            figures.Row(title + _AGAIN, found[title], found[title + _AGAIN]),
        )
    ]


def without_filter(paste):
    """The text of a paste configuration with our filter in no pipeline."""
    return re.sub(r'(?m)^(\S+ = .*) newos_iso\b', r'\1', paste)


@contextlib.contextmanager
def _files():
    """What is uploaded: ``{disk format: path}``."""
    with onebox.probe_iso() as iso, tempfile.TemporaryDirectory() as directory:
        other = pathlib.Path(directory) / 'raw'
        other.write_bytes(bytes(1024) + b'no image of any format')
        for path in (iso, other):
            with open(path, 'r+b') as file:
                file.truncate(SIZE)
        yield {'iso': iso, 'raw': other}


@contextlib.contextmanager
def _glance(box, change):
    """A process of Glance on a port of its own; its URL.

    :param change: from the paste configuration of the box to that of this one
    """
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix=onebox.NAME) as directory:
        place = pathlib.Path(directory)
        shutil.copytree(box.state.etc / 'glance', place / 'glance')
        paste = place / 'glance' / 'glance-api-paste.ini'
        paste.write_text(change(paste.read_text()))
        uwsgi = (box.state.etc / 'glance.uwsgi.ini').read_text()
        (place / 'uwsgi.ini').write_text(
            re.sub(r'(?m)^(http-socket = .*):\d+$', rf'\1:{port}', uwsgi)
        )
        with open(place / 'log', 'wb') as log:
            process = subprocess.Popen(
                [box.state.venv / 'bin' / 'uwsgi', '--ini', 'uwsgi.ini'],
                cwd=place,
                env={'OS_GLANCE_CONFIG_DIR': str(place / 'glance')},
                stdout=log,
                stderr=log,
            )
        try:
            onebox.wait_for('Glance answers', lambda: _answers(port), _LOOK)
            yield f'http://127.0.0.1:{port}/v2'
        finally:
            process.terminate()
            process.wait()


def _answers(port):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    with contextlib.closing(connection):
        try:
            connection.request('GET', '/')
            return connection.getresponse().status < 500
        except OSError:
            return False


def _upload(box, url, path, disk_format, in_chunks):
    """Upload a file as a new image, and delete that; MiB a second."""
    api = box.cloud.image
    image = api.create_image(
        name=onebox.NAME,
        disk_format=disk_format,
        container_format='bare',
        allow_duplicates=True,
    )
    with open(path, 'rb') as file:
        data = iter(lambda: file.read(_CHUNK), b'') if in_chunks else file
        began = time.monotonic()
        api.put(
            f'/images/{image.id}/file',
            endpoint_override=url,
            data=data,
            headers=_TYPE,
            raise_exc=True,
        )
        seconds = time.monotonic() - began
    api.delete_image(image.id)
    return SIZE / _MIB / seconds
