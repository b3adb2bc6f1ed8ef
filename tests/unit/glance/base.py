# SPDX-License-Identifier: Apache-2.0

"""Tests of what runs in glance-api, with our options and a database."""

import pathlib

import fixtures
from oslo_config import cfg
from oslo_config import fixture as config_fixture

from glance_ext import conf
from tests.unit import base
from tests.unit.glance import isos


class TestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        conf.register_opts(cfg.CONF)
        self._config = self.useFixture(config_fixture.Config())
        database = self.directory / 'database'
        database.mkdir()
        self.set_options(database=isos.write_database(database))

    def set_options(self, **options):
        self._config.config(group='newos_iso', **options)
