# SPDX-License-Identifier: Apache-2.0

import ddt

from devstack.onebox import demo_console
from devstack.onebox import demo_options
from tests.unit import base


@ddt.ddt
class PlainTest(base.TestCase):
    @ddt.data(
        ('\x1b[2J\x1b[1;1Hready', 'ready'),
        ('\x1b[0;32m  OK  \x1b[0m done', '  OK   done'),
        ('\x1b]0;title\x07text', 'text'),
        ('\x1b]52;c;cm0=\x07text', 'text'),
        ('\x1bcreset', 'reset'),
        ('[H[J[1;1Hinstaller', 'installer'),
        ('a\x08\x07\x00\x9b31mb\r', 'a31mb'),
        ('list[0] [OK] [a;b]', 'list[0] [OK] [a;b]'),
        ('Grüße', 'Grüße'),
    )
    @ddt.unpack
    def test_nothing_that_a_terminal_obeys(self, text, expected):
        self.assertEqual(expected, demo_console.plain(text))


class ConsoleTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.console = demo_console.Console()

    def test_only_what_is_new(self):
        self.assertEqual(['one'], self.console.feed('one\r\ntw'))
        self.assertEqual([], self.console.feed('one\r\ntw'))
        self.assertEqual(
            ['two', 'three'], self.console.feed('one\r\ntwo\n\nthree\n')
        )

    def test_log_that_lost_its_beginning(self):
        lines = [f'line {number:04}' for number in range(200)]
        self.console.feed('\n'.join(lines[:100]) + '\n')
        new = self.console.feed('\n'.join(lines[50:150]) + '\n')
        self.assertEqual(lines[100:150], new)

    def test_log_of_another_boot(self):
        self.console.feed('installer: 100% done\n')
        self.assertEqual(['login'], self.console.feed('login\n'))

    def test_prompt_that_ends_no_line(self):
        self.console.feed('Debian GNU/Linux\n\ndebian login: ')
        self.assertEqual(
            'debian login: ', self.console.search(demo_options.LOGIN_PROMPT)
        )
        self.assertEqual(
            ['Debian GNU/Linux', 'debian login: '], self.console.tail()
        )

    def test_nothing_found(self):
        self.console.feed('starting\nlogin service\n')
        self.assertIsNone(self.console.search(demo_options.LOGIN_PROMPT))

    def test_tail_is_short(self):
        self.console.feed('a\nb\nc\n')
        self.assertEqual(['b', 'c'], self.console.tail(2))
