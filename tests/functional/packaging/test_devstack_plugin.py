# SPDX-License-Identifier: Apache-2.0

"""The DevStack plugin, with stand-ins for DevStack's functions.

DevStack itself is not run here: this shows which of its functions the plugin
calls with what, in each phase.
"""

import pytest

from tests.functional.packaging import scratch

# Each stand-in writes how it was called. "die" ends the run, as DevStack's.
STAND_INS = """
set -o errexit -o nounset
define_plugin() { :; }
setup_develop() { echo "setup_develop $*"; }
install_package() { echo "install_package $*"; }
is_ubuntu() { [[ "$DISTRIBUTION" == ubuntu ]]; }
sudo() { echo "sudo $*"; }
iniset() { echo "iniset $*"; }
iniset_multiline() { echo "iniset_multiline $*"; }
is_service_enabled() { [[ ",$ENABLED_SERVICES," == *",$1,"* ]]; }
die() { echo "die ${*:2}"; exit 1; }
"""

SCRIPT = '#!/bin/sh\necho "${0##*/} $*"\nexit %d\n'


@pytest.fixture
def devstack(tmp_path):
    """Sources the plugin in a mode and phase; returns exit code and calls."""

    def run(
        mode, phase='', status=0, link='nova-newos-link-driver', **variables
    ):
        for name, code in ((link, 0), ('nova-newos-status', status)):
            script = tmp_path / name
            script.write_text(SCRIPT % code)
            script.chmod(0o755)
        settings = {
            'ENABLED_SERVICES': 'n-api,n-cpu',
            'VIRT_DRIVER': 'libvirt',
            'NOVA_CONF': '/nova.conf',
            'NOVA_CPU_CONF': '/nova-cpu.conf',
            'NOVA_BIN_DIR': tmp_path,
            'DISTRIBUTION': 'ubuntu',
            'NOVA_FILTERS': 'ComputeFilter,SameHostFilter',
            **variables,
        }
        plugin = scratch.REPOSITORY / 'devstack'
        lines = [STAND_INS]
        lines += [f'{name}={value}' for name, value in settings.items()]
        lines += [
            f'source {plugin}/settings',
            f'source {plugin}/plugin.sh {mode} {phase}',
        ]
        process = scratch.run('bash', '-c', '\n'.join(lines), check=False)
        assert process.stderr == ''
        return process.returncode, process.stdout.splitlines()

    return run


def test_install(devstack):
    assert devstack('stack', 'install') == (
        0,
        [
            f'setup_develop {scratch.REPOSITORY}',
            'install_package guestfs-tools',
            'install_package python3-guestfs python3-yaml',
            'sudo find /boot -name vmlinuz-* -exec chmod a+r {} +',
            'nova-newos-link-driver ',
        ],
    )


def test_install_elsewhere(devstack):
    _code, calls = devstack('stack', 'install', DISTRIBUTION='fedora')
    assert calls[1:3] == [
        'install_package guestfs-tools',
        'install_package python3-libguestfs python3-pyyaml',
    ]


def test_configuration(devstack):
    assert devstack(
        'stack',
        'post-config',
        NEWOS_ROOT_DISK_SIZE=20,
        NEWOS_VIRTIO_IMAGE_ID='none',
        NEWOS_MEDIA='virtio',
    ) == (
        0,
        [
            'iniset /nova.conf DEFAULT compute_driver '
            'newos.NewosLibvirtDriver',
            'iniset /nova.conf newos root_disk_size 20',
            'iniset /nova.conf newos virtio_image_id none',
            'iniset /nova.conf newos media virtio',
        ],
    )


def test_scheduler(devstack):
    """A node need not have both services."""
    only = {'ENABLED_SERVICES': 'n-sch'}
    assert devstack('stack', 'install', **only) == (
        0,
        [f'setup_develop {scratch.REPOSITORY}'],
    )
    assert devstack('stack', 'post-config', **only) == (
        0,
        [
            'iniset_multiline /nova.conf filter_scheduler available_filters '
            'nova.scheduler.filters.all_filters '
            'nova_newos.scheduler.InstallServerFilter',
            'iniset /nova.conf filter_scheduler enabled_filters '
            'ComputeFilter,SameHostFilter,InstallServerFilter',
        ],
    )


def test_unset_options_are_not_written(devstack):
    code, calls = devstack('stack', 'post-config')
    assert (code, len(calls)) == (0, 1)


@pytest.mark.parametrize('status', [0, 1])
def test_check(devstack, status):
    assert devstack('stack', 'extra', status=status) == (
        0,
        ['nova-newos-status --config-file /nova-cpu.conf upgrade check'],
    )


def test_check_fails(devstack):
    code, calls = devstack('stack', 'extra', status=2)
    assert code == 1
    assert calls[-1].startswith('die ')


@pytest.mark.parametrize('mode', ['unstack', 'clean'])
def test_removal(devstack, mode):
    assert devstack(mode) == (0, ['nova-newos-link-driver --remove'])


@pytest.mark.parametrize('mode', ['unstack', 'clean'])
def test_removal_when_not_installed(devstack, mode):
    assert devstack(mode, link='something-else') == (0, [])


def test_other_hypervisor_is_refused_early(devstack):
    code, calls = devstack('stack', 'pre-install', VIRT_DRIVER='fake')
    assert code == 1
    assert calls[0].startswith('die nova-newos needs VIRT_DRIVER=libvirt')


@pytest.mark.parametrize(
    'call',
    [
        ('stack', 'pre-install'),
        ('stack', 'install'),
        ('stack', 'post-config'),
        ('stack', 'extra'),
        ('unstack',),
        ('clean',),
    ],
)
def test_nothing_on_another_node(devstack, call):
    assert devstack(*call, ENABLED_SERVICES='n-api') == (0, [])


def test_phase_without_work(devstack):
    assert devstack('stack', 'test-config') == (0, [])
