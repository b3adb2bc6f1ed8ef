# SPDX-License-Identifier: Apache-2.0
"""A class of Nova's goes on to work when its name means a subclass."""

import types

from tests.unit import base
from tests.upstream import substitute

# As Nova up to 32 writes it.
SOURCE = """
class Base:
    def __init__(self):
        self.made = ['base']

class Driver(Base):
    def __init__(self):
        super(Driver, self).__init__()
        self.made.append('driver')

    @staticmethod
    def unbound():
        return 'unbound'
"""


class SubstituteTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.module = types.ModuleType('module')
        exec(SOURCE, self.module.__dict__)
        self.stock = self.module.Driver
        self.ours = type('Ours', (self.stock,), {})

    def test_anchor_super(self):
        substitute.anchor_super(self.module, self.stock)
        self.module.Driver = self.ours
        self.assertEqual(['base', 'driver'], self.module.Driver().made)

    def test_without(self):
        """What anchor_super is against."""
        self.module.Driver = self.ours
        with self.assertRaises(RecursionError):
            self.module.Driver()

    def test_adopt_unbound_methods(self):
        substitute.adopt_unbound_methods(self.ours)
        self.assertIsInstance(vars(self.ours)['unbound'], staticmethod)
