# SPDX-License-Identifier: Apache-2.0
"""Rescue: the root disk can be reached, and is what it was afterwards."""

import pytest

from tests.acceptance import storage

pytestmark = pytest.mark.usefixtures('pty_consoles')

STABLE_DISK = {'hw_rescue_device': 'disk', 'hw_rescue_bus': 'virtio'}
STABLE_CDROM = {'hw_rescue_device': 'cdrom'}


@pytest.fixture
def rescue_image(images, disk_files, media):
    """Uploads an image to rescue with: a disk image or an ISO."""

    def make(kind, **properties):
        if kind == 'iso':
            return images(media['waiting'], **properties)
        return images(disk_files['rescue'], disk_format='qcow2', **properties)

    return make


class Patient:
    """An installed, running server that is rescued."""

    def __init__(self, guest):
        self.guest = guest
        self.marker = guest.install().facts['marker']
        report = guest.boot()
        self.hardware = report.hardware
        self.wiring = guest.wiring()
        self.boots = int(report.facts['boots'])

    def rescue(self, image, booted_from):
        """Rescue, leave a note on the root disk; returns a report."""
        self.guest.call('rescue_server', image_ref=image, expect='RESCUE')
        self.guest.wait_for_report(**{'booted-from': booted_from})
        return self.guest.ask(f'note {image}')

    def unrescue(self, image):
        """Nothing may have changed but what was noted."""
        self.guest.call('unrescue_server')
        report = self.guest.wait_for_report(**{'booted-from': 'disk'})
        self.boots += 1
        [root] = report.disks
        assert root['note'] == image
        self.check(report)

    def check(self, report):
        assert report.hardware == self.hardware
        assert self.guest.wiring() == self.wiring
        assert report.facts['marker'] == self.marker
        assert report.facts['boots'] == str(self.boots)

    def legacy(self, image):
        """The rescue image first, the root disk second."""
        report = self.rescue(image, 'rescue')
        found = [disk['marker'] for disk in report.disks]
        assert found == ['rescue', self.marker]
        self.unrescue(image)

    def legacy_iso(self, image):
        """The ISO takes the place of the first disk."""
        report = self.rescue(image, 'waiting')
        [iso, root] = report.disks
        assert report.facts['device'] == iso['device']
        assert root['marker'] == self.marker
        self.unrescue(image)

    def stable(self, image, booted_from):
        """All devices stay what they were, and one is added."""
        report = self.rescue(image, booted_from)
        assert [d for d in report.hardware if d in self.hardware] == (
            self.hardware
        )
        assert len(report.hardware) == len(self.hardware) + 1
        assert self.marker in [disk.get('marker') for disk in report.disks]
        self.unrescue(image)

    def no_image(self):
        """Nova would take the install ISO."""
        self.guest.call('rescue_server', expect='ERROR')
        fault = self.guest.server().fault['message']
        assert 'install ISO' in fault
        assert '--image' in fault
        self.boots += 1
        self.check(self.guest.hard_reboot())


@storage.on(
    storage.QCOW2,
    sees=(
        'rescue-disk-image',
        'rescue-stable-device',
        'rescue-iso',
    ),
    refused=('rescue-own-iso',),
)
def test_rescue(launch, install_iso, rescue_image):
    patient = Patient(launch(install_iso))
    patient.legacy(rescue_image('disk'))
    patient.legacy_iso(rescue_image('iso'))
    patient.stable(rescue_image('disk', **STABLE_DISK), 'rescue')
    patient.stable(rescue_image('iso', **STABLE_CDROM), 'waiting')
    patient.no_image()


@storage.on(storage.FLAT, sees=('rescue-disk-image',))
def test_rescue_on_other_storage(launch, install_iso, rescue_image):
    Patient(launch(install_iso)).legacy(rescue_image('disk'))


def test_an_iso_rescues_an_ordinary_server(launch, disk_image, rescue_image):
    """The ISO does not make an install server of it."""
    guest = launch(disk_image)
    guest.wait_for_report(**{'booted-from': 'disk'})
    wiring = guest.wiring()
    iso = rescue_image('iso', **STABLE_CDROM)

    guest.call('rescue_server', image_ref=iso, expect='RESCUE')
    report = guest.wait_for_report(**{'booted-from': 'waiting'})
    assert report.disks[0]['marker'] == 'installed'
    guest.call('unrescue_server')

    assert guest.wiring() == wiring
    assert not (guest.directory / 'disk.newos').exists()
