# SPDX-License-Identifier: Apache-2.0

"""The commands of an installed wheel, on this machine."""

import json

import pytest

from tests.functional.packaging import scratch

# By the configuration of the generator that writes it.
SAMPLES = {
    'etc/glance/newos-iso-config-generator.conf': (
        'etc/glance/newos-iso.conf.sample'
    ),
    'etc/nova-newos/nova-newos-config-generator.conf': (
        'etc/nova-newos/newos.conf.sample'
    ),
}


@pytest.mark.parametrize(('config', 'sample'), SAMPLES.items())
def test_sample_configuration_is_up_to_date(
    config, sample, ours_alone, tmp_path
):
    written = tmp_path / 'sample'
    # The generator's own script belongs to the environment it came from.
    ours_alone.script(
        'python',
        '-m',
        'oslo_config.generator',
        '--config-file',
        scratch.REPOSITORY / config,
        '--output-file',
        written,
    )
    committed = scratch.REPOSITORY / sample
    assert written.read_text() == committed.read_text(), (
        f'{sample} is out of date: run "tox -e genconfig"'
    )


def test_status_of_a_linked_node(environment, nova_wheel, our_wheel, tmp_path):
    environment.install(nova_wheel)
    environment.install(our_wheel)
    environment.script('nova-newos-link-driver')
    config = tmp_path / 'nova.conf'
    config.write_text(
        '[DEFAULT]\n'
        'compute_driver = newos.NewosLibvirtDriver\n'
        '[libvirt]\n'
        # libvirt's own mock driver needs no daemon.
        'connection_uri = test:///default\n'
    )
    process = environment.script(
        'nova-newos-status',
        '--config-file',
        config,
        'upgrade',
        'check',
        '--json',
        check=False,
    )
    checks = {
        check['check']: check for check in json.loads(process.stdout)['checks']
    }
    findings = {name for name, check in checks.items() if check['result']}
    assert findings == {'libvirt and QEMU'}, process.stdout
    assert 'TEST' in checks['libvirt and QEMU']['details']
    assert process.returncode == 2
