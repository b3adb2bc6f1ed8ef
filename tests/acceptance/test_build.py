# SPDX-License-Identifier: Apache-2.0
"""``openstack golden build``: one command, any client, nothing left over."""

import json
import subprocess

import pytest

from tests.acceptance import faults
from tests.acceptance import guests
from tests.acceptance import onebox

NAME = 'newos-test-build'
COMMAND = ('golden', 'build')
# What Nova keeps beside the servers' directories.
_NOT_OF_SERVERS = {'_base', 'locks', 'snapshots', 'compute_nodes'}
# What the probe says on its console when it was booted from its disk.
BOOTED = 'booted-from=disk'


@pytest.fixture
def create(cloud, install_iso):
    """Arguments of the client; what builds leave is deleted."""

    def arguments(*more, boot_test=BOOTED, iso=install_iso, file=None):
        return (
            *COMMAND,
            'create',
            f'--iso-file={file}' if file else f'--iso={iso}',
            *('--flavor=m1.nano', '--network=none'),
            f'--boot-test={boot_test}',
            *more,
            NAME,
        )

    yield arguments
    for server in cloud.compute.servers(tags='golden-build'):
        cloud.delete_server(server.id, wait=True)
    for image in _images(cloud):
        cloud.image.delete_image(image)


def _images(cloud, **query):
    """Of builds, by default; those that are hidden too."""
    query = query or {'tag': 'golden-build'}
    return [
        image
        for is_hidden in (False, True)
        for image in cloud.image.images(is_hidden=is_hidden, **query)
    ]


@pytest.fixture
def nothing_left(box, cloud, create):
    """Asserts that all is as it was before the test."""

    def things():
        directories = {path.name for path in box.state.instances.iterdir()}
        return {
            'servers': {server.id for server in cloud.compute.servers()},
            'images': {image.id for image in _images(cloud, owner=project)},
            'ports': {port.id for port in cloud.network.ports()},
            'directories': directories - _NOT_OF_SERVERS,
            'snapshots': set((box.state.instances / 'snapshots').glob('*')),
        }

    project = cloud.current_project_id
    before = things()

    def check():
        onebox.wait_for('nothing is left', lambda: things() == before)

    return check


@pytest.fixture
def assert_golden(cloud):
    """One image that boots for anyone, and nothing else of the build."""

    def check(image_id):
        found = _images(cloud)
        assert [(i.id, i.name, i.is_hidden) for i in found] == [
            (image_id, NAME, False)
        ]
        assert found[0].properties['provenance_iso']
        onebox.wait_for(
            'the servers of the build are gone',
            lambda: not list(cloud.compute.servers(tags='golden-build')),
        )

    return check


def kill_at(phase, command, directory):
    """Run the client, kill it when it says a phase; returns the build's id."""
    with subprocess.Popen(
        ['openstack', '--os-cloud', 'onebox', *command],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        said = []
        for line in client.stderr:
            said.append(line)
            if f'{phase}: ' in line:
                break
        else:
            raise AssertionError(''.join(said))
        client.kill()
    [[build_id, *_rest]] = listed()
    return build_id


def listed():
    """Rows of ``golden build list``."""
    rows = onebox.openstack(*COMMAND, 'list', '--format=json')
    return [list(row.values()) for row in rows]


def fails(*command):
    """What ``--format=json`` prints of a build that fails, and the rest."""
    process = onebox.openstack(*command, '--format=json', check=False)
    assert process.returncode == 1, process.stdout + process.stderr
    return json.loads(process.stdout), process.stderr


def test_clients_are_killed(create, assert_golden, media, tmp_path):
    """In each phase; another one goes on, from another directory."""
    build_id = kill_at('install', create('--wait', file=media['probe']), '/')
    for phase in ('capture', 'test'):
        kill_at(phase, (*COMMAND, 'wait', build_id), tmp_path)
    shown = onebox.openstack(*COMMAND, 'wait', build_id, '--format=json')
    assert shown['phase'] == 'done'
    # Neither the ISO that it has uploaded.
    assert_golden(shown['image'])
    assert listed() == []


def test_client_is_killed_while_it_uploads(create, media, nothing_left):
    """Nobody else has the file; it is seen, and can be cancelled."""
    build_id = kill_at('upload', create(file=media['probe']), '/')
    [[_id, _name, _begun, phase, detail]] = listed()
    assert phase == 'upload'
    assert media['probe'].name in detail
    onebox.openstack(*COMMAND, 'cancel', build_id)
    nothing_left()


def test_file_that_is_no_iso(create, tmp_path, nothing_left):
    path = tmp_path / 'no.iso'
    path.write_bytes(bytes(2**20))
    process = onebox.openstack(*create(file=path), check=False)
    assert process.returncode == 1
    assert 'no ISO 9660 or UDF volume' in process.stderr
    process = onebox.openstack(*create(iso=path), check=False)
    assert f'use --iso-file {path}' in process.stderr
    nothing_left()


def test_quota(create, admin, cloud, nothing_left):
    """Told before anything is made."""
    project = cloud.current_project_id
    before = admin.compute.get_quota_set(project).instances
    admin.set_compute_quotas(project, instances=1)
    try:
        process = onebox.openstack(*create(), check=False)
    finally:
        admin.set_compute_quotas(project, instances=before)
    assert process.returncode == 1
    assert 'the quota of instances, which is 1' in process.stderr
    nothing_left()


def test_no_host_then_resumed(create, admin, cloud, assert_golden):
    """The evidence stays, and the build goes on where it failed."""
    [host] = (
        service
        for service in admin.compute.services()
        if service.binary == 'nova-compute'
    )
    admin.compute.disable_service(host)
    try:
        shown, said = fails(
            *create('--keep-failed', '--wait', boot_test='none')
        )
    finally:
        admin.compute.enable_service(host)
    assert shown['failed_in'] == 'install'
    assert 'No valid host' in shown['detail']
    assert shown['seconds'] >= shown['phase_seconds']
    assert 'has failed after' in said
    [failed] = cloud.compute.servers(tags='golden-build')
    again = onebox.openstack(*COMMAND, 'show', shown['id'], '--format=json')
    assert again == shown
    resumed = onebox.openstack(
        *COMMAND, 'resume', '--wait', shown['id'], '--format=json'
    )
    assert resumed['phase'] == 'done'
    assert_golden(resumed['image'])
    assert not cloud.compute.find_server(failed.id)


def test_installer_that_hangs(box, create, cloud, waiting_iso, nothing_left):
    onebox.openstack(*create('--install-limit=0.1', iso=waiting_iso))
    [server] = cloud.compute.servers(tags='golden-build')
    guest = guests.Guest(box, cloud, server.id)
    # Later than the limit, on any machine.
    guest.wait_for_report(**{'booted-from': 'waiting'})
    [[build_id, *_rest]] = listed()
    shown, said = fails(*COMMAND, 'wait', build_id)
    assert shown['failed_in'] == 'install'
    assert 'in 0.1 min' in shown['detail']
    # How far it came, for people and for programs.
    assert any('probe: ' in line for line in shown['console'])
    assert 'probe: ' in said
    nothing_left()


def test_image_that_does_not_boot(create, nothing_left):
    shown, _said = fails(
        *create('--test-limit=0.2', '--wait', boot_test='^never$')
    )
    assert shown['failed_in'] == 'test'
    assert "'^never$'" in shown['detail']
    nothing_left()


def test_glance_is_stopped_under_two_clients(
    box, create, cloud, assert_golden
):
    """Both say so, go on when it is back, and make one image."""
    services = faults.Services(box)
    onebox.openstack(*create(boot_test='none'))
    [[build_id, *_rest]] = listed()
    [server] = cloud.compute.servers(tags='golden-build')
    onebox.wait_for(
        'the installer has powered the server off',
        lambda: cloud.compute.get_server(server.id).status == 'SHUTOFF',
    )
    services.stop('glance')
    try:
        clients = [_waits(build_id) for _client in range(2)]
        for client in clients:
            for line in client.stderr:
                if 'does not answer, trying again' in line:
                    break
            else:
                raise AssertionError('it has ended')
    finally:
        services.start('glance')
    for client in clients:
        shown, said = client.communicate(timeout=onebox.LIMIT)
        assert client.returncode == 0, said
        shown = json.loads(shown)
        assert shown['phase'] == 'done'
    assert_golden(shown['image'])


def _waits(build_id):
    """A client that waits for a build."""
    command = ['openstack', '--os-cloud', 'onebox', *COMMAND, 'wait']
    return subprocess.Popen(
        [*command, build_id, '--format=json'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_iso(create, images, media):
    image = images(media['installed'], disk_format='raw')
    process = onebox.openstack(*create(iso=image), check=False)
    assert process.returncode == 1
    assert 'disk_format iso' in process.stderr
    assert listed() == []


def test_cancelled(create, cloud):
    onebox.openstack(*create())
    [[build_id, *_rest]] = listed()
    onebox.openstack(*COMMAND, 'cancel', build_id)
    onebox.wait_for(
        'its server is gone',
        lambda: not list(cloud.compute.servers(tags='golden-build')),
    )
    process = onebox.openstack(*COMMAND, 'show', build_id, check=False)
    assert f'there is no build {build_id}' in process.stderr
