# SPDX-License-Identifier: Apache-2.0

import base64
import json
import random
import zlib

import ddt

from nova_newos import exception
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import leftovers
from tests.unit.golden import base


@ddt.ddt
class WantedTest(base.TestCase):
    @ddt.data(
        ({}, False, False),
        ({}, True, False),
        ({'newos_keep_answers': 'false'}, False, False),
        ({'newos_keep_answers': 'True'}, True, True),
    )
    @ddt.unpack
    def test_wanted(self, metadata, is_allowed, expected):
        found = leftovers.are_to_be_kept(metadata, is_allowed)
        self.assertIs(expected, found)

    @ddt.data(
        ('true', False, golden_exception.KeepAnswersNotAllowed),
        ('perhaps', True, exception.MetadataInvalid),
    )
    @ddt.unpack
    def test_refused(self, value, is_allowed, error):
        with self.assertRaisesRegex(error, 'newos_keep_answers'):
            leftovers.are_to_be_kept({'newos_keep_answers': value}, is_allowed)


class PropertiesTest(base.TestCase):
    def properties(self, output):
        if isinstance(output, dict):
            output = json.dumps({'answers': output})
        self.appliance = base.FakeAppliance(output)
        return leftovers.properties(base.DISK, self.appliance)

    def test_kept(self):
        files = {'ks.cfg': 'autopart\n' * 500}
        found = self.properties(files)
        self.assertEqual({'golden_answers'}, found.keys())
        value = found['golden_answers']
        self.assertLessEqual(len(value), 255)
        self.assertEqual(
            files, json.loads(zlib.decompress(base64.b64decode(value)))
        )
        [(disk, _tool, arguments)] = self.appliance.commands
        self.assertEqual(base.DISK, disk)
        self.assertFalse(json.loads(arguments[-1])['write'])

    def test_none(self):
        self.assertRegex(self.properties({})['golden_answers'], '^none: no in')

    def test_too_long(self):
        """The image is made, and says why there are none."""
        text = random.Random(0).randbytes(8000).hex()
        found = self.properties({'ks.cfg': text})
        self.assertEqual({'golden_answers': 'none: they are too long'}, found)

    def test_failed(self):
        found = self.properties(
            golden_exception.SealFailed(tool='inspector', reason='over')
        )
        self.assertRegex(found['golden_answers'], '^none: the disk could not')
