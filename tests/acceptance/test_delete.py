# SPDX-License-Identifier: Apache-2.0
"""Delete: nothing is left, whatever the server was doing.

Guest.delete() looks at the domain, the files and the allocations.
"""

import os
import signal

import pytest

from tests.acceptance import golden
from tests.acceptance import onebox
from tests.acceptance.cache import base_file


@pytest.fixture
def libvirtd(box):
    """Process id of libvirtd, which goes on after the test."""
    pid = int(box.supervise('pid', 'libvirtd'))
    yield pid
    os.kill(pid, signal.SIGCONT)


@pytest.mark.operation('delete-building')
def test_delete_while_it_is_built(launch, cloud, install_iso, libvirtd):
    guest = launch.begin(install_iso)
    onebox.wait_for('files', guest.directory.exists, interval=0.05)
    # Now the build stands still, at its next question to libvirt.
    os.kill(libvirtd, signal.SIGSTOP)
    assert guest.server().status == 'BUILD'

    cloud.compute.delete_server(guest.id)
    os.kill(libvirtd, signal.SIGCONT)

    guest.wait_until_gone()


@pytest.mark.operation('delete-installing')
def test_delete_while_it_installs(launch, waiting_iso, box):
    guest = launch(waiting_iso)
    guest.wait_for_report()
    guest.delete()
    # Others may want it soon.
    assert base_file(box, waiting_iso).exists()


@pytest.mark.operation('delete-installed')
@pytest.mark.operation('delete-shelved')
@pytest.mark.operation('delete-error')
def test_delete_what_was_installed(launch, waiting_iso, cloud, images):
    stopped, shelved, broken = (launch(waiting_iso) for _each in range(3))
    for guest in (stopped, shelved, broken):
        guest.wait_for_report()
        guest.install_now()
    stopped.delete()

    shelved.call('shelve_server', expect='SHELVED_OFFLOADED')
    image = golden.named(cloud, 'newos-test-shelved')
    shelved.delete()
    assert cloud.image.find_image(image.id) is None

    onebox.administrator().compute.reset_server_state(broken.id, 'error')
    broken.wait_for_status('ERROR')
    broken.delete()


@pytest.mark.operation('delete-error')
def test_delete_what_could_not_be_built(launch, images, media):
    iso = images(media['probe'], newos_root_disk_size='50')
    guest = launch(iso, expect=('ERROR',))
    guest.delete()
