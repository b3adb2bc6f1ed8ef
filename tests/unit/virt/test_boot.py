# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt
from lxml import etree

from nova_newos import exception
from nova_newos.virt import boot
from tests.unit.virt import fakes

XML = (
    '<domain><os><type>hvm</type>{}<smbios mode="sysinfo"/></os>'
    '<devices><disk device="cdrom"/></devices></domain>'
)
DISK = '<boot dev="hd"/>'
BOTH = '<boot dev="hd"/><boot dev="cdrom"/>'


@ddt.ddt
class StartTest(fakes.TestCase):
    def start(self, is_blank=False, metadata=None, **kwargs):
        self.instance = fakes.server(
            server_layout=fakes.LAYOUT, metadata=metadata or {}
        )
        self.metadata[fakes.SERVER] = dict(self.instance.metadata)
        self.is_blank = mock.Mock(return_value=is_blank)
        return boot.Start(
            fakes.install_server(self.instance), self.is_blank, **kwargs
        )

    def test_first(self):
        start = self.start(is_first=True)
        self.assertTrue(start.boots_installer)
        self.is_blank.assert_not_called()

    @ddt.data(True, False)
    def test_later(self, is_blank):
        start = self.start(is_blank)
        self.assertIs(is_blank, start.boots_installer)

    def test_asked_for(self):
        start = self.start(metadata={'newos_boot': 'installer'})
        self.assertTrue(start.boots_installer)

    @ddt.data('', 'disk', 'Installer', 'x' * 255)
    def test_what_cannot_be_asked_for(self, value):
        start = self.start(metadata={'newos_boot': value})
        with self.assertRaisesRegex(
            exception.MetadataInvalid, "newos_boot=.* is not 'installer'"
        ):
            start.boots_installer  # noqa: B018

    def test_once(self):
        """Nova asks several times for one domain."""
        start = self.start()
        self.is_blank.side_effect = (False, True)
        self.assertFalse(start.boots_installer)
        self.assertFalse(start.boots_installer)

    def test_under_way(self):
        self.assertFalse(boot.boots_installer())
        with self.start(is_first=True).under_way():
            self.assertTrue(boot.boots_installer())
        self.assertFalse(boot.boots_installer())

    def test_failed(self):
        start = self.start(metadata={'newos_boot': 'installer'})
        with self.assertRaises(ZeroDivisionError), start.under_way():
            raise ZeroDivisionError
        self.assertFalse(boot.boots_installer())
        self.assertEqual({'newos_boot': 'installer'}, self.instance.metadata)

    def test_told(self):
        with self.start(
            metadata={'newos_boot': 'installer', 'newos_error': 'old'}
        ).under_way():
            pass
        told = {'newos_boot_order': 'disk, then installer'}
        self.assertEqual(told, self.instance.metadata)
        self.assertEqual(told, self.metadata[fakes.SERVER])

    def test_told_how_to_have_the_installer(self):
        with self.start().under_way():
            pass
        text = self.instance.metadata['newos_boot_order']
        self.assertIn('newos_boot=installer', text)
        self.assertLessEqual(len(text), 255)

    def test_not_started(self):
        """What is asked for holds for the start to come."""
        asked = {'newos_boot': 'installer'}
        with self.start(metadata=asked).under_way(is_started=False):
            self.assertTrue(boot.boots_installer())
        self.assertEqual(asked, self.instance.metadata)

    @ddt.data(
        (BOTH, True, BOTH),
        (BOTH, False, DISK),
        (DISK, True, BOTH),
        (DISK, False, DISK),
    )
    @ddt.unpack
    def test_applied(self, before, is_blank, after):
        applied = self.start(is_blank).applied(XML.format(before))
        self.assertEqual(
            *(etree.canonicalize(xml) for xml in (XML.format(after), applied))
        )
