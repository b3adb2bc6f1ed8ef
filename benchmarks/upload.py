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

import psutil

from benchmarks import figures
from benchmarks import onebox
from devstack.onebox.progress import say

SIZE = 2**30

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
_AGAIN = ', without it twice'
_FIGURES = ('MiB/s', 'processor s')


def measure(box, runs):
    """Compare uploads with the filter and without.

    :param box: onebox.Cloud
    :param runs: uploads of each kind to each
    :returns: list of figures.Row
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
                for way, glance in ways[run % 3 :] + ways[: run % 3]:
                    figures_of_it = _upload(
                        box, glance, files[disk_format], disk_format, in_chunks
                    )
                    found.setdefault(way, []).append(figures_of_it)
            say(f'round {run} of {runs}')
    # The first round reads the database of systems, and is not counted.
    return compare({way: taken[1:] for way, taken in found.items()})


def compare(found):
    """Each kind with the filter, and twice without it.

    :param found: dict of way to list of figures, each as of _FIGURES
    :returns: list of figures.Row; stock is without the filter
    """
    ways = [
        (way, kind, other)
        for kind, _format, _in_chunks in _KINDS
        for way, other in (
            (kind, f'{kind}, filter'),
            (kind + _AGAIN, kind + _AGAIN),
        )
    ]
    return [
        figures.Row(f'{way}: {name}', plain, watched)
        for way, kind, other in ways
        for name, plain, watched in zip(
            _FIGURES,
            zip(*found[kind], strict=True),
            zip(*found[other], strict=True),
            strict=True,
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
    """A Glance on a port of its own: its URL, and its first process.

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
            yield f'http://127.0.0.1:{port}/v2', psutil.Process(process.pid)
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


def _processor_seconds(process):
    """What a process and those that it has started have used."""
    taken = [
        each.cpu_times()
        for each in (process, *process.children(recursive=True))
    ]
    return sum(times.user + times.system for times in taken)


def _upload(box, glance, path, disk_format, in_chunks):
    """Upload a file as a new image, and delete that; returns _FIGURES."""
    url, process = glance
    api = box.cloud.image
    image = api.create_image(
        name=onebox.NAME,
        disk_format=disk_format,
        container_format='bare',
        allow_duplicates=True,
    )
    with open(path, 'rb') as file:
        data = iter(lambda: file.read(_CHUNK), b'') if in_chunks else file
        before, began = _processor_seconds(process), time.monotonic()
        api.put(
            f'/images/{image.id}/file',
            endpoint_override=url,
            data=data,
            headers=_TYPE,
            raise_exc=True,
        )
        seconds = time.monotonic() - began
        used = _processor_seconds(process) - before
    api.delete_image(image.id)
    return SIZE / _MIB / seconds, used
