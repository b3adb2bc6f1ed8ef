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
DISK_FIRST = '<boot dev="hd"/><boot dev="cdrom"/>'
INSTALLER_FIRST = '<boot dev="cdrom"/><boot dev="hd"/>'
ASKED = {'newos_boot': 'installer'}


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
        self.assertEqual(boot.Order.DISK_FIRST, start.order)
        self.is_blank.assert_not_called()

    @ddt.data((True, boot.Order.DISK_FIRST), (False, boot.Order.DISK))
    @ddt.unpack
    def test_later(self, is_blank, order):
        self.assertEqual(order, self.start(is_blank).order)

    def test_asked_for(self):
        """A disk that was partitioned looks bootable to a BIOS."""
        start = self.start(metadata=ASKED)
        self.assertEqual(boot.Order.INSTALLER_FIRST, start.order)

    def test_installer_that_would_repeat(self):
        """One that asks for no key any more boots at its own reboots too."""
        self.start(metadata=ASKED)
        self.instance.system_metadata['newos_prompt'] = 'skipped'
        with self.assertRaises(exception.InstallerWouldRepeat):
            boot.check_start(self.instance)
        # Where nobody can be told.
        start = boot.Start(fakes.install_server(self.instance), lambda: False)
        self.assertEqual(boot.Order.DISK, start.order)

    @ddt.data({'is_blank': True}, {'is_first': True})
    def test_asked_for_without_need(self, start):
        """The installer would come first after its own reboot as well."""
        start = self.start(metadata=ASKED, **start)
        self.assertEqual(boot.Order.DISK_FIRST, start.order)

    @ddt.data('', 'disk', 'Installer', 'x' * 255)
    def test_what_cannot_be_asked_for(self, value):
        """It is as if nothing was, where it is too late to refuse it."""
        metadata = {'newos_boot': value}
        with self.assertRaisesRegex(
            exception.MetadataInvalid, "newos_boot=.* is not 'installer'"
        ):
            boot.check(fakes.server(metadata=metadata))
        self.assertEqual(boot.Order.DISK, self.start(metadata=metadata).order)

    @ddt.data({}, ASKED)
    def test_what_can_be_asked_for(self, metadata):
        boot.check(fakes.server(metadata=metadata))

    @ddt.data('', 'Reboot', 'shutdown', 'x' * 255)
    def test_finish_that_there_is_not(self, value):
        asked = {'newos_finish': value}
        for instance, error in (
            (fakes.server(metadata=asked), exception.MetadataInvalid),
            (
                fakes.server(fakes.image_dict(**asked)),
                exception.PropertyInvalid,
            ),
        ):
            with self.assertRaisesRegex(
                error, 'newos_finish=.*is not power-off or reboot'
            ):
                boot.check(instance)
            self.assertFalse(boot.finishes_by_reboot(instance))

    @ddt.data(
        (None, None, False),
        (None, 'reboot', True),
        (None, 'power-off', False),
        ('reboot', None, True),
        ('reboot', 'power-off', True),
        ('power-off', 'reboot', False),
    )
    @ddt.unpack
    def test_finish(self, metadata, image_property, finishes):
        """What the server says comes before what its image says."""

        def asked(value):
            return {} if value is None else {'newos_finish': value}

        instance = fakes.server(
            fakes.image_dict(**asked(image_property)),
            metadata=asked(metadata),
        )
        boot.check(instance)
        self.assertIs(finishes, boot.finishes_by_reboot(instance))

    @ddt.data(
        ({'is_first': True}, {}, True),
        ({'is_blank': True}, {}, True),
        ({}, ASKED, True),
        # What was installed may reboot.
        ({}, {}, False),
    )
    @ddt.unpack
    def test_ends_at_reboot(self, start, metadata, ends):
        start = self.start(
            metadata={'newos_finish': 'reboot', **metadata}, **start
        )
        with start.under_way():
            self.assertIs(ends, boot.ends_at_reboot())
        self.assertFalse(boot.ends_at_reboot())

    def test_does_not_end_at_reboot(self):
        with self.start(is_first=True).under_way():
            self.assertFalse(boot.ends_at_reboot())

    def test_once(self):
        """Nova asks several times for one domain."""
        start = self.start()
        self.is_blank.side_effect = (False, True)
        self.assertEqual(start.order, start.order)

    def test_under_way(self):
        self.assertEqual(boot.Order.DISK, boot.order())
        with self.start(is_first=True).under_way():
            self.assertEqual(boot.Order.DISK_FIRST, boot.order())
        self.assertEqual(boot.Order.DISK, boot.order())

    def test_failed(self):
        start = self.start(metadata=ASKED)
        with self.assertRaises(ZeroDivisionError), start.under_way():
            raise ZeroDivisionError
        self.assertEqual(boot.Order.DISK, boot.order())
        self.assertEqual(ASKED, self.instance.metadata)

    def test_told(self):
        with self.start(metadata={**ASKED, 'newos_error': 'old'}).under_way():
            pass
        told = {'newos_boot_order': 'installer, then disk'}
        self.assertEqual(told, self.instance.metadata)
        self.assertEqual(told, self.metadata[fakes.SERVER])

    def test_asked_for_while_it_starts(self):
        """That is for the next start."""
        with self.start().under_way():
            self.metadata[fakes.SERVER] = dict(ASKED)
        self.assertEqual(
            'installer', self.metadata[fakes.SERVER]['newos_boot']
        )

    def test_told_how_to_have_the_installer(self):
        with self.start().under_way():
            pass
        text = self.instance.metadata['newos_boot_order']
        self.assertIn('newos_boot=installer', text)
        self.assertLessEqual(len(text), 255)

    def test_not_started(self):
        """What is asked for holds for the start to come."""
        with self.start(metadata=ASKED).under_way(is_started=False):
            self.assertEqual(boot.Order.INSTALLER_FIRST, boot.order())
        self.assertEqual(ASKED, self.instance.metadata)

    @ddt.data(
        (DISK_FIRST, {'is_blank': True}, DISK_FIRST),
        (DISK_FIRST, {}, DISK),
        (DISK_FIRST, {'metadata': ASKED}, INSTALLER_FIRST),
        (DISK, {'is_blank': True}, DISK_FIRST),
        (DISK, {}, DISK),
        (INSTALLER_FIRST, {}, DISK),
    )
    @ddt.unpack
    def test_applied(self, before, start, after):
        applied = self.start(**start).applied(XML.format(before))
        self.assertEqual(
            *(etree.canonicalize(xml) for xml in (XML.format(after), applied))
        )

    @ddt.data(
        ({'is_blank': True}, ['destroy']),
        # It was the installer's before.
        ({}, []),
    )
    @ddt.unpack
    def test_applied_finish(self, start, actions):
        start = self.start(metadata={'newos_finish': 'reboot'}, **start)
        xml = XML.format(DISK_FIRST).replace(
            '<devices>', '<on_reboot>destroy</on_reboot><devices>'
        )
        applied = etree.fromstring(start.applied(xml))
        self.assertEqual(
            actions, [found.text for found in applied.findall('on_reboot')]
        )
