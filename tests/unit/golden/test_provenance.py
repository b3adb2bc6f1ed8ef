# SPDX-License-Identifier: Apache-2.0

import datetime

from nova_newos import media
from nova_newos.golden import provenance
from tests.unit import base

KNOWN = {
    'server': 'the-server',
    'iso': ('the-iso', 'sha512:aa'),
    'media': [('virtio', 'the-drivers', 'sha512:bb'), ('notes', '7', None)],
    'flavor': 'm1.small',
    'versions': {'nova-newos': '1.0', 'nova': '34.0.0'},
    'started': datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC),
    'captured': datetime.datetime(
        2026,
        1,
        2,
        5,
        4,
        5,
        tzinfo=datetime.timezone(datetime.timedelta(hours=1)),
    ),
}


class PropertiesTest(base.TestCase):
    def test_all(self):
        self.assertEqual(
            {
                'provenance_server': 'the-server',
                'provenance_iso': 'the-iso',
                'provenance_iso_hash': 'sha512:aa',
                'provenance_virtio': 'the-drivers',
                'provenance_virtio_hash': 'sha512:bb',
                'provenance_notes': '7',
                'provenance_flavor': 'm1.small',
                'provenance_versions': 'nova-newos 1.0, nova 34.0.0',
                'provenance_started': '2026-01-02T03:04:05Z',
                'provenance_captured': '2026-01-02T04:04:05Z',
            },
            provenance.properties(**KNOWN),
        )

    def test_unknown_digest(self):
        """The image is gone, or Glance never made one."""
        found = provenance.properties(**{**KNOWN, 'iso': ('the-iso', None)})
        self.assertEqual('the-iso', found['provenance_iso'])
        self.assertNotIn('provenance_iso_hash', found)

    def test_changed_iso(self):
        """The digest is still that of the vendor's."""
        found = provenance.properties(**KNOWN, change='its catalog')
        self.assertEqual('its catalog', found['provenance_iso_change'])
        self.assertEqual('sha512:aa', found['provenance_iso_hash'])

    def test_too_long(self):
        """nova-api could not boot a server from the image."""
        found = provenance.properties(**{**KNOWN, 'flavor': 'f' * 300})
        self.assertEqual('f' * 255, found['provenance_flavor'])

    def test_reserved(self):
        """No medium may be called like a property that all images have."""
        found = provenance.properties(**{**KNOWN, 'media': []})
        self.assertEqual(
            provenance.RESERVED,
            {
                name.removeprefix('provenance_').removesuffix('_hash')
                for name in found
            },
        )

    def test_no_medium_has_a_reserved_name(self):
        self.assertEqual(
            [], [name for name in provenance.RESERVED if media.is_name(name)]
        )


class DigestTest(base.TestCase):
    def test_digest(self):
        self.assertEqual('sha512:aa', provenance.digest('sha512', 'aa'))

    def test_none(self):
        self.assertIsNone(provenance.digest(None, None))
        self.assertIsNone(provenance.digest('sha512', None))
