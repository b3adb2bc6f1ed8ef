# SPDX-License-Identifier: Apache-2.0

import copy

import ddt

from nova_newos import conf
from nova_newos.golden import exception
from nova_newos.golden import verdict
from tests.unit import plugins
from tests.unit.golden import base

VIRTIO = ['virtio', 'virtio_blk', 'virtio_pci', 'virtio_net']

DEBIAN = {
    'filesystems': [
        {'type': 'ext4', 'clean': True},
        {'type': 'vfat', 'clean': True},
    ],
    'boot': {'grub': True, 'files': ['/efi/boot/bootx64.efi']},
    'systems': [
        {
            'type': 'linux',
            'distro': 'debian',
            'osinfo': 'debian12',
            'arch': 'x86_64',
            'major': 12,
            'root': '/dev/sda1',
        }
    ],
    'paths': {
        'host_keys': {},
        'machine_id': {'/etc/machine-id': 0},
        'cloud_init': {'/usr/bin/cloud-init': 900},
        'cloud_init_off': {},
        'cloud_init_units': {
            '/etc/systemd/system/a.wants/cloud-init.service': 1
        },
        'other_etc': {},
        'windows_drivers': {},
    },
    'snapshots': {'host_keys': {}, 'machine_id': {}},
    'kernels': [{'builtin': [], 'initramfs': VIRTIO}],
    'cloud_init': {'datasources': 'default', 'is_off': False},
}

WINDOWS = DEBIAN | {
    'systems': [
        {
            'type': 'windows',
            'distro': 'windows',
            'osinfo': 'win2k22',
            'arch': 'x86_64',
            'major': 10,
            'root': '/dev/sda3',
        }
    ],
    'paths': DEBIAN['paths']
    | {'machine_id': {}, 'windows_drivers': {'/Windows/viostor.sys': 1}},
    'image_state': 'IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE',
}
del WINDOWS['kernels']
del WINDOWS['cloud_init']


def changed(found, *path, value):
    """A copy of what was found with one value changed."""
    made = copy.deepcopy(found)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


@ddt.ddt
class FactsTest(base.TestCase):
    def assert_fact(self, name, expected, *path, value, of=DEBIAN):
        """A change in what was found changes this fact and no other."""
        found = verdict.facts(changed(of, *path, value=value))
        self.assertEqual(verdict.facts(of) | {name: expected}, found)

    def test_a_good_linux(self):
        self.assertEqual(
            dict.fromkeys(verdict.REFUSABLE, 'true') | {'os': 'debian12'},
            verdict.facts(DEBIAN),
        )

    def test_a_good_windows(self):
        self.assertEqual(
            dict.fromkeys(verdict.REFUSABLE, 'true') | {'os': 'win2k22'},
            verdict.facts(WINDOWS),
        )

    def test_facts_are_named(self):
        self.assertEqual(list(verdict.FACTS), list(verdict.facts(DEBIAN)))

    @ddt.data(
        ([], 'unknown'),
        ([None], 'unknown'),
        ([True, None], 'unknown'),
        ([True, False, None], 'false'),
        ([True, True], 'true'),
    )
    @ddt.unpack
    def test_file_systems_clean(self, states, expected):
        self.assert_fact(
            'file_systems_clean',
            expected,
            'filesystems',
            value=[{'type': 'ext4', 'clean': state} for state in states],
        )

    @ddt.data(
        (True, [], 'true', 'false'),
        (False, ['/bootmgr'], 'true', 'false'),
        (None, ['/bootmgr'], 'true', 'false'),
        (False, ['/efi/debian/grubx64.efi'], 'true', 'false'),
        (False, ['/efi/boot/bootx64.efi'], 'true', 'true'),
        (False, ['/efi/boot/bootaa64.efi'], 'true', 'false'),
        (False, [], 'false', 'false'),
        (None, [], 'unknown', 'false'),
    )
    @ddt.unpack
    def test_boot(self, grub, files, boot_loader, efi_fallback):
        found = verdict.facts(
            DEBIAN | {'boot': {'grub': grub, 'files': files}}
        )
        self.assertEqual(boot_loader, found['boot_loader'])
        self.assertEqual(efi_fallback, found['efi_fallback'])

    @ddt.data(('aarch64', 'false'), ('strange', 'true'), (None, 'true'))
    @ddt.unpack
    def test_efi_fallback_is_of_the_architecture(self, arch, expected):
        self.assert_fact(
            'efi_fallback', expected, 'systems', 0, 'arch', value=arch
        )

    @ddt.data(
        ([], VIRTIO, 'true'),
        (VIRTIO, None, 'true'),
        (['virtio_pci'], ['virtio_scsi'], 'true'),
        (['virtio_pci'], None, 'unknown'),
        (None, ['virtio_pci'], 'unknown'),
        ([], [], 'false'),
        ([], ['virtio_pci', 'virtio_net'], 'false'),
    )
    @ddt.unpack
    def test_virtio_drivers(self, builtin, initramfs, expected):
        kernel = {
            'builtin': builtin,
            'initramfs': initramfs,
        }
        self.assert_fact('virtio_drivers', expected, 'kernels', value=[kernel])

    def test_every_kernel_counts(self):
        [good] = DEBIAN['kernels']
        bad = good | {'initramfs': []}
        self.assert_fact(
            'virtio_drivers', 'false', 'kernels', value=[good, bad]
        )

    def test_no_kernel(self):
        self.assert_fact('virtio_drivers', 'unknown', 'kernels', value=[])

    @ddt.data(
        ('cloud_init', 'cloud_init', {}),
        ('cloud_init', 'cloud_init_off', {'/etc/x.disabled': 0}),
        ('ssh_host_keys_gone', 'host_keys', {'/etc/ssh/k': 9}),
        ('machine_id_gone', 'machine_id', {'/e': 0, '/var/m': 33}),
    )
    @ddt.unpack
    def test_files(self, fact, name, paths):
        self.assert_fact(fact, 'false', 'paths', name, value=paths)

    @ddt.data(
        ('cloud_init', 'cloud_init'),
        ('cloud_init', 'cloud_init_off'),
        ('ssh_host_keys_gone', 'host_keys'),
        ('machine_id_gone', 'machine_id'),
    )
    @ddt.unpack
    def test_could_not_be_looked_for(self, fact, name):
        self.assert_fact(fact, 'unknown', 'paths', name, value=None)

    @ddt.data(
        (['None'], 'false'),
        ([], 'false'),
        (['NoCloud', 'None'], 'false'),
        (['NoCloud', 'ConfigDrive', 'OpenStack', 'None'], 'true'),
        (['Ec2'], 'true'),
        (None, 'unknown'),
    )
    @ddt.unpack
    def test_cloud_init_that_does_not_ask_nova(self, sources, expected):
        """As subiquity of Ubuntu leaves it."""
        self.assert_fact(
            'cloud_init', expected, 'cloud_init', 'datasources', value=sources
        )

    @ddt.data((True, 'false'), (None, 'unknown'))
    @ddt.unpack
    def test_cloud_init_that_is_off(self, is_off, expected):
        self.assert_fact(
            'cloud_init', expected, 'cloud_init', 'is_off', value=is_off
        )

    @ddt.data({}, None)
    def test_cloud_init_that_nothing_starts(self, units):
        """A preset may, at the first boot."""
        self.assert_fact(
            'cloud_init', 'unknown', 'paths', 'cloud_init_units', value=units
        )

    @ddt.data(
        ('ssh_host_keys_gone', 'host_keys', {'/@/1/etc/ssh/k': 9}, 'false'),
        ('ssh_host_keys_gone', 'host_keys', None, 'unknown'),
        (
            'machine_id_gone',
            'machine_id',
            {'/@/1/etc/machine-id': 33},
            'false',
        ),
        ('machine_id_gone', 'machine_id', None, 'unknown'),
    )
    @ddt.unpack
    def test_snapshots(self, fact, name, sizes, expected):
        """A snapshot that holds them is in the image too."""
        self.assert_fact(fact, expected, 'snapshots', name, value=sizes)

    def test_cloud_init_is_not_there_however_it_is_configured(self):
        found = changed(DEBIAN, 'paths', 'cloud_init_off', value=None)
        self.assert_fact(
            'cloud_init', 'false', 'paths', 'cloud_init', value={}, of=found
        )

    @ddt.data(None, {'/var/lib/overlay/1/etc': 4096})
    def test_etc_that_is_elsewhere(self, paths):
        found = verdict.facts(
            changed(DEBIAN, 'paths', 'other_etc', value=paths)
        )
        self.assertEqual(
            verdict.facts(DEBIAN)
            | {'ssh_host_keys_gone': 'unknown', 'machine_id_gone': 'unknown'},
            found,
        )

    @ddt.data(
        ({}, 'true'),
        ({'/e': 14}, 'true'),
        ({'/e': 32}, 'false'),
        ({'/e': None}, 'unknown'),
        ({'/e': None, '/d': 33}, 'false'),
    )
    @ddt.unpack
    def test_machine_id_gone(self, sizes, expected):
        self.assert_fact(
            'machine_id_gone', expected, 'paths', 'machine_id', value=sizes
        )

    @ddt.data(
        ('IMAGE_STATE_COMPLETE', 'false'), ('', 'false'), (None, 'unknown')
    )
    @ddt.unpack
    def test_windows_that_is_not_generalized(self, state, expected):
        self.assert_fact(
            'machine_id_gone', expected, 'image_state', value=state, of=WINDOWS
        )

    @ddt.data(({}, 'false'), (None, 'unknown'))
    @ddt.unpack
    def test_windows_without_drivers(self, paths, expected):
        self.assert_fact(
            'virtio_drivers',
            expected,
            'paths',
            'windows_drivers',
            value=paths,
            of=WINDOWS,
        )

    @ddt.data(
        ('unknown', 'debian', 'debian12'),
        (None, 'debian', 'debian12'),
        ('a\nb\x1b\udcff', 'debian', 'a b'),
        ('x' * 9999, 'debian', 'x' * 40),
        ('\n', 'debian', 'unknown'),
    )
    @ddt.unpack
    def test_os(self, osinfo, distro, expected):
        system = DEBIAN['systems'][0] | {'osinfo': osinfo, 'distro': distro}
        self.assert_fact('os', expected, 'systems', value=[system])

    @ddt.data(0, 2)
    def test_not_one_system(self, number):
        """What can be told of the disk is told all the same."""
        found = {
            'filesystems': DEBIAN['filesystems'],
            'boot': DEBIAN['boot'],
            'systems': DEBIAN['systems'] * number,
        }
        self.assertEqual(
            dict.fromkeys(verdict.FACTS, 'unknown')
            | {'file_systems_clean': 'true', 'boot_loader': 'true'},
            verdict.facts(found),
        )

    def test_guest_that_cannot_be_inspected(self):
        self.assertEqual(
            dict.fromkeys(verdict.FACTS, 'unknown'), verdict.facts(None)
        )


@ddt.ddt
class CheckTest(base.TestCase):
    def test_nothing_is_refused(self):
        verdict.check(dict.fromkeys(verdict.FACTS, 'false'), [])

    def test_all_true(self):
        verdict.check(
            dict.fromkeys(verdict.REFUSABLE, 'true'), list(verdict.REFUSABLE)
        )

    @ddt.data('false', 'unknown')
    def test_refused(self, value):
        facts = dict.fromkeys(verdict.REFUSABLE, 'true')
        facts |= {'cloud_init': value, 'boot_loader': value}
        with self.assertRaises(exception.VerdictRefused) as caught:
            verdict.check(facts, ['cloud_init', 'efi_fallback'])
        self.assertIn(f': cloud_init={value};', str(caught.exception))

    def test_all_are_named(self):
        facts = dict.fromkeys(verdict.REFUSABLE, 'unknown')
        with self.assertRaises(exception.VerdictRefused) as caught:
            verdict.check(facts, list(verdict.REFUSABLE))
        for name in verdict.REFUSABLE:
            self.assertIn(f'{name}=unknown', caught.exception.facts)

    @ddt.data(['os'], ['boot loader'])
    def test_only_facts_can_be_refused(self, names):
        self.assertRaises(ValueError, plugins.make_conf, refuse=names)

    def test_every_fact_is_in_the_help(self):
        opts = {opt.name: opt for opt in conf.newos_opts}
        for name in verdict.REFUSABLE:
            self.assertIn(f'* ``{name}``:', opts['refuse'].help)

    def test_all_can_be_insisted_on(self):
        [option] = [opt for opt in conf.newos_opts if opt.name == 'refuse']
        self.assertEqual(
            list(verdict.REFUSABLE), list(option.type.item_type.choices)
        )
