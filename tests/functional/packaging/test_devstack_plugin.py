# SPDX-License-Identifier: Apache-2.0

"""The DevStack plugin, with stand-ins for DevStack's functions.

DevStack itself is not run here: this shows which of its functions the plugin
calls with what, in each phase.
"""

import shlex

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
inidelete() { echo "inidelete $*"; }
iniget() { echo "$CONFIGURED"; }
trueorfalse() { echo "${!2:-$1}"; }
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
        for name, code in (
            (link, 0),
            ('nova-newos-status', status),
            ('glance-manage', 0),
            ('glance-newos-status', status),
        ):
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
            'GLANCE_API_CONF': tmp_path / 'glance-api.conf',
            'GLANCE_API_PASTE_INI': tmp_path / 'paste.ini',
            'GLANCE_BIN_DIR': tmp_path,
            'GLANCE_CONF_DIR': tmp_path,
            'GLANCE_IMAGE_IMPORT_CONF': tmp_path / 'import.conf',
            'CONFIGURED': '[]',
            'TEMPEST_CONFIG': '/tempest.conf',
            **variables,
        }
        plugin = scratch.REPOSITORY / 'devstack'
        lines = [STAND_INS]
        lines += [
            f'{name}={shlex.quote(str(value))}'
            for name, value in settings.items()
        ]
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
        NEWOS_MEDIA_MAX_SIZE=8,
        NEWOS_SEAL='require',
        NEWOS_REFUSE='cloud_init,boot_loader',
    ) == (
        0,
        [
            'iniset /nova.conf DEFAULT compute_driver '
            'newos.NewosLibvirtDriver',
            'iniset /nova.conf newos root_disk_size 20',
            'iniset /nova.conf newos virtio_image_id none',
            'iniset /nova.conf newos media virtio',
            'iniset /nova.conf newos media_max_size 8',
            'iniset /nova.conf newos seal require',
            'iniset /nova.conf newos refuse cloud_init,boot_loader',
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


PASTE = """\
[composite:api]
default = cors rootapp
keystone+caching = cors authtoken context cache rootapp

[composite:rootapp]
/: apiversions
"""
FILTERED = """\
[composite:api]
default = cors newos_iso rootapp
keystone+caching = cors authtoken context cache newos_iso rootapp

[composite:rootapp]
/: apiversions
"""
GLANCE = {'ENABLED_SERVICES': 'g-api,horizon'}


@pytest.fixture
def glance(devstack, tmp_path):
    """What DevStack's Glance has in its files before our post-config."""
    for name, text in (
        ('glance-api.conf', ''),
        ('import.conf', ''),
        ('paste.ini', PASTE),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_glance_alone(devstack):
    """A node need not have Nova."""
    assert devstack('stack', 'install', **GLANCE) == (
        0,
        [
            f'setup_develop {scratch.REPOSITORY}',
            'install_package osinfo-db',
        ],
    )
    # A warning: the filter is not wanted.
    code, calls = devstack('stack', 'extra', status=1, **GLANCE)
    assert code == 0
    check, load = calls
    assert check == 'glance-newos-status upgrade check'
    assert load.startswith('glance-manage --config-file')
    assert load.endswith(f'{scratch.REPOSITORY}/etc/glance/metadefs')


@pytest.mark.parametrize(
    ('configured', 'plugins'),
    [
        ('[]', '[newos_appliance,newos_iso]'),
        (
            "['image_conversion']",
            '[newos_appliance,newos_iso,image_conversion]',
        ),
        (
            '[newos_iso, a,newos_appliance,b]',
            '[newos_appliance,newos_iso,a,b]',
        ),
    ],
)
def test_import_plugins_are_merged(devstack, glance, configured, plugins):
    code, calls = devstack(
        'stack', 'post-config', CONFIGURED=configured, **GLANCE
    )
    assert code == 0
    assert calls[-1] == (
        f'iniset {glance}/import.conf image_import_opts '
        f'image_import_plugins {plugins}'
    )
    assert (glance / 'paste.ini').read_text() == PASTE


def test_glance_options(devstack, glance):
    code, calls = devstack(
        'stack',
        'post-config',
        NEWOS_IMPORT_PLUGINS='newos_iso',
        NEWOS_ISO_REFUSE='unknown',
        **GLANCE,
    )
    assert code == 0
    api = f'{glance}/glance-api.conf newos_iso refuse'
    # What is no longer set is not left of an earlier stack.sh.
    assert f'inidelete {api}' in calls
    assert calls[-2].endswith('image_import_plugins [newos_iso]')
    assert calls[-1] == f'iniset {api} unknown'


def test_filter_is_in_each_pipeline(devstack, glance):
    """Once, and gone with unstack.sh."""
    asked = {'NEWOS_UPLOAD_FILTER': 'True', **GLANCE}
    paste = glance / 'paste.ini'
    for _ in range(2):
        code, calls = devstack('stack', 'post-config', **asked)
        assert (code, paste.read_text()) == (0, FILTERED)
    assert calls[-1] == (
        f'iniset {paste} filter:newos_iso paste.filter_factory '
        'glance_ext.upload_filter:filter_factory'
    )
    section = '\n[filter:newos_iso]\npaste.filter_factory = x:y\n'
    paste.write_text(FILTERED + section)

    assert devstack('unstack', **asked)[0] == 0
    assert paste.read_text() == PASTE + '\n'


@pytest.mark.parametrize('mode', ['unstack', 'clean'])
def test_removal_from_glance(devstack, glance, mode):
    configured = '[newos_iso,image_conversion]'
    code, calls = devstack(mode, CONFIGURED=configured, **GLANCE)
    assert code == 0
    assert calls == [
        f'iniset {glance}/import.conf image_import_opts '
        'image_import_plugins [image_conversion]',
        f'inidelete {glance}/glance-api.conf newos_iso refuse',
    ]


@pytest.mark.parametrize('mode', ['unstack', 'clean'])
def test_removal_without_glance(devstack, mode):
    assert devstack(mode, **GLANCE) == (0, [])


def test_tempest(devstack):
    everything = {'ENABLED_SERVICES': 'g-api,tempest'}
    code, calls = devstack(
        'stack', 'test-config', NEWOS_UPLOAD_FILTER='True', **everything
    )
    assert code == 0
    option = 'iniset /tempest.conf newos-feature-enabled iso_properties_on'
    assert calls == [f'{option}_import True', f'{option}_upload True']


@pytest.mark.parametrize('present', ['', '0', '/some/plugin'])
def test_tempest_plugin_is_named_once(present):
    script = f"""
    {STAND_INS}
    ENABLED_SERVICES=tempest
    TEMPEST_PLUGINS={present}
    source {scratch.REPOSITORY}/devstack/settings
    source {scratch.REPOSITORY}/devstack/settings
    echo $TEMPEST_PLUGINS
    """
    process = scratch.run('bash', '-c', script)
    expected = [present] * (present not in ('', '0'))
    assert process.stdout.split() == [*expected, str(scratch.REPOSITORY)]


def test_unset_options_are_not_written(devstack):
    code, calls = devstack('stack', 'post-config')
    assert (code, len(calls)) == (0, 1)


@pytest.mark.parametrize('status', [0, 1])
def test_check(devstack, status):
    assert devstack('stack', 'extra', status=status) == (
        0,
        ['nova-newos-status --config-file /nova-cpu.conf upgrade check'],
    )


@pytest.mark.parametrize('service', ['n-cpu', 'g-api'])
def test_check_fails(devstack, service):
    code, calls = devstack(
        'stack', 'extra', status=2, ENABLED_SERVICES=service
    )
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
    assert devstack(*call, ENABLED_SERVICES='n-api,horizon') == (0, [])


def test_phase_without_work(devstack):
    assert devstack('stack', 'test-config') == (0, [])
