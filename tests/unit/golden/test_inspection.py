# SPDX-License-Identifier: Apache-2.0

import json
import os

from nova_newos.golden import appliance
from nova_newos.golden import base as golden_base
from nova_newos.golden import inspection
from nova_newos.golden import inspector
from tests.unit.golden import base


class InspectionTest(base.TestCase):
    EDIT = golden_base.Edit('/e', '')
    LAST_BOOT = golden_base.LastBoot(
        report=str, patterns={'c': ['/d']}, edits=[EDIT], discard=True
    )

    def inspect(self, answer, *wanted, **options):
        """The inspection, and the plan."""
        fake = base.FakeAppliance(json.dumps(answer))
        found = inspection.inspect(
            base.DISK, fake, {'a': ['/b']}, *wanted, **options
        )
        [(disk, tool, arguments)] = fake.commands
        self.assertEqual((base.DISK, '/usr/bin/python3'), (disk, tool))
        self.assertEqual(appliance.SYSTEM_PYTHON, tool)
        self.assertEqual(
            [
                '-I',
                os.path.dirname(inspector.__file__),
                '/snapshots/x/copy',
                'qcow2',
            ],
            arguments[:-1],
        )
        return found, json.loads(arguments[-1])

    def test_nothing_is_wanted(self):
        found, plan = self.inspect({'systems': []}, write=True)
        self.assertEqual({'systems': []}, found.disk)
        self.assertEqual(
            {
                'write': False,
                'discard': False,
                'patterns': {'a': ['/b']},
                'everywhere': [],
                'asked': {},
            },
            plan,
        )

    def test_wanted(self):
        answer = {'systems': [1], 'paths': 0, 'asked': {'x': {'paths': 2}}}
        found, plan = self.inspect(answer, {'x': self.LAST_BOOT}, write=True)
        self.assertEqual(2, found.asked['x']['paths'])
        self.assertEqual([1], found.asked['x']['systems'])
        self.assertEqual((True, True), (plan['write'], plan['discard']))
        self.assertEqual(
            {
                'x': {
                    'patterns': {'c': ['/d']},
                    'edits': [
                        {
                            'path': '/e',
                            'content': '',
                            'link': None,
                            'if_found': [],
                            'unless_found': [],
                        }
                    ],
                }
            },
            plan['asked'],
        )

    def test_not_written(self):
        found, plan = self.inspect({'systems': []}, {'x': self.LAST_BOOT})
        self.assertEqual([], found.asked['x']['systems'])
        self.assertEqual((False, False), (plan['write'], plan['discard']))
        self.assertEqual([], plan['asked']['x']['edits'])
