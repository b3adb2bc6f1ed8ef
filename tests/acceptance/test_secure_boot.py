# SPDX-License-Identifier: Apache-2.0
"""UEFI with Secure Boot and a TPM, as Windows 11 wants them.

On demand, on a release that defines UEFI domains with the machine's libvirt
(2025.1 and 2025.2 with Debian 12's). A Barbican is installed for it.
"""

import pytest

from devstack.onebox import client
from devstack.onebox.media import host
from tests.acceptance import barbican
from tests.acceptance import golden
from tests.acceptance import onebox

_PACKAGES = ('swtpm', 'swtpm-tools')
_SECURE = {
    'hw_machine_type': 'q35',
    'hw_firmware_type': 'uefi',
    'os_secure_boot': 'required',
}
_TPM = {'hw_tpm_version': '2.0', 'hw_tpm_model': 'tpm-crb'}

pytestmark = pytest.mark.uefi


@pytest.fixture(scope='module')
def key_manager(box):
    """A Nova with vTPMs, and what keeps their secrets."""
    missing = host.missing_packages(_PACKAGES)
    if missing:
        host.apt_get('install', '--no-install-recommends', *missing)
        # It has looked for swtpm.
        box.supervise('restart', 'libvirtd')
        box.up()
    keys = barbican.Barbican(box)
    options = keys.options | {'libvirt.swtpm_enabled': 'true'}
    with keys.running() as running, box.configured(options):
        yield running


@pytest.fixture
def roomy(flavor):
    """A flavor that the firmware has enough memory in."""
    return flavor(ram=512)


def _firmware(report):
    facts = report.facts
    return tuple(facts[n] for n in ('secure-boot', 'keys', 'variable', 'tpm'))


def test_secure_boot_and_tpm(key_manager, cloud, launch, images, roomy):
    iso = images(client.medium('secure'), **_SECURE, **_TPM)
    guest = launch(iso, flavor=roomy)
    installer = guest.install()
    secure, keys, variable, tpm = _firmware(installer)
    assert (secure, variable) == ('1', 'none')
    assert tpm not in ('none', 'failed')
    assert key_manager.secrets(cloud) == 1
    marker = installer.facts['marker']

    def check(report, variable):
        assert report.facts['marker'] == marker
        assert _firmware(report) == ('1', keys, variable, tpm)

    check(guest.boot(), 'none')
    check(guest.ask('note kept'), 'kept')
    check(guest.hard_reboot(), 'kept')
    guest.call('stop_server', expect='SHUTOFF')
    check(guest.boot(), 'kept')
    guest.call('stop_server', expect='SHUTOFF')
    guest.lose_uefi_variables()
    # By the fallback path, with the keys of the host's own template.
    check(guest.boot(), 'none')
    check(guest.ask('note kept'), 'kept')

    image_id = cloud.compute.create_server_image(
        guest.id, 'newos-test-secure', wait=True
    ).id
    images.adopt(image_id)
    golden.check(cloud.image.get_image(image_id))
    # openstacksdk has other names for some.
    properties = cloud.image.get(f'/images/{image_id}').json()
    asked = {**_SECURE, **_TPM}
    assert {name: properties.get(name) for name in asked} == asked

    other = launch(image_id, flavor=roomy)
    report = other.wait_for_report(**{'booted-from': 'disk'})
    assert report.facts['marker'] == marker
    secure, others_keys, variable, others_tpm = _firmware(report)
    assert (secure, others_keys, variable) == ('1', keys, 'none')
    assert others_tpm not in (tpm, 'none', 'failed')
    assert key_manager.secrets(cloud) == 2
    other.delete()
    guest.delete()
    assert key_manager.secrets(cloud) == 0


def test_unsigned_installer(launch, images, media, roomy, plain):
    """What nobody has signed is not started: it is Secure Boot that we saw."""
    guest = launch(images(plain(media['q35']), **_SECURE), flavor=roomy)
    onebox.wait_for(
        'the firmware refuses', lambda: 'Access Denied' in guest.console()
    )
    assert guest.reports() == []
