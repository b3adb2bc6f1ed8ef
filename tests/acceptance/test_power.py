# SPDX-License-Identifier: Apache-2.0
"""Power: the same devices in the same order, after whatever Nova does."""

import libvirt
import pytest

from tests.acceptance import onebox
from tests.acceptance import storage


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
    box.supervise('restart', 'libvirtd')
    box.supervise('start', 'nova-compute')


@pytest.mark.operation('host-boot')
def test_host_boot(resuming_box, launch, waiting_iso):
    installed, waiting, stopped = (launch(waiting_iso) for _ in range(3))
    before = [guest.wait_for_report() for guest in (installed, waiting)]
    wiring = [guest.wiring() for guest in (installed, waiting)]
    marker = installed.install_now().facts['marker']
    installed.boot()
    stopped.call('stop_server', expect='SHUTOFF')

    _boot_host(resuming_box)

    for guest in (installed, waiting):
        onebox.wait_for(f'{guest.id} runs', lambda g=guest: not g.is_off())
        guest.wait_for_status('ACTIVE')
    after = [guest.wait_for_report() for guest in (installed, waiting)]
    assert [r.hardware for r in after] == [r.hardware for r in before]
    assert [g.wiring() for g in (installed, waiting)] == wiring
    assert after[0].facts['booted-from'] == 'disk'
    assert after[0].facts['marker'] == marker
    assert after[1].facts['booted-from'] == 'waiting'
    assert stopped.is_off()
