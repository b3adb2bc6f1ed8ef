# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib.metadata
import io
import json
import pathlib
import sys
from unittest import mock

import ddt
import fixtures
from oslo_upgradecheck import upgradecheck

from glance_ext import status
from glance_ext import upload_filter
from tests.unit import base
from tests.unit.glance import isos

CONFIG = """
[image_import_opts]
image_import_plugins = ['no_op', 'newos_iso']
[paste_deploy]
flavor = keystone
[newos_iso]
database = {database}
"""
PASTE = """
[composite:api]
paste.composite_factory = glance.api:pipeline_factory
default = context rootapp
keystone = context looks rootapp
[filter:looks]
paste.filter_factory = glance_ext.upload_filter:filter_factory
[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory
"""
OLD_PASTE = """
[pipeline:glance-api-keystone]
pipeline = context looks rootapp
[filter:looks]
paste.filter_factory = glance_ext.upload_filter:filter_factory
"""
SUCCESS = upgradecheck.Code.SUCCESS
WARNING = upgradecheck.Code.WARNING
FAILURE = upgradecheck.Code.FAILURE


@ddt.ddt
class StatusTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.directory / 'database').mkdir()
        isos.write_database(self.directory / 'database')
        self.config = CONFIG.format(database=self.directory / 'database')
        self.paste = PASTE
        self.plugin = mock.Mock(value='glance_ext.import_plugin:get_flow')
        self.found = self._patch(
            importlib.metadata, 'entry_points', [self.plugin]
        )

    def _patch(self, where, name, value):
        patcher = mock.patch.object(where, name, return_value=value)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def run_checks(self):
        """Exit status, and {check: (code, details)}."""
        directory = self.directory
        (directory / 'glance-api.conf').write_text(self.config)
        if self.paste:
            (directory / 'glance-api-paste.ini').write_text(self.paste)
        printed = io.StringIO()
        with (
            mock.patch.dict('os.environ', OS_GLANCE_CONFIG_DIR=str(directory)),
            contextlib.redirect_stdout(printed),
        ):
            code = status.main(['upgrade', 'check', '--json'])
        checks = json.loads(printed.getvalue())['checks']
        return code, {
            check['check']: (check['result'], check['details'])
            for check in checks
        }

    def assert_found(self, name, code, text):
        _, checks = self.run_checks()
        found, details = checks.pop(name)
        self.assertEqual(code, found)
        self.assertIn(text, details)
        self.assertEqual({SUCCESS}, {code for code, _ in checks.values()})

    @ddt.data(PASTE, OLD_PASTE)
    def test_ready(self, paste):
        self.paste = paste
        code, checks = self.run_checks()
        self.assertEqual(0, code, checks)
        self.assertEqual(4, len(checks))

    def test_plugin_is_not_enabled(self):
        self.config = self.config.replace("'newos_iso'", "'other'")
        self.assert_found('Import plug-in', WARNING, 'image_import_plugins')

    def test_plugin_is_not_installed(self):
        self.found.return_value = []
        self.assert_found('Import plug-in', FAILURE, 'nova-newos[glance]')

    def test_plugin_cannot_be_imported(self):
        self.plugin.load.side_effect = ImportError('no taskflow')
        self.assert_found('Import plug-in', FAILURE, 'no taskflow')

    def test_filter_is_not_in_the_pipeline(self):
        self.config = self.config.replace('flavor = keystone', '')
        self.assert_found('Upload filter', WARNING, 'flavor default')

    def test_filter_is_not_defined(self):
        self.paste = PASTE.replace(status.FACTORY, 'other:Factory')
        self.assert_found('Upload filter', WARNING, status.FACTORY)

    def test_filter_cannot_be_imported(self):
        # As where there is no Glance.
        with mock.patch.dict(sys.modules, {upload_filter.__name__: None}):
            self.assert_found('Upload filter', FAILURE, 'cannot be imported')

    def test_no_paste_configuration(self):
        self.paste = None
        self.config = self.config.replace(
            'flavor = keystone', 'config_file = /nowhere'
        )
        self.assert_found('Upload filter', WARNING, 'config_file')

    def test_paste_configuration_elsewhere(self):
        path = self.directory / 'other.ini'
        path.write_text(self.paste)
        self.paste = '[composite:api]\n'
        self.config = self.config.replace(
            'flavor = keystone', f'flavor = keystone\nconfig_file = {path}'
        )
        self.assertEqual(0, self.run_checks()[0])

    @ddt.data(('/nowhere', FAILURE, 'osinfo-db'), ('', WARNING, 'none'))
    @ddt.unpack
    def test_no_database(self, path, code, text):
        self.config = CONFIG.format(database=path)
        self.assert_found('Database of systems', code, text)

    def test_option_that_means_nothing(self):
        self.config += 'refuse = all\n'
        self.assert_found('Options of [newos_iso]', FAILURE, 'all')
