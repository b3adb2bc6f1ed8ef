# SPDX-License-Identifier: Apache-2.0
"""What firmware does that does not find the installed system."""


def test_the_installer_does_not_start_again(launch, waiting_iso):
    guest = launch(waiting_iso)
    guest.wait_for_report(**{'booted-from': 'waiting'})
    guest.hard_reboot(**{'booted-from': 'waiting'})
    marker = guest.install_now().facts['marker']
    assert guest.boot().facts['marker'] == marker
    guest.call('stop_server', expect='SHUTOFF')

    # All but the two bytes by which a BIOS knows that it can boot.
    guest.lose_boot_sectors(510)
    guest.call('start_server')
    guest.assert_does_not_boot()
    told = guest.server().metadata
    assert 'newos_boot=installer' in told['newos_boot_order']

    guest.command('set', '--property', 'newos_boot=installer')
    guest.hard_reboot(**{'booted-from': 'waiting'})
    told = guest.server().metadata
    assert told == {'newos_boot_order': 'installer, then disk'}


def test_the_installers_reboot_ends_its_run(launch, waiting_iso):
    guest = launch(waiting_iso, '--property=newos_finish=reboot')
    guest.wait_for_report(**{'booted-from': 'waiting'})
    # It is SHUTOFF, and as it was installed: nothing has booted it.
    marker = guest.install_and_reboot().facts['marker']
    report = guest.boot()
    assert report.facts['marker'] == marker
    assert report.facts['boots'] == '1'
    assert guest.domain_xml().findtext('on_reboot') == 'restart'


def test_nonsense_is_asked_for(launch, waiting_iso):
    guest = launch(
        waiting_iso, '--property=newos_boot=cdrom', expect=('ERROR',)
    )
    assert "newos_boot='cdrom'" in guest.server().fault['message']
    assert "newos_boot='cdrom'" in guest.told()
    guest.assert_nothing_left()
