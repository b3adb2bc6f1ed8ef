# SPDX-License-Identifier: Apache-2.0
"""Glance recognises ISOs, by whichever door they come."""

import contextlib
import functools
import http.client
import http.server
import os
import threading
import urllib.parse

import pytest

from tests.acceptance import onebox

# What is said of the probe under Debian's name.
RECOGNISED = {
    'os_type': 'linux',
    'os_distro': 'debian',
    'os_version': '11',
    'architecture': 'x86_64',
    'newos_os': 'debian11',
    'newos_boot': 'bios,uefi',
    'newos_volume_id': 'Debian 11.6.0 amd64 n',
}
_SYSTEM_AREA = 16 * 2048
# Of the sector with the volume's descriptor, see ECMA-119, 8.4.
_LABEL_AT = _SYSTEM_AREA + 40
_LABEL_LENGTH = 32
_NAME = 'newos-test-glance'


@pytest.fixture(scope='module')
def debian(media, tmp_path_factory):
    """Path of the probe ISO, with the label of an installer of Debian's."""
    content = bytearray(media['probe'].read_bytes())
    label = RECOGNISED['newos_volume_id'].encode().ljust(_LABEL_LENGTH)
    content[_LABEL_AT : _LABEL_AT + _LABEL_LENGTH] = label
    # Glance of 2025 takes no ISO that is a disk with a GPT as well.
    content[:_SYSTEM_AREA] = bytes(_SYSTEM_AREA)
    path = tmp_path_factory.mktemp('iso') / 'debian.iso'
    path.write_bytes(content)
    return path


@pytest.fixture
def empty(cloud, images):
    """Makes images without data, by default for an ISO; returns the id."""

    def make(disk_format='iso', **properties):
        made = cloud.image.create_image(
            name=_NAME,
            disk_format=disk_format,
            container_format='bare',
            allow_duplicates=True,
            **properties,
        )
        images.adopt(made.id)
        return made.id

    return make


@pytest.fixture
def demanding(box):
    """A Glance that says what a system needs."""
    with box.configured({'newos_iso.minimums': 'ram,disk'}):
        yield


@pytest.fixture
def refusing(box):
    """A Glance that refuses ISOs that it does not know, and what is none."""
    with box.configured({'newos_iso.refuse': 'not_iso,unknown'}):
        yield


def _shown(cloud, image):
    return cloud.image.get(f'/images/{image}').json()


def _check_recognised(image):
    assert image['status'] == 'active'
    assert {name: image.get(name) for name in RECOGNISED} == RECOGNISED
    assert image['newos_inspected']
    assert (image['min_ram'], image['min_disk']) == (0, 0)


def _put(cloud, image, data, **headers):
    answer = cloud.image.put(
        f'/images/{image}/file',
        data=data,
        headers={'Content-Type': 'application/octet-stream', **headers},
    )
    assert answer.status_code == 204, answer.text
    assert answer.content == b''


def _chunks(path):
    with open(path, 'rb') as file:
        while chunk := file.read(1000 * 1000):
            yield chunk


def _await(cloud, image, status):
    def reached():
        shown = _shown(cloud, image)
        return shown if shown['status'] == status else None

    return onebox.wait_for(f'image {image} is {status}', reached)


def test_upload_by_the_client(debian, cloud, images):
    made = onebox.openstack(
        'image',
        'create',
        '--format=json',
        '--disk-format=iso',
        f'--file={debian}',
        _NAME,
    )
    images.adopt(made['id'])
    image = _shown(cloud, made['id'])
    _check_recognised(image)
    assert image['size'] == debian.stat().st_size


def test_upload_in_chunks(debian, cloud, empty):
    """As glanceclient does it, and so Nova."""
    image = empty(os_distro='mine', min_ram=1)
    _put(cloud, image, _chunks(debian))
    shown = _shown(cloud, image)
    assert (shown['os_distro'], shown['min_ram']) == ('mine', 1)
    assert shown['newos_os'] == RECOGNISED['newos_os']
    data = cloud.image.get(f'/images/{image}/file').content
    assert data == debian.read_bytes()


@pytest.mark.usefixtures('demanding')
def test_minimums(debian, cloud, empty):
    uploaded, imported, live = empty(), empty(), empty(newos_install='false')
    for image in (uploaded, live):
        _put(cloud, image, debian.read_bytes())
    _import_staged(cloud, imported, debian)
    _await(cloud, imported, 'active')
    for image in (uploaded, imported):
        shown = _shown(cloud, image)
        assert shown['min_ram'] > 0
        assert shown['min_disk'] > 0
    shown = _shown(cloud, live)
    assert (shown['min_ram'], shown['min_disk']) == (0, 0)


def test_upload_of_something_else(cloud, empty):
    image = empty('raw')
    before = _shown(cloud, image)
    content = os.urandom(10_000_000)
    _put(cloud, image, content)
    after = _shown(cloud, image)
    assert after.keys() - before.keys() <= {'stores'}
    assert cloud.image.get(f'/images/{image}/file').content == content


def test_upload_that_is_broken_off(debian, cloud, empty):
    image = empty()
    url = urllib.parse.urlsplit(cloud.image.get_endpoint())
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.putrequest('PUT', f'/v2/images/{image}/file')
    for name, value in {
        'X-Auth-Token': cloud.auth_token,
        'Content-Type': 'application/octet-stream',
        'Content-Length': debian.stat().st_size,
    }.items():
        connection.putheader(name, value)
    connection.endheaders(debian.read_bytes()[: 1024 * 1024])
    _await(cloud, image, 'saving')
    connection.close()

    shown = _await(cloud, image, 'queued')
    assert 'newos_boot' not in shown
    _put(cloud, image, debian.read_bytes())
    _check_recognised(_shown(cloud, image))


def test_import_of_what_was_staged(debian, cloud, empty):
    image = empty()
    _import_staged(cloud, image, debian)
    _check_recognised(_await(cloud, image, 'active'))


def _import_staged(cloud, image, path):
    cloud.image.put(
        f'/images/{image}/stage',
        data=path.read_bytes(),
        headers={'Content-Type': 'application/octet-stream'},
    )
    _import(cloud, image, {'name': 'glance-direct'})


def _import(cloud, image, method):
    answer = cloud.image.post(
        f'/images/{image}/import', json={'method': method}
    )
    assert answer.status_code == 202, answer.text


def test_import_from_the_web(debian, cloud, empty):
    image = empty()
    with _served(debian.parent) as url:
        method = {'name': 'web-download', 'uri': f'{url}/{debian.name}'}
        _import(cloud, image, method)
        _check_recognised(_await(cloud, image, 'active'))


@contextlib.contextmanager
def _served(directory):
    """A web server on loopback, meanwhile; its URL."""
    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0),
        functools.partial(
            http.server.SimpleHTTPRequestHandler, directory=directory
        ),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f'http://127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        server.server_close()


def test_refused(refusing, debian, media, cloud, empty, images):
    """An ordinary user reads why; what is wanted passes."""
    process = onebox.openstack(
        *('image', 'create', '--disk-format=iso'),
        *(f'--file={media["probe"]}', _NAME),
        check=False,
    )
    assert process.returncode
    assert "'NEWOS_PROBE' is of no system" in process.stderr

    image = empty()
    answer = cloud.image.put(
        f'/images/{image}/file',
        data=iter([os.urandom(100_000)]),
        headers={'Content-Type': 'application/octet-stream'},
    )
    assert answer.status_code == 400
    assert 'not an ISO 9660' in answer.json()['message']
    assert _shown(cloud, image)['status'] == 'queued'

    _import_staged(cloud, image, media['probe'])
    _check_refused(cloud, image, imports=1)
    with _served(media['probe'].parent) as url:
        uri = f'{url}/{media["probe"].name}'
        _import(cloud, image, {'name': 'web-download', 'uri': uri})
        _check_refused(cloud, image, imports=2)

    # Glance's lock is gone, else it would answer 409.
    _import_staged(cloud, image, debian)
    shown = _await(cloud, image, 'active')
    _check_recognised(shown)
    assert 'newos_refused' not in shown
    drivers = images(media['drivers'], newos_install='false')
    assert _shown(cloud, drivers)['newos_boot'] == 'none'


def _check_refused(cloud, image, imports):
    """All imports of an image have failed, and it can be imported again."""

    def failed():
        tasks = cloud.image.get(f'/images/{image}/tasks').json()['tasks']
        return [task for task in tasks if task['status'] == 'failure']

    onebox.wait_for('the import is refused', lambda: len(failed()) == imports)
    shown = _shown(cloud, image)
    assert shown['status'] == 'queued'
    assert shown['os_glance_importing_to_stores'] == ''
    for text in (shown['newos_refused'], *(t['message'] for t in failed())):
        assert "'NEWOS_PROBE' is of no system" in text
