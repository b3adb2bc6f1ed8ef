# SPDX-License-Identifier: Apache-2.0

import ddt
from glance.api.v2 import metadef_namespaces
from glance.api.v2.model import metadef_property_type
from wsme.rest import json as wsme_json

from glance_ext.appliance import disk
from tests.unit import base
from tests.unit import test_metadefs as metadefs


@ddt.ddt
class MetadefsTest(base.TestCase):
    @ddt.data(*metadefs.FILES)
    def test_schema_of_glance(self, path):
        metadef_namespaces.get_schema().validate(metadefs.load(path))

    @ddt.data(*metadefs.FILES)
    def test_api_of_glance(self, path):
        """It answers 500 for a namespace with a word that it does not know."""
        for name, about in metadefs.properties(path).items():
            with self.subTest(name=name):
                wsme_json.fromjson(metadef_property_type.PropertyType, about)

    def test_formats_of_disks(self):
        about = metadefs.properties(
            metadefs.DIRECTORY / 'newos-findings.json'
        )['newos_source']
        for name in (
            *(f'disk:{each}' for each in disk.FORMATS),
            'ova:',
            'ova:Web shop',
        ):
            self.assertRegex(name, about['pattern'])
