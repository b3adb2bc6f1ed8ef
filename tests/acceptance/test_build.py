# SPDX-License-Identifier: Apache-2.0
"""``openstack golden build``: one command, any client, nothing left over."""

import subprocess

import pytest

from tests.acceptance import onebox

NAME = 'newos-test-build'
COMMAND = ('golden', 'build')
# What the probe says on its console when it was booted from its disk.
BOOTED = 'booted-from=disk'


@pytest.fixture
def create(cloud, install_iso):
    """Arguments of the client; what builds leave is deleted."""

    def arguments(*more, boot_test=BOOTED, iso=install_iso):
        return (
            *COMMAND,
            'create',
            *(f'--iso={iso}', '--flavor=m1.nano', '--network=none'),
            f'--boot-test={boot_test}',
            *more,
            NAME,
        )

    yield arguments
    for server in cloud.compute.servers(tags='golden-build'):
        cloud.delete_server(server.id, wait=True)
    for is_hidden in (False, True):
        for image in cloud.image.images(
            tag='golden-build', is_hidden=is_hidden
        ):
            cloud.image.delete_image(image)


@pytest.fixture
def assert_golden(cloud):
    """One image that boots for anyone, and nothing else of the build."""

    def check(image_id):
        found = [
            image
            for is_hidden in (False, True)
            for image in cloud.image.images(
                tag='golden-build', is_hidden=is_hidden
            )
        ]
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
            if f'] {phase}: ' in line:
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


def test_clients_are_killed(create, assert_golden, tmp_path):
    """In each phase; another one goes on, from another directory."""
    build_id = kill_at('install', create('--wait'), '/')
    for phase in ('capture', 'test'):
        kill_at(phase, (*COMMAND, 'wait', build_id), tmp_path)
    shown = onebox.openstack(*COMMAND, 'wait', build_id, '--format=json')
    assert shown['phase'] == 'done'
    assert_golden(shown['image'])
    assert listed() == []


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
