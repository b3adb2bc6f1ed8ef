# SPDX-License-Identifier: Apache-2.0
"""The table of attacks names tests that there are."""

import pathlib
import re

from tests.unit import base

TOP = pathlib.Path(__file__).parents[2]
PAGE = TOP / 'doc/source/contributor/attacks.rst'


class AttacksTest(base.TestCase):
    def test_named_tests_exist(self):
        named = re.findall(r'``(\w+/[\w/]+\.py)::(\w+)``', PAGE.read_text())
        self.assertGreater(len(named), 20)
        missing = [
            f'{path}::{name}'
            for path, name in named
            if f'def {name}(' not in (TOP / 'tests' / path).read_text()
        ]
        self.assertEqual([], missing)

    def test_each_row_names_one(self):
        rows = re.split(r'\n   \* - ', PAGE.read_text())[2:]
        attacks = [row for row in rows if not row.startswith('**')]
        self.assertEqual(
            [], [row for row in attacks if row.count('.py::') != 1]
        )
