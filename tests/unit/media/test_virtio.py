# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos import exception
from nova_newos.media import base as media_base
from nova_newos.media import virtio
from tests.unit import base
from tests.unit import plugins

PROPERTY_ID = '22222222-2222-4222-8222-22222222abcd'
OPTION_ID = '33333333-3333-4333-8333-333333333333'

JUNK = (
    '',
    ' ',
    'virtio-win',
    'file:///etc/passwd',
    f'http://evil.example/{PROPERTY_ID}',
    f'evil.example/{PROPERTY_ID}',
    f'{PROPERTY_ID}/',
    f'{PROPERTY_ID}/file',
    f'../{PROPERTY_ID}',
    f'{{{PROPERTY_ID}}}',
    f'urn:uuid:{PROPERTY_ID}',
    PROPERTY_ID.replace('-', ''),
    PROPERTY_ID.replace('-', '', 1),
    PROPERTY_ID[:-1],
    PROPERTY_ID + '0',
    PROPERTY_ID.replace('2', '２'),
    f'{PROPERTY_ID}\0',
    f'{PROPERTY_ID} {OPTION_ID}',
    'x' * 255,
)


def server(**properties):
    return media_base.Server(
        uuid='u', project_id='p', iso='i', properties=properties
    )


def medium(option=None):
    return virtio.VirtioMedium(plugins.make_conf(virtio_image_id=option))


@ddt.ddt
class VirtioTest(base.TestCase):
    @ddt.data(
        # property, option, expected
        (None, None, None),
        (None, '', None),
        (None, 'none', None),
        (None, 'None', None),
        (None, OPTION_ID, OPTION_ID),
        (PROPERTY_ID, None, PROPERTY_ID),
        (PROPERTY_ID, OPTION_ID, PROPERTY_ID),
        (PROPERTY_ID, 'none', PROPERTY_ID),
        (PROPERTY_ID, 'junk', PROPERTY_ID),
        (PROPERTY_ID.upper(), OPTION_ID, PROPERTY_ID),
        (f' {PROPERTY_ID}\n', OPTION_ID, PROPERTY_ID),
        ('none', OPTION_ID, None),
        ('NONE', OPTION_ID, None),
        (' none ', OPTION_ID, None),
    )
    @ddt.unpack
    def test_reference(self, asked, option, expected):
        properties = {} if asked is None else {virtio.PROPERTY: asked}
        self.assertEqual(
            expected, medium(option).reference(server(**properties))
        )

    @ddt.data(*JUNK)
    def test_junk_property(self, value):
        """What is no UUID could be an address that gets the token."""
        with self.assertRaises(exception.ImageIdInvalid) as caught:
            medium(OPTION_ID).reference(server(newos_virtio_image_id=value))
        self.assertEqual(value, caught.exception.value)
        self.assertIn('newos_virtio_image_id', str(caught.exception))
        self.assertIn("'none'", str(caught.exception))

    @ddt.data(*JUNK[1:])
    def test_junk_option(self, value):
        """The operator is told which option it is."""
        with self.assertRaises(exception.ImageIdInvalid) as caught:
            medium(value).reference(server())
        self.assertIn('[newos] virtio_image_id', str(caught.exception))

    def test_contents(self):
        """What the operator has for all need not be there for each."""
        self.assertEqual(
            media_base.GlanceImage(PROPERTY_ID, is_required=False),
            medium(OPTION_ID).contents(server(), PROPERTY_ID),
        )

    def test_contents_that_the_image_names(self):
        asking = server(newos_virtio_image_id=PROPERTY_ID)
        self.assertEqual(
            media_base.GlanceImage(PROPERTY_ID, is_required=True),
            medium().contents(asking, PROPERTY_ID),
        )

    @ddt.data(*JUNK)
    def test_junk_layout(self, value):
        """Nor does the persisted layout lead Nova to an address."""
        with self.assertRaises(exception.ImageIdInvalid):
            medium().contents(server(), value)

    def test_name(self):
        self.assertEqual('virtio', medium().name)
