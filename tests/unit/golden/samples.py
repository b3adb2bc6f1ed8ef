# SPDX-License-Identifier: Apache-2.0
"""Sealers as third parties could write them, most of them wrong."""

from nova_newos.golden import base
from nova_newos.golden import exception


class Good(base.Sealer):
    name = 'good'

    def seal(self, disk, appliance):
        return f'good {disk.format} {appliance}'


class Talkative(base.Sealer):
    name = 'talkative'

    def seal(self, disk, appliance):
        return '\x1b[31m' + 'a\n\N{SNOWMAN}' * 1000


class Refusing(base.Sealer):
    name = 'refusing'

    def seal(self, disk, appliance):
        raise exception.SealNoRoom(path='/here')


class Broken(base.Sealer):
    name = 'broken'

    def seal(self, disk, appliance):
        raise ZeroDivisionError('divided')


class Patient(base.Sealer):
    name = 'patient'

    def seal(self, disk, appliance):
        return base.LastBoot(report=lambda found: f'\nfound {found["found"]}')


class Late(base.Sealer):
    name = 'late'

    def seal(self, disk, appliance):
        return base.LastBoot(report=lambda found: found['gone'])


class Muddled(base.Sealer):
    name = 'muddled'

    def seal(self, disk, appliance):
        return base.LastBoot(report=str, edits=['/etc/x'])


class Incomplete(base.Sealer):
    name = 'incomplete'


class NoSealer:
    name = 'no-sealer'

    def __init__(self, conf):
        pass


class Misconfigured(Good):
    name = 'misconfigured'

    def __init__(self, conf):
        raise exception.SysprepOperationUnknown(names='shave')


class Upper(Good):
    name = 'Upper'
