# SPDX-License-Identifier: Apache-2.0

import io

import ddt

from glance_ext import exception
from glance_ext import findings
from nova_newos import iso
from tests.unit.glance import base
from tests.unit.glance import isos

ALL = ('not_iso', 'not_bootable', 'unknown')
BOTH, MINIMUMS = ['ram', 'disk'], ('min_ram', 'min_disk')
FACTS = {'newos_boot', 'newos_volume_id', 'newos_inspected'}


def of(content):
    return findings.of(lambda: iso.inspect(io.BytesIO(content)))


@ddt.ddt
class FindingsTest(base.TestCase):
    def test_known_iso(self):
        found = of(isos.make())
        properties = found.properties()
        self.assertEqual(
            isos.KNOWN_PROPERTIES,
            {name: properties[name] for name in isos.KNOWN_PROPERTIES},
        )
        self.assertIn('newos_inspected', properties)
        self.assertEqual(isos.KNOWN_MINIMUMS, found.minimums(BOTH, {}))
        found.check(ALL, {})

    @ddt.data(([], ()), (['disk'], ('min_disk',)), (BOTH, MINIMUMS))
    @ddt.unpack
    def test_minimums_that_are_wanted(self, wanted, expected):
        found = of(isos.make()).minimums(wanted, {})
        self.assertEqual(set(expected), found.keys())

    @ddt.data(('false', 'true'), ('true', 'false'))
    @ddt.unpack
    def test_minimums_of_what_is_installed_from_alone(self, said, found):
        """What the user says counts, not what is found."""
        live = found == 'false'
        system = iso.System(
            'a', 'A', live=live, installer=not live, min_ram=1, min_disk=1
        )
        about = findings.Findings(iso.Iso(), (system,))
        self.assertEqual(
            live, not about.minimums(BOTH, {}), about.properties()
        )
        self.assertEqual(
            said == 'false', not about.minimums(BOTH, {'newos_install': said})
        )

    def test_unknown_iso_has_facts_only(self):
        found = of(isos.make('SOMETHING'))
        self.assertEqual(FACTS, found.properties().keys())
        self.assertEqual({}, found.minimums(BOTH, {}))

    def test_nothing_is_said_of_what_is_no_iso(self):
        found = of(b'QFI\xfb'.ljust(100_000, b'\0'))
        self.assertEqual({}, found.properties())
        self.assertEqual({}, found.minimums(BOTH, {}))

    @ddt.data('', '/nowhere')
    def test_without_a_database(self, path):
        self.set_options(database=path)
        found = of(isos.make())
        self.assertEqual(FACTS, found.properties().keys())
        # Who cannot be asked has not said that it is unknown.
        found.check(ALL, {})

    @ddt.data(
        (b'no ISO', 'not_iso', exception.NoIso),
        (
            isos.make('DATA', is_bootable=False),
            'not_bootable',
            exception.NotBootable,
        ),
        (isos.make('DATA'), 'unknown', exception.UnknownIso),
    )
    @ddt.unpack
    def test_refused(self, content, reason, error):
        found = of(content)
        found.check([], {})
        self.assertRaises(error, found.check, [reason], {})
        self.assertRaises(
            error, found.check, [reason], {'newos_install': 'true'}
        )

    def test_what_is_not_installed_from_may_be_any_iso(self):
        live = {'newos_install': 'false'}
        of(isos.make('DRIVERS', is_bootable=False)).check(ALL, live)
        self.assertRaises(exception.NoIso, of(b'').check, ALL, live)

    def test_boot_catalog_that_cannot_be_read_is_no_reason(self):
        findings.Findings(iso.Iso(boot_known=False), ()).check(
            ['not_bootable'], {}
        )

    @ddt.data(
        exception.NoIso(),
        exception.NotBootable(label='L' * 128),
        exception.UnknownIso(label='L' * 128),
    )
    def test_texts_fit_into_a_property(self, error):
        self.assertLess(len(str(error)), 255)
