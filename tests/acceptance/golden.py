# SPDX-License-Identifier: Apache-2.0
"""What the image of a root disk must be, and what is left if there is none."""

import json
import subprocess

from tests.acceptance import faults
from tests.acceptance import onebox

#: Properties that are about the installation, or about another server.
_FOREIGN = ('newos', 'base_image', 'owner_specified', 'trait:')

#: What is known of every one of them.
_PROVENANCE = {
    f'provenance_{name}'
    for name in ('iso', 'server', 'flavor', 'versions', 'started', 'captured')
}


def check(image, min_disk=1):
    """Whether a stranger could boot it, and sees where it comes from.

    :param image: of openstacksdk
    :param min_disk: GiB of the root disk
    """
    assert image.status == 'active'
    assert image.disk_format == 'qcow2'
    assert image.min_disk == min_disk
    assert image.min_ram == 0
    # A whole ISO is less, and the probe's disk is more than nothing.
    assert image.size > 2**20
    assert [n for n in image.properties if n.startswith(_FOREIGN)] == []
    missing = _PROVENANCE - set(image.properties)
    assert not missing, missing


def check_compressed(box, image):
    """Whether the bytes in Glance's store are compressed.

    Not all of them: QEMU leaves as it is what would not become less.
    """
    path = box.state.glance_store / image.id
    details = _qemu_img('info', path)['format-specific']['data']
    assert details['compression-type'] == 'zstd'
    assert _qemu_img('check', path)['compressed-clusters'] > 0


def _qemu_img(command, path):
    return json.loads(
        subprocess.check_output(
            ['qemu-img', command, '-f', 'qcow2', '--output=json', path]
        )
    )


def named(cloud, name):
    """The one image of that name."""
    [image] = cloud.image.images(name=name)
    return image


def assert_cannot_be_made(guest):
    """Try to take the image of a server, of which nothing may be left.

    :param guest: a server that is switched off
    """
    name = 'newos-test-not-made'
    root = guest.directory / 'disk.newos'
    # Nova leaves there what it was at when it is killed.
    snapshots = guest.box.state.instances / 'snapshots'
    before = faults.digest_of(root), set(snapshots.glob('*'))
    taken = onebox.openstack(
        *('server', 'image', 'create', '--wait', '--name', name, guest.id),
        check=False,
    )
    assert taken.returncode != 0
    guest.wait_for_status('SHUTOFF')
    assert list(guest.cloud.image.images(name=name)) == []
    assert (faults.digest_of(root), set(snapshots.glob('*'))) == before
