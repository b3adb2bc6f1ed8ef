# SPDX-License-Identifier: Apache-2.0
"""Images of a server: always the root disk, always a right record."""

import pytest

from tests.acceptance import golden
from tests.acceptance import onebox
from tests.acceptance import storage


@pytest.fixture
def take(images):
    """Takes an image of a server; returns its record."""

    def make(guest, cloud=None):
        cloud = cloud or guest.cloud
        image = cloud.compute.create_server_image(
            guest.id, 'newos-test-golden', wait=True, timeout=onebox.LIMIT
        )
        images.adopt(image.id, cloud)
        guest.wait_for_status('ACTIVE', 'SHUTOFF')
        record = cloud.image.get_image(image.id)
        golden.check(record)
        return record

    return make


@storage.on(
    *storage.ALL,
    sees=(
        'create',
        'snapshot-cold',
        'snapshot-live',
        'snapshot-by-admin',
        'backup',
    ),
)
def test_images_of_a_server(
    launch, install_iso, take, images, admin, box, images_type
):
    guest = launch(install_iso)
    marker = guest.install().facts['marker']
    cold = take(guest)
    golden.check_compressed(box, cold)
    iso = guest.cloud.image.get_image(install_iso)
    assert cold.properties['provenance_iso_hash'] == (
        f'{iso.hash_algo}:{iso.hash_value}'
    )
    guest.boot()
    guest.ask('note live')
    running = guest.ask()

    live = take(guest)
    golden.check_compressed(box, live)
    by_admin = take(guest, admin)
    assert by_admin.owner_id == admin.current_project_id
    _two_backups(guest, images)

    after = guest.ask()
    assert after.facts['boot'] == running.facts['boot']
    assert after.devices == running.devices
    _boots(launch(live.id), marker, 'live')
    if images_type == storage.QCOW2:
        _boots(launch(cold.id), marker, 'none')


def _boots(server, marker, note):
    """An image boots an ordinary server with what was on the root disk."""
    report = server.wait_for_report(**{'booted-from': 'disk'})
    assert report.facts['marker'] == marker
    assert [device['note'] for device in report.devices] == [note]
    assert server.disks() == [('disk', 'vda', 'disk')]
    # One at a time: these guests share two processors.
    server.delete()


def _two_backups(guest, images):
    """The second takes the place of the first."""
    name = f'newos-test-backup-{guest.id}'
    found = []

    def rotated():
        """Nova deletes the first one after all else is done."""
        listed = list(guest.cloud.image.images(name=name))
        return listed if len(listed) == 1 else None

    for _each in range(2):
        guest.call('backup_server', name, 'daily', 1)
        [image] = onebox.wait_for('one backup', rotated)
        images.adopt(image.id)
        golden.check(image)
        found.append(image.id)
    assert found[0] != found[1]
