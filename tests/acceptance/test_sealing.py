# SPDX-License-Identifier: Apache-2.0
"""Images that cannot be sealed, or are refused: nothing is lost.

A sealed image that boots is what the demo makes, see test_main_job.py. And one
that is signed, of the same server.
"""

import concurrent.futures
import json
import os
import signal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
import pytest

from tests import processes
from tests.acceptance import conftest
from tests.acceptance import golden
from tests.acceptance import onebox

NAME = 'newos-test-sealed'


@pytest.fixture(scope='module')
def installed(box, cloud, install_iso):
    """A server with a boot loader and no operating system that is known."""
    servers = conftest.Servers(box, cloud, 'onebox')
    guest = servers(install_iso)
    guest.install()
    yield guest
    servers.delete()


def test_what_the_operator_refuses(box, installed, cloud):
    with box.configured({'newos.refuse': 'boot_loader,cloud_init'}):
        golden.assert_cannot_be_made(installed)
        event = installed.last_event()
        assert 'cloud_init=unknown' in event
        assert 'boot_loader' not in event

        # Nor as a backup, of which one can make servers.
        installed.call('backup_server', NAME, 'daily', 1, expect='SHUTOFF')
        assert 'cloud_init=unknown' in installed.last_event()
        assert list(cloud.image.images(name=NAME)) == []


def test_what_the_operator_does_not_offer(box, installed):
    """Before anything is made of it."""
    for policy, asked in (('never', 'true'), ('require', 'false')):
        installed.command('set', '--property', f'newos_seal={asked}')
        with box.configured({'newos.seal': policy}):
            golden.assert_cannot_be_made(installed)
            assert f'seal={policy}' in installed.last_event()
    installed.command('unset', '--property', 'newos_seal')


def test_what_cannot_be_sealed(box, installed, images):
    """And without sealing there is an image of it."""
    installed.command('set', '--property', 'newos_seal=true')
    golden.assert_cannot_be_made(installed)
    assert 'no operating system' in installed.last_event()

    copies = box.state.instances / 'snapshots'
    with (
        box.configured({'newos.appliance_timeout': '30'}),
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        tried = pool.submit(golden.assert_cannot_be_made, installed)
        [appliance] = onebox.wait_for(
            'the appliance runs', lambda: processes.qemus(copies), interval=0.1
        )
        os.kill(appliance, signal.SIGSTOP)
        tried.result()
    assert 'appliance_timeout=30' in installed.last_event()
    assert processes.qemus(copies) == []

    installed.command('set', '--property', 'newos_seal=false')
    image = installed.cloud.compute.create_server_image(
        installed.id, NAME, wait=True, timeout=onebox.LIMIT
    )
    images.adopt(image.id)
    golden.check(installed.cloud.image.get_image(image.id))
    assert installed.boot().facts['marker']


def test_a_seal_that_means_nothing(launch, install_iso):
    """Told before there is anything to seal."""
    guest = launch(
        install_iso, '--property=newos_seal=perhaps', expect=('ERROR',)
    )
    assert "newos_seal='perhaps'" in guest.server().fault['message']
    guest.assert_nothing_left()


@pytest.fixture
def keys(tmp_path):
    """Paths of a key to sign with, and of a directory of those trusted."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = tmp_path / 'key.pem'
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    private.chmod(0o600)
    trusted = tmp_path / 'trusted'
    trusted.mkdir()
    (trusted / 'host.pem').write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    return private, trusted


def verify(image_id, trusted, *options):
    """Exit status of the client, and details of what is wrong, by fact."""
    process = onebox.openstack(
        *('golden', 'image', 'verify', '--format=json', image_id),
        *(f'--trust={trusted}', *options),
        check=False,
    )
    rows = json.loads(process.stdout)
    return process.returncode, {
        row['fact']: row['detail'] for row in rows if row['state'] == 'wrong'
    }


def take(guest, images):
    """An image of a server; returns its id."""
    image = guest.cloud.compute.create_server_image(
        guest.id, 'newos-test-signed', wait=True, timeout=onebox.LIMIT
    )
    images.adopt(image.id)
    guest.wait_for_status('ACTIVE', 'SHUTOFF')
    return image.id


def test_signed_image(box, installed, launch, images, media, keys):
    """Whoever has the public key sees what its owner makes of it."""
    private, trusted = keys
    cloud = installed.cloud
    with box.configured({'newos.signing_key': str(private)}):
        image_id = take(installed, images)
        golden.check(cloud.image.get_image(image_id))
        assert verify(image_id, trusted, '--download') == (0, {})

        # Of a server that is made from it.
        snapshot = take(launch(image_id), images)
    status, wrong = verify(snapshot, trusted)
    assert (status, wrong) == (1, {'signature': 'the image is not signed'})

    # All that it says, on other bytes: what a Nova without this driver makes
    # of its servers is the same.
    properties = cloud.image.get_image(image_id).properties
    copy = images(
        media['installed'],
        disk_format='raw',
        **{
            name: value
            for name, value in properties.items()
            if name.startswith(('golden_', 'provenance_'))
        },
    )
    status, wrong = verify(copy, trusted)
    assert (status, {*wrong}) == (1, {'image', 'bytes'})
    assert image_id in wrong['image']

    flavor = properties['provenance_flavor']
    cloud.image.update_image(image_id, provenance_flavor='\x1b[2Jother')
    assert verify(image_id, trusted) == (
        1,
        {
            'provenance_flavor': f"signed '{flavor}', "
            "changed to '\\x1b[2Jother'"
        },
    )
