# SPDX-License-Identifier: Apache-2.0
"""Glance says what an uploaded ISO is."""

from tempest import config
from tempest.lib import decorators

from nova_newos.tempest_plugin.tests import base
from nova_newos.tempest_plugin.tests import iso

CONF = config.CONF

_LABEL = 'NEWOS_TEMPEST'


class TestIsoProperties(base.ScenarioTest):
    def check(self, image_id):
        image = self.watch.image(image_id)
        self.assertEqual(_LABEL, image['newos_volume_id'])
        self.assertEqual('bios', image['newos_boot'])
        self.assertIn('newos_inspected', image)

    @decorators.idempotent_id('fec40c65-1f97-44e9-879b-57b6ce36968b')
    @decorators.attr(type='smoke')
    def test_direct_upload(self):
        if not CONF.newos_feature_enabled.iso_properties_on_upload:
            raise self.skipException('not for direct uploads')
        image = self.create_iso()
        self.images.store_image_file(image, iso.bootable(_LABEL))
        self.check(image)

    @decorators.idempotent_id('0b45e2e6-197a-4548-982d-89d3cc6bd561')
    @decorators.attr(type='smoke')
    def test_import(self):
        if not CONF.newos_feature_enabled.iso_properties_on_import:
            raise self.skipException('not for imports')
        image = self.create_iso()
        self.images.stage_image_file(image, iso.bootable(_LABEL))
        self.images.image_import(image)
        self.check(image)
