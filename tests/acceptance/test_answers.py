# SPDX-License-Identifier: Apache-2.0
"""Answers in the user data come to the guest on a CD-ROM of their own."""

import hashlib
import io
import tarfile
import uuid

import pytest

from devstack.onebox import client
from tests import processes

KICKSTART = b"""\
lang en_US.UTF-8
rootpw --lock
clearpart --all --initlabel
autopart
poweroff
%packages
@core
%end
"""

# debian-installer goes on by these answers until it looks for a network, which
# there is not, and then powers off. Before that it tells what it logged. The
# [e] is for the log to have no match in the command itself.
PRESEED = r"""#_preseed_V1
d-i debian-installer/locale string en_GB.UTF-8
d-i keyboard-configuration/xkb-keymap select gb
d-i netcfg/enable boolean false
d-i preseed/early_command string \
  echo "answers: locale $(debconf-get debian-installer/locale)" \
    > /dev/console; \
  ( \
    until grep -q "item '[e]thdetect' selected" /var/log/syslog; \
    do sleep 1; done; \
    echo "answers: nonce NONCE"; \
    cat /var/lib/preseed/log; \
    grep -o "Menu item '.*' selected" /var/log/syslog; \
    sed -n 's/.* preseed: success/answers: success/p' /var/log/syslog; \
    poweroff \
  ) < /dev/null > /dev/console 2>&1 3>&- &
"""


@pytest.fixture
def netboot_iso(box, images):
    """Debian's own installer; not for every session, it takes a download."""
    return images(client.medium('netboot'))


@pytest.fixture
def user_data(tmp_path):
    """Makes the client's option for user data."""

    def option(data):
        path = tmp_path / 'user-data'
        path.write_bytes(data)
        return f'--user-data={path}'

    return option


def extracted(iso, name, target):
    """Bytes of one file of an ISO."""
    processes.run(
        *('xorriso', '-osirrox', 'on', '-indev', iso),
        *('-extract', name, target),
    )
    return target.read_bytes()


@pytest.mark.operation('create')
@pytest.mark.operation('config-drive')
@pytest.mark.operation('lost-files')
def test_answers_come_and_come_back(launch, install_iso, user_data, tmp_path):
    guest = launch(install_iso, '--config-drive=True', user_data(KICKSTART))
    path = guest.directory / 'disk.answers'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert extracted(path, '/ks.cfg', tmp_path / 'ks.cfg') == KICKSTART

    report = guest.install()
    assert report.cdroms[2]['label'] == 'OEMDRV'
    assert report.discs[2] == digest
    # As stock Nova gives it to cloud-init.
    assert report.cdroms[3]['label'] == 'config-2'
    found = extracted(
        guest.directory / 'disk.config',
        '/openstack/latest/user_data',
        tmp_path / 'user_data',
    )
    assert found == KICKSTART

    path.unlink()
    assert guest.boot().hardware == report.hardware
    path.unlink()
    assert guest.hard_reboot().hardware == report.hardware
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_other_user_data_makes_no_cdrom(launch, install_iso, user_data):
    guest = launch(install_iso, user_data(b'#cloud-config\n{}\n'))
    assert [name for name, _target, _device in guest.disks()] == [
        'disk.newos',
        'disk',
        'disk.virtio',
    ]


def test_hostile_answers_are_refused(launch, install_iso, user_data):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode='w:gz') as tar:
        link = tarfile.TarInfo('ks.cfg')
        link.type = tarfile.SYMTYPE
        link.linkname = '/etc/shadow'
        tar.addfile(link)
    guest = launch(
        install_iso, user_data(archive.getvalue()), expect=('ERROR',)
    )
    message = guest.server().fault['message']
    assert "'ks.cfg'" in message
    assert 'no links' in message
    guest.assert_nothing_left()


def test_debian_installer_takes_them(launch, netboot_iso, user_data, flavor):
    nonce = uuid.uuid4().hex
    guest = launch(
        netboot_iso,
        user_data(PRESEED.replace('NONCE', nonce).encode()),
        # With less it asks whether it may go on with less.
        flavor=flavor(ram=1024),
    )
    # It powers off by itself, and Nova sees it.
    guest.wait_for_status('SHUTOFF')
    said = guest.console()
    assert f'answers: nonce {nonce}' in said
    loaded = 'loaded preseed file from file:///hd-media/preseed.cfg'
    assert f'answers: successfully {loaded}' in said
    assert 'answers: locale en_GB.UTF-8' in said
    assert 'd-i keyboard-configuration/xkb-keymap select gb' in said
    # Nobody was there to answer what these two ask.
    for item in ('localechooser', 'console-setup-udeb', 'ethdetect'):
        assert f"Menu item '{item}' selected" in said
