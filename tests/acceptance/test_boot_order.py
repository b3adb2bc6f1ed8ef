# SPDX-License-Identifier: Apache-2.0
"""What firmware does that does not find the installed system."""

import subprocess
import time

#: Seconds in which the probe would have booted from its ISO.
ENOUGH = 15


def test_the_installer_does_not_start_again(launch, waiting_iso):
    guest = launch(waiting_iso)
    guest.wait_for_report(**{'booted-from': 'waiting'})
    guest.hard_reboot(**{'booted-from': 'waiting'})
    marker = guest.install_now().facts['marker']
    assert guest.boot().facts['marker'] == marker
    guest.call('stop_server', expect='SHUTOFF')

    root = guest.directory / 'disk.newos'
    # All but the two bytes by which a BIOS knows that it can boot.
    _qemu_io(root, 'write -P 0 0 510')
    guest.call('start_server')
    assert guest.boot_order() == ['hd']
    time.sleep(ENOUGH)
    assert guest.reports() == []
    told = guest.server().metadata
    assert 'newos_boot=installer' in told['newos_boot_order']

    guest.command('set', '--property', 'newos_boot=installer')
    report = guest.hard_reboot(**{'booted-from': 'waiting'})
    assert report.facts['boot']
    told = guest.server().metadata
    assert told == {'newos_boot_order': 'installer, then disk'}


def test_nonsense_is_asked_for(launch, waiting_iso):
    guest = launch(
        waiting_iso, '--property=newos_boot=cdrom', expect=('ERROR',)
    )
    assert "newos_boot='cdrom'" in guest.server().fault['message']
    assert "newos_boot='cdrom'" in guest.told()
    guest.assert_nothing_left()


def _qemu_io(disk, command):
    """What qemu-io prints of a disk that no guest writes to."""
    done = subprocess.run(
        ['qemu-io', '-f', 'qcow2', '-c', command, disk],
        check=True,
        capture_output=True,
    )
    return done.stdout
