# SPDX-License-Identifier: Apache-2.0
"""The README's command, with a real Debian installer."""

import re
import subprocess

from devstack.onebox import client
from tests.acceptance import onebox


def test_the_demo_makes_and_boots_a_golden_image(box):
    process = subprocess.run(
        [client.DEMO, '--state', box.state.root],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr

    [golden] = onebox.openstack(
        'image', 'list', '--format=json', '--name', 'newos-demo-golden'
    )
    image = onebox.openstack('image', 'show', '--format=json', golden['ID'])
    assert image['disk_format'] == 'qcow2'
    assert not [n for n in image['properties'] if n.startswith('newos')]
    properties = image['properties']
    for fact in ('boot_loader', 'efi_fallback', 'virtio_drivers'):
        assert properties[f'verdict_{fact}'] == 'true'
    for fact in ('ssh_host_keys_gone', 'machine_id_gone'):
        assert properties[f'verdict_{fact}'] == 'true'
    assert properties['seal_sparsify']
    assert properties['provenance_iso_hash'].startswith('sha512:')
    assert 'login:' in process.stdout
    shown = re.findall(r'machine-id: ([0-9a-f]{32})', process.stdout)
    assert len(set(shown)) == 2, shown
