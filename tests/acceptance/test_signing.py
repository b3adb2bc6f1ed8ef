# SPDX-License-Identifier: Apache-2.0
"""A golden image that its compute host has signed, and what is made of it."""

import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
import pytest

from tests.acceptance import golden
from tests.acceptance import onebox


@pytest.fixture
def keys(tmp_path):
    """Paths of a new private key, and of a directory of those trusted."""
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


def test_signed_image(box, cloud, launch, install_iso, images, media, keys):
    private, trusted = keys
    guest = launch(install_iso)
    guest.install()
    with box.configured({'newos.signing_key': str(private)}):
        image_id = take(guest, images)
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
