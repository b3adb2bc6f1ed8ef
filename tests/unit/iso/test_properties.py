# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos import iso
from tests.unit import base

BIOS = iso.BootEntry('bios', True, 30, 4, 'none')
UEFI = iso.BootEntry('uefi', True, 40, 4, 'none')
DEBIAN = iso.System(
    short_id='debian12',
    name='Debian 12',
    family='linux',
    distro='debian',
    version='12',
    architecture='x86_64',
    min_ram=1024,
    min_disk=10,
)
TEN = iso.System(
    short_id='win10',
    name='Ten',
    family='winnt',
    distro='win',
    version='10.0',
    architecture='x86_64',
    min_ram=2048,
    min_disk=20,
)
ELEVEN = iso.System(
    short_id='win11',
    name='Eleven',
    family='winnt',
    distro='win',
    version='11.0',
    architecture='x86_64',
    min_ram=4096,
    min_disk=64,
)
LIVE = iso.System(short_id='rescue', name='Rescue', live=True, installer=False)


@ddt.ddt
class PropertiesTest(base.TestCase):
    def test_known(self):
        medium = iso.Iso(volume_id='Debian 12', entries=(BIOS, UEFI))
        self.assertEqual(
            {
                'os_type': 'linux',
                'os_distro': 'debian',
                'os_version': '12',
                'architecture': 'x86_64',
                'newos_os': 'debian12',
                'newos_boot': 'bios,uefi',
                'newos_volume_id': 'Debian 12',
                'newos_inspected': '1',
            },
            iso.properties(medium, (DEBIAN,)),
        )

    def test_unknown(self):
        self.assertEqual(
            {'newos_boot': 'none', 'newos_inspected': '1'},
            iso.properties(iso.Iso(), ()),
        )

    def test_ambiguous(self):
        """Only what is the same for all of them."""
        self.assertEqual(
            {
                'os_type': 'windows',
                'os_distro': 'windows',
                'architecture': 'x86_64',
                'newos_os': 'win11|win10',
                'newos_boot': 'none',
                'newos_inspected': '1',
            },
            iso.properties(iso.Iso(), (ELEVEN, TEN)),
        )

    def test_of_several_architectures(self):
        words = {'short_id': 'a', 'name': 'A'}
        systems = [
            iso.System(architecture=name, **words)
            for name in ('x86_64', 'i686')
        ]
        found = iso.properties(iso.Iso(), systems)
        self.assertNotIn('architecture', found)
        self.assertEqual('a', found['newos_os'])

    @ddt.data('solaris', '', 'unheard-of')
    def test_other_families(self, family):
        system = iso.System(
            short_id='a', name='A', family=family, architecture='mips'
        )
        found = iso.properties(iso.Iso(), (system,))
        self.assertNotIn('os_type', found)
        self.assertNotIn('os_distro', found)
        self.assertNotIn('architecture', found)

    @ddt.data(
        ({UEFI}, {'x86_64'}, (), 'uefi'),
        ({UEFI}, {'x86_64', 'i686'}, (DEBIAN,), 'uefi'),
        ({UEFI}, set(), (DEBIAN,), 'uefi'),
        ({UEFI}, set(), (), None),
        ({UEFI}, {'i686'}, (), None),
        ({UEFI}, {'x86_64', 'i686'}, (), None),
        ({UEFI}, {'aarch64'}, (), None),
        ({BIOS}, set(), (DEBIAN,), None),
        ({BIOS, UEFI}, {'x86_64'}, (DEBIAN,), None),
        (set(), set(), (DEBIAN,), None),
    )
    @ddt.unpack
    def test_firmware_type(self, entries, loaders, systems, expected):
        medium = iso.Iso(entries=tuple(entries), loaders=frozenset(loaders))
        found = iso.properties(medium, systems)
        self.assertEqual(expected, found.get('hw_firmware_type'))

    def test_architecture_of_the_loader(self):
        medium = iso.Iso(loaders=frozenset({'aarch64'}))
        self.assertEqual('aarch64', iso.properties(medium, ())['architecture'])

    @ddt.data(({BIOS, UEFI},), ({UEFI},))
    @ddt.unpack
    def test_label_that_the_loader_contradicts(self, entries):
        """Neither: a machine of the wrong one would not boot it."""
        medium = iso.Iso(
            entries=tuple(entries), loaders=frozenset({'aarch64'})
        )
        found = iso.properties(medium, (DEBIAN,))
        self.assertNotIn('architecture', found)
        self.assertNotIn('hw_firmware_type', found)
        self.assertEqual('debian12', found['newos_os'])

    @ddt.data(((LIVE,), 'false'), ((LIVE, DEBIAN), None), ((DEBIAN,), None))
    @ddt.unpack
    def test_live(self, systems, expected):
        found = iso.properties(iso.Iso(), systems)
        self.assertEqual(expected, found.get('newos_install'))

    def test_live_that_installs(self):
        system = iso.System(short_id='a', name='A', live=True)
        self.assertNotIn('newos_install', iso.properties(iso.Iso(), (system,)))

    def test_boot_unknown(self):
        medium = iso.Iso(boot_known=False)
        self.assertNotIn('newos_boot', iso.properties(medium, ()))

    def test_many_systems(self):
        systems = [
            iso.System(short_id=f'system-{index}', name='')
            for index in range(100)
        ]
        found = iso.properties(iso.Iso(), systems)['newos_os']
        self.assertLessEqual(len(found), 255)
        self.assertEqual('system-25', found.rpartition('|')[2])

    def test_long_values(self):
        system = iso.System(short_id='a', name='', distro='x' * 300)
        for value in iso.properties(iso.Iso(), (system,)).values():
            self.assertLessEqual(len(value), 255)


@ddt.ddt
class MinimumsTest(base.TestCase):
    @ddt.data(
        ((), (0, 0)),
        ((DEBIAN,), (1024, 10)),
        ((ELEVEN, TEN), (2048, 20)),
        ((ELEVEN, LIVE), (0, 0)),
    )
    @ddt.unpack
    def test_smallest(self, systems, expected):
        self.assertEqual(expected, iso.minimums(systems))
