# SPDX-License-Identifier: Apache-2.0
"""Resize: the root disk grows, and nothing else changes."""

import json
import subprocess

import openstack
import pytest

from tests.acceptance import onebox
from tests.acceptance import storage

pytestmark = pytest.mark.usefixtures('pty_consoles')

GIB = 2**30


def _virtual_size(guest, name='disk.newos'):
    process = subprocess.run(
        ['qemu-img', 'info', '-U', '--output=json', guest.directory / name],
        capture_output=True,
        check=True,
    )
    return json.loads(process.stdout)['virtual-size']


class Story:
    """A server whose CD-ROMs and root disk are followed.

    :param report: of its first boot from the root disk
    """

    def __init__(self, guest, report):
        self.guest = guest
        self.cdroms = report.cdroms
        self.marker = report.facts['marker']
        self.wiring = guest.wiring()

    def check(self, report, gib, note):
        """What the guest and the host see now.

        :param gib: size of the root disk
        :param note: that is kept on it
        """
        assert report.cdroms == self.cdroms
        assert self.guest.wiring() == self.wiring
        [root] = report.disks
        assert (root['marker'], root['note']) == (self.marker, note)
        assert int(root['size']) == gib * GIB
        assert _virtual_size(self.guest) == gib * GIB

    def booted(self):
        return self.guest.wait_for_report(**{'booted-from': 'disk'})


@storage.on(
    *storage.ALL,
    sees=('resize-confirm', 'resize-revert'),
    refused=('resize-down', 'cold-migrate-same-host'),
)
def test_resize_up_and_back_and_up(
    launch, install_iso, flavor, digests, images_type
):
    guest = launch(install_iso)
    guest.install()
    story = Story(guest, guest.boot())
    assert [cdrom['sha256'] for cdrom in story.cdroms] == [
        digests['probe'],
        digests['drivers'],
    ]
    story.check(guest.ask('note small'), 1, 'small')
    large = flavor(disk=2)

    guest.call('resize_server', large, expect='VERIFY_RESIZE')
    story.check(story.booted(), 2, 'small')
    story.check(guest.ask('note large'), 2, 'large')
    guest.call('revert_server_resize')
    story.check(story.booted(), 1, 'small')

    guest.call('resize_server', large, expect='VERIFY_RESIZE')
    story.booted()
    guest.call('confirm_server_resize')
    story.check(guest.hard_reboot(), 2, 'small')
    assert [
        path.name for path in guest.box.state.instances.glob(f'{guest.id}*')
    ] == [guest.id]

    _resize_down(story, 'm1.nano')
    _migrate_to_same_host(story)


def _resize_down(story, small):
    """Refused, with the guest running on."""
    guest = story.guest
    before = guest.ask()
    flavor = guest.cloud.compute.find_flavor(small)
    guest.call('resize_server', flavor)
    assert 'cannot shrink' in guest.last_event()
    after = guest.ask()
    assert after.facts['boot'] == before.facts['boot']
    story.check(after, 2, 'small')


def _migrate_to_same_host(story):
    """Nova's driver cannot, with the guest running on."""
    guest = story.guest
    before = guest.ask()
    assert 'No valid host' in _migrated(guest)
    after = guest.ask()
    assert after.facts['boot'] == before.facts['boot']
    story.check(after, 2, 'small')


def _migrated(guest):
    """What becomes of a cold migration, which takes an administrator."""
    onebox.administrator().compute.migrate_server(guest.id)
    guest.wait_for_status('ACTIVE')
    return guest.last_event()


def test_an_ordinary_server_does_not_migrate_to_its_host(launch, disk_image):
    assert 'No valid host' in _migrated(launch(disk_image))


@pytest.mark.operation('resize-zero-disk')
def test_flavors_without_a_root_disk(
    launch_admin, admin, images, media, flavor
):
    """From one, stopped; to one, which Nova refuses for a local disk."""
    image = images(media['probe'], owner=admin, newos_root_disk_size='1')
    guest = launch_admin(image, flavor=flavor(disk=0))
    marker = guest.install().facts['marker']
    assert _virtual_size(guest) == GIB

    guest.call('resize_server', flavor(disk=2), expect='VERIFY_RESIZE')
    guest.call('confirm_server_resize', expect='SHUTOFF')
    with pytest.raises(openstack.exceptions.BadRequestException) as refusal:
        guest.call('resize_server', flavor(disk=0, ram=224))
    assert 'zero' in str(refusal.value)

    # What the image asks for is also the most it gets.
    assert _virtual_size(guest) == GIB
    report = guest.boot()
    assert report.facts['marker'] == marker
    assert report.disks[0]['size'] == str(GIB)
