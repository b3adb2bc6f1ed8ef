# SPDX-License-Identifier: Apache-2.0
"""From our driver to Nova's own and back, and from a newer version of ours.

On demand: minutes, most of them of servers that boot. What is seen here is
said in doc/source/admin/downgrade.rst.
"""

import contextlib
import subprocess

import openstack
import pytest

from devstack.onebox import client
from tests.acceptance import faults
from tests.acceptance import golden

pytestmark = [pytest.mark.upgrade, pytest.mark.usefixtures('pty_consoles')]

_FROM_DISK = {'booted-from': 'disk'}
_NO_DISK = {'refused': True, 'reason': 'no-disk'}


@pytest.fixture
def install_iso(images, media, driver_iso, plain):
    """The probe ISO, for older releases too."""
    return images(plain(media['probe']), newos_virtio_image_id=driver_iso)


@pytest.fixture
def installed(launch, install_iso):
    """Makes servers that run from the disks they were installed on."""

    def make(count):
        guests = [launch.begin(install_iso) for _number in range(count)]
        for guest in guests:
            guest.marker = guest.install().facts['marker']
        for guest in guests:
            guest.call('start_server')
        for guest in guests:
            guest.wait_for_report(**_FROM_DISK)
        return guests

    return make


@contextlib.contextmanager
def stock_driver(box):
    box.use(client.STOCK)
    try:
        yield
    finally:
        box.use(client.OURS)


def _runs(guest, report):
    assert report.facts['marker'] == guest.marker
    return report


def _comes_back(guest):
    """What Nova's driver has defined is defined anew by ours."""
    report = _runs(guest, guest.hard_reboot())
    names = [name for name, _target, _device in guest.disks()]
    assert names == ['disk.newos', 'disk', 'disk.virtio']
    return report


def _boots_the_installer(guest):
    """Nova's driver has the install ISO alone."""
    guest.wait_for_report(**_NO_DISK)
    [(name, _target, device)] = guest.disks()
    assert (name, device) == ('disk', 'cdrom')
    assert (guest.directory / 'disk.newos').exists()


def _image(images, guest):
    """Have an image made, and say what it is of."""
    image_id = guest.cloud.compute.create_server_image(
        guest.id, 'newos-test-downgraded', wait=True, timeout=600
    ).id
    images.adopt(image_id)
    return guest.cloud.image.get_image(image_id)


def test_what_works_on_with_the_stock_driver(
    box, installed, images, disk_files, flavor, launch
):
    """What is as this driver has described it: running, or kept by libvirt."""
    active, rescued, suspended, resized = installed(4)
    rescue = images(disk_files['rescue'], disk_format='qcow2')
    rescued.call('rescue_server', image_ref=rescue, expect='RESCUE')
    suspended.call('suspend_server', expect='SUSPENDED')
    resized.call('resize_server', flavor(disk=2), expect='VERIFY_RESIZE')
    resized.wait_for_report(**_FROM_DISK)
    boot = active.ask('note kept').facts['boot']

    with stock_driver(box):
        assert active.ask().facts['boot'] == boot
        image = _image(images, active)
        assert image.disk_format == 'qcow2'
        suspended.call('resume_server')
        _runs(suspended, suspended.ask())
        rescued.call('unrescue_server')
        _runs(rescued, rescued.wait_for_report(**_FROM_DISK))
        rescued.call('reboot_server', 'SOFT')
        _runs(rescued, rescued.wait_for_report(**_FROM_DISK))
        resized.call('confirm_server_resize')
        _runs(resized, resized.ask())

    for guest in (active, rescued, suspended, resized):
        _comes_back(guest)
    assert active.ask().disks[0]['note'] == 'kept'
    other = launch(image.id)
    report = other.wait_for_report(**_FROM_DISK)
    assert report.facts['marker'] == active.marker


def test_what_the_stock_driver_describes_anew(box, installed, images, flavor):
    """Without a root disk, which is there again with ours."""
    stopped, resized, shelved = installed(3)
    stopped.ask('note kept')
    stopped.call('stop_server', expect='SHUTOFF')
    resized.call('resize_server', flavor(disk=2), expect='VERIFY_RESIZE')
    shelved.call('shelve_server', expect='SHELVED_OFFLOADED')

    with stock_driver(box):
        stopped.call('start_server')
        _boots_the_installer(stopped)
        resized.call('revert_server_resize')
        _boots_the_installer(resized)
        shelved.call('unshelve_server')
        _runs(shelved, shelved.wait_for_report(**_FROM_DISK))

    assert _comes_back(stopped).disks[0]['note'] == 'kept'
    golden.check(_image(images, stopped))
    _comes_back(resized)
    # It has come from an image of its root disk, and nobody has noted that.
    told = _refused(shelved, 'reboot_server', 'HARD')
    assert 'disk.newos does not exist' in told
    _runs(shelved, shelved.ask())
    _write_layout(box, shelved, '"root":"disk.newos"', '"root":"disk"')
    _runs(shelved, shelved.hard_reboot())
    assert shelved.disks() == [('disk', 'vda', 'disk')]


def _refused(guest, action, *arguments, **keywords):
    """An action that its owner is told the reason of."""
    try:
        getattr(guest.cloud.compute, action)(guest.id, *arguments, **keywords)
    except openstack.exceptions.HttpException as error:
        return str(error)
    guest.wait_for_status('ACTIVE', 'SHUTOFF', 'ERROR')
    return guest.told()


def _write_layout(box, guest, before, after):
    """As another version of ours would have written it."""
    change = (
        'UPDATE instance_system_metadata '
        f"SET value = REPLACE(value, '{before}', '{after}') "
        f"WHERE `key` = 'newos_layout' AND instance_uuid = '{guest.id}'"
    )
    subprocess.run(
        ['mariadb', f'--socket={box.state.mariadb_socket}', 'nova_cell1']
        + ['-e', change],
        check=True,
    )


def test_layout_of_a_newer_version(box, installed, install_iso):
    """Refused, with all that there is left as it is."""
    [guest] = installed(1)
    guest.call('stop_server', expect='SHUTOFF')
    root = guest.directory / 'disk.newos'
    before = faults.digest_of(root)
    newer = '"v":1', '"v":2'
    _write_layout(box, guest, *newer)
    for action in (
        ('start_server',),
        ('create_server_image', 'newos-test-newer'),
        ('shelve_server',),
        ('rebuild_server', install_iso),
        ('reboot_server', 'HARD'),
    ):
        assert 'upgrade nova-newos' in _refused(guest, *action), action
        assert faults.digest_of(root) == before
    assert list(guest.cloud.image.images(name='newos-test-newer')) == []
    _write_layout(box, guest, *reversed(newer))
    _runs(guest, guest.hard_reboot())
    # A server that nobody wants any more can be deleted all the same.
    _write_layout(box, guest, *newer)
    guest.delete()
