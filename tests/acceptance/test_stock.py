# SPDX-License-Identifier: Apache-2.0
"""Side by side with the stock driver, on the same box."""

import contextlib
import difflib
from xml.etree import ElementTree

import libvirt
import pytest

STOCK = 'libvirt.LibvirtDriver'
OURS = 'newos.NewosLibvirtDriver'


@contextlib.contextmanager
def stock_driver(box):
    box.up('--compute-driver', STOCK)
    try:
        yield
    finally:
        box.up('--compute-driver', OURS)


@pytest.fixture
def golden(images, media, tmp_path):
    """A disk image that is no ISO: the probe's boot disk."""
    path = tmp_path / 'disk.raw'
    path.write_bytes(b'\0' * 2**20)
    return images(path, disk_format='raw')


def _reboot(guest):
    guest.command('reboot', '--hard', '--wait')


def test_both_drivers_on_one_host(box, launch, golden, install_iso):
    """Spawned and rebooted by either driver, also after the other.

    An ISO server from before ours came stays as it was.
    """
    options = ('--config-drive', 'True')
    ours = launch(golden, *options)
    spawned_by_us = _domain(ours), _files(ours)
    with stock_driver(box):
        theirs = launch(golden, *options)
        _assert_same(spawned_by_us[0], _domain(theirs))
        assert spawned_by_us[1] == _files(theirs)
        _reboot(ours)
        kept_by_stock = _domain(ours), _files(ours)

        iso_server = launch(install_iso)
        assert iso_server.disks() == [('disk', 'hda', 'cdrom')]
        # Nova completes a domain at its first reboot.
        _reboot(iso_server)
        before = _domain(iso_server), _files(iso_server)

    _reboot(theirs)
    _assert_same(_domain(theirs), kept_by_stock[0])
    assert _files(theirs) == kept_by_stock[1]

    _reboot(iso_server)
    _assert_same(_domain(iso_server), before[0])
    assert _files(iso_server) == before[1]


def _files(guest):
    """Names and sizes of the instance directory's files."""
    return sorted(
        (path.name, path.stat().st_size if path.name == 'disk' else 0)
        for path in guest.directory.iterdir()
    )


def _domain(guest):
    """The domain as Nova defined it, without what each server has its own."""
    root = guest.domain_xml(libvirt.VIR_DOMAIN_XML_INACTIVE)
    for path in ('name', 'uuid', 'metadata', 'sysinfo'):
        for element in root.findall(path):
            root.remove(element)
    for source in root.findall('devices/*/source[@service]'):
        source.attrib.pop('service')
    text = ElementTree.tostring(root, encoding='unicode')
    return text.replace(guest.id, 'UUID').splitlines()


def _assert_same(one, other):
    difference = difflib.unified_diff(other, one, lineterm='')
    assert '\n'.join(difference) == ''
