# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos import exception
from nova_newos.seal import request
from tests.unit import base


@ddt.ddt
class RequestTest(base.TestCase):
    @ddt.data(
        ({}, {}, False, False),
        ({}, {}, True, True),
        ({}, {'newos_seal': 'yes'}, False, True),
        ({}, {'newos_seal': 'False'}, True, False),
        ({'newos_seal': 'true'}, {'newos_seal': 'false'}, False, True),
        ({'newos_seal': '0'}, {'newos_seal': 'true'}, True, False),
    )
    @ddt.unpack
    def test_precedence(self, metadata, properties, default, expected):
        self.assertIs(
            expected, request.is_asked_for(metadata, properties, default)
        )

    def test_metadata_invalid(self):
        with self.assertRaises(exception.MetadataInvalid) as caught:
            request.is_asked_for({'newos_seal': 'perhaps'}, {}, False)
        self.assertIn('server set --property', str(caught.exception))

    def test_property_invalid(self):
        with self.assertRaises(exception.PropertyInvalid) as caught:
            request.is_asked_for({}, {'newos_seal': 'perhaps'}, False)
        self.assertIn("'perhaps'", str(caught.exception))
