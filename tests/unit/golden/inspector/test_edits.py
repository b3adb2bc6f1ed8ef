# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_newos.golden import base as golden_base
from nova_newos.golden.inspector import edits
from tests.unit.golden import base
from tests.unit.golden.inspector import fakes


@ddt.ddt
class EditTest(base.TestCase):
    FOUND = {'there': {'/x': 1}, 'gone': {}, 'unknown': None}

    def setUp(self):
        super().setUp()
        self.calls = []

    def edit(self, **options):
        def record(name):
            return lambda *arguments: self.calls.append((name, *arguments))

        guest = fakes.FakeGuest(
            {'/var/mail/a': 1, '/var/mail/b': 1},
            mkdir_p=record('mkdir'),
            write=record('write'),
            ln_sf=record('link'),
            rm_rf=record('remove'),
        )
        edit = golden_base.Edit(**{'path': '/etc/x', 'content': 'y'} | options)
        return edits.edit(guest, [dataclasses.asdict(edit)], self.FOUND)

    def test_file_and_link(self):
        self.assertEqual(['/etc/x'], self.edit(link='/d/l'))
        self.assertEqual(
            [
                ('mkdir', '/etc'),
                # There may be a pipe, a link, a device.
                ('remove', '/etc/x'),
                ('write', '/etc/x', 'y'),
                ('mkdir', '/d'),
                ('link', '/etc/x', '/d/l'),
            ],
            self.calls,
        )

    def test_file_that_is_there(self):
        """It keeps its mode."""
        self.edit(path='/var/mail/a')
        self.assertEqual(
            [('mkdir', '/var/mail'), ('write', '/var/mail/a', 'y')],
            self.calls,
        )

    def test_removed(self):
        self.edit(path='/var/mail/*', content=None)
        self.assertEqual(
            [('remove', '/var/mail/a'), ('remove', '/var/mail/b')], self.calls
        )

    def test_removed_with_names_that_are_no_text(self):
        """The directory is emptied all the same, and is what it was."""

        def glob_expand(_path):
            raise UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid')

        def record(name):
            return lambda *arguments: self.calls.append((name, *arguments))

        guest = fakes.FakeGuest(
            statns={'st_mode': 0o42775, 'st_uid': 0, 'st_gid': 8},
            rm_rf=record('remove'),
            mkdir_mode=record('mkdir'),
            chown=record('chown'),
        )
        guest.glob_expand = glob_expand
        edit = golden_base.Edit('/var/mail/*', None)
        edits.edit(guest, [dataclasses.asdict(edit)], self.FOUND)
        self.assertEqual(
            [
                ('remove', '/var/mail'),
                ('mkdir', '/var/mail', 0o2775),
                ('chown', 0, 8, '/var/mail'),
            ],
            self.calls,
        )

    @ddt.data(
        (('there',), (), True),
        (('gone',), (), False),
        (('unknown',), (), False),
        (('there', 'gone'), (), False),
        ((), ('gone',), True),
        ((), ('there',), False),
        ((), ('unknown',), False),
    )
    @ddt.unpack
    def test_condition(self, if_found, unless_found, is_made):
        made = self.edit(if_found=if_found, unless_found=unless_found)
        self.assertEqual(['/etc/x'] if is_made else [], made)
        self.assertEqual(is_made, bool(self.calls))
