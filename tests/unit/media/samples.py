# SPDX-License-Identifier: Apache-2.0
"""Media as third parties could write them, most of them wrong."""

from nova_newos.media import base


class Good(base.Medium):
    name = 'good'

    def reference(self, server):
        return 'r'

    def contents(self, server, reference):
        return base.Generated(label='GOOD', write=lambda path: None)


class Incomplete(base.Medium):
    name = 'incomplete'

    def reference(self, server):
        return 'r'


class Nameless(base.Medium):
    """It has no more of a name than the base class's annotation."""

    def reference(self, server):
        return 'r'

    def contents(self, server, reference):
        return base.GlanceImage(reference)


class NoMedium:
    name = 'no-medium'

    def __init__(self, conf):
        pass


class Failing(Good):
    name = 'failing'

    def __init__(self, conf):
        raise RuntimeError('no licence')


class Asserting(Good):
    name = 'asserting'

    def __init__(self, conf):
        raise AssertionError('not on this host')


def called(name):
    """A class of a good medium with another name."""
    return type('Called', (Good,), {'name': name})


Upper = called('Good')
Config = called('config')
Ephemeral = called('eph0')
Newos = called('newos')
Info = called('info')
Dotted = called('a.b')
Slash = called('../disk')
Digit = called('1st')
Long = called('a' * 17)
Longest = called('a' * 16)
