# SPDX-License-Identifier: Apache-2.0
"""Power: the same devices in the same order, after whatever Nova does."""

import libvirt
import pytest

from tests.acceptance import onebox
from tests.acceptance import storage
from tests.acceptance.cache import lose


class Power:
    """What Nova can do to a running server, and what it must find again.

    :param guest: whose probe takes commands
    :param report: of its current boot
    """

    def __init__(self, guest, report):
        self.guest = guest
        self.hardware = report.hardware
        self.wiring = guest.wiring()
        self.boot = report.facts['boot']

    def check(self, report, same_boot):
        assert report.hardware == self.hardware
        assert self.guest.wiring() == self.wiring
        assert (report.facts['boot'] == self.boot) is same_boot
        self.boot = report.facts['boot']

    def pause(self):
        self.guest.call('pause_server', expect='PAUSED')
        self.guest.call('unpause_server')
        self.check(self.guest.ask(), same_boot=True)

    def suspend(self):
        self.guest.call('suspend_server', expect='SUSPENDED')
        self.guest.call('resume_server')
        self.check(self.guest.ask(), same_boot=True)

    def reboot(self, kind):
        self.guest.call('reboot_server', kind)
        self.check(self.guest.wait_for_report(), same_boot=False)

    def stop_and_start(self):
        self.guest.call('stop_server', expect='SHUTOFF')
        self.guest.call('start_server')
        self.check(self.guest.wait_for_report(), same_boot=False)

    def lock(self):
        """A locked server stays as it is."""
        self.guest.call('lock_server')
        process = onebox.openstack(
            'server', 'stop', self.guest.id, check=False
        )
        assert 'locked' in process.stderr
        self.guest.call('unlock_server')
        self.check(self.guest.ask(), same_boot=True)

    def all(self):
        self.pause()
        self.suspend()
        self.reboot('SOFT')
        self.reboot('HARD')
        self.lock()
        self.stop_and_start()


@storage.on(
    storage.QCOW2,
    sees=(
        'stop-start',
        'soft-reboot',
        'hard-reboot',
        'pause',
        'suspend',
        'lock',
    ),
)
def test_power_before_and_after_the_install(launch, waiting_iso, digests):
    guest = launch(waiting_iso)
    report = guest.wait_for_report()
    assert report.facts['booted-from'] == 'waiting'
    assert [cdrom['sha256'] for cdrom in report.cdroms] == [
        digests['waiting'],
        digests['drivers'],
    ]
    Power(guest, report).all()

    marker = guest.install_now().facts['marker']
    installed = guest.boot()
    assert installed.facts['marker'] == marker
    assert installed.hardware == report.hardware
    Power(guest, installed).all()

    # Two reboots and a start, after the first start.
    assert guest.ask().disks[0]['boots'] == '4'


@pytest.fixture
def resuming_box(box):
    """A box whose nova-compute starts what ran when the host went down."""
    option = 'DEFAULT.resume_guests_state_on_host_boot'
    box.up('--set', f'{option}=true')
    yield box
    box.up('--set', f'{option}=')


def _boot_host(box):
    """What is left of a host that lost its power, and its next boot."""
    box.supervise('stop', 'nova-compute')
    with libvirt.open() as connection:
        for domain in connection.listAllDomains(
            libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        ):
            domain.destroy()
    box.supervise('stop', 'libvirtd')
    # libvirtd first: nova-compute starts guests at once.
    box.up()


@pytest.mark.operation('host-boot')
@pytest.mark.operation('lost-files')
def test_host_boot(
    resuming_box, launch, waiting_iso, images, media, digests, cloud
):
    """One is not installed yet; of the other one's CD-ROMs nothing is left."""
    driver_iso = images(media['drivers'])
    iso = images(media['waiting'], newos_virtio_image_id=driver_iso)
    waiting, robbed = launch(waiting_iso), launch(iso)
    before = [guest.wait_for_report() for guest in (waiting, robbed)]
    wiring = waiting.wiring()
    marker = robbed.install_now().facts['marker']
    robbed.boot()
    cloud.image.delete_image(driver_iso)
    lose(resuming_box, iso, driver_iso)

    _boot_host(resuming_box)

    for guest in (waiting, robbed):
        onebox.wait_for(f'{guest.id} runs', lambda g=guest: not g.is_off())
        guest.wait_for_status('ACTIVE')
    report = waiting.wait_for_report(**{'booted-from': 'waiting'})
    assert report.hardware == before[0].hardware
    assert waiting.wiring() == wiring
    report = robbed.wait_for_report(**{'booted-from': 'disk'})
    assert report.facts['marker'] == marker
    assert report.drives == before[1].drives
    # A host that boots has nobody's token to ask Glance with.
    assert report.discs == [None, None]
    report = robbed.hard_reboot()
    assert report.drives == before[1].drives
    assert report.discs == [digests['waiting'], None]
