# SPDX-License-Identifier: Apache-2.0

"""The plug-in in Glance's own flow, on a repository with one image."""

from unittest import mock

import ddt
from glance.api.v2 import images as _options  # noqa: F401  Glance's options
from glance.async_.flows import api_image_import
from glance.async_.flows._internal_plugins import glance_download
from glance.common import exception as glance_exception

from glance_ext import findings
from glance_ext import import_plugin
from nova_newos import iso
from tests.unit.glance import base
from tests.unit.glance import flow
from tests.unit.glance import images
from tests.unit.glance import isos

IMAGE, LOCK = images.IMAGE, images.LOCK


@ddt.ddt
class ImportPluginTest(base.TestCase):
    def setUp(self):
        super().setUp()
        staging = self.directory / 'staging'
        staging.mkdir()
        self.staged = staging / IMAGE
        self._config.config(node_staging_uri=f'file://{staging}')
        self._config.config(
            group='image_import_opts', image_import_plugins=['newos_iso']
        )
        self.layers = []
        self.set_image()

    def set_image(self, **attributes):
        self.database = images.Repo(images.make(status='queued', **attributes))

    @property
    def image(self):
        return self.database.image

    @property
    def properties(self):
        return self.image.extra_properties

    def run_import(self, content, method='glance-direct', error=None):
        """Import as Glance does, into a store that ends with an error."""
        repo = self.database
        for layer in self.layers:
            repo = layer(repo)
        if method == 'glance-direct':
            self.staged.write_bytes(content)
        flow.run(repo, content, method, error=error)

    def check_given_back(self):
        """It can be imported again, and nothing of this import is left."""
        self.assertEqual('queued', self.image.status)
        self.assertNotIn(LOCK, self.properties)
        self.assertEqual('', self.properties['os_glance_importing_to_stores'])
        self.assertNotIn('newos_boot', self.properties)
        self.assertEqual((0, 0), (self.image.min_ram, self.image.min_disk))
        self.assertFalse(self.staged.exists())

    @ddt.data('glance-direct', 'web-download')
    def test_known_iso(self, method):
        self.run_import(isos.make(), method)
        self.assertEqual(
            self.properties, {**self.properties, **isos.KNOWN_PROPERTIES}
        )
        self.assertEqual('active', self.image.status)
        self.assertNotIn(LOCK, self.properties)

    def test_minimums_as_the_operator_wants_them(self):
        for wanted, expected in (
            ([], (0, 0)),
            (['ram'], (512, 0)),
            (['ram', 'disk'], (512, 3)),
        ):
            self.set_options(minimums=wanted)
            self.set_image()
            self.run_import(isos.make())
            self.assertEqual(
                expected, (self.image.min_ram, self.image.min_disk)
            )

    def test_what_the_user_has_set_stays(self):
        self.set_options(minimums=['ram', 'disk'])
        self.set_image(
            min_ram=64,
            extra_properties={'os_distro': 'mine', 'newos_install': 'true'},
        )
        self.run_import(isos.make())
        self.assertEqual('mine', self.properties['os_distro'])
        self.assertEqual('true', self.properties['newos_install'])
        self.assertEqual((64, 3), (self.image.min_ram, self.image.min_disk))

    def test_what_the_user_sets_meanwhile_stays(self):
        def inspect(file):
            self.database.change(os_distro='mine', purpose='tests')
            self.database.image.name = 'renamed'
            return _inspect(file)

        _inspect = iso.inspect
        with mock.patch.object(import_plugin.iso, 'inspect', inspect):
            self.run_import(isos.make())
        self.assertEqual('mine', self.properties['os_distro'])
        self.assertEqual('tests', self.properties['purpose'])
        self.assertEqual('renamed', self.image.name)
        self.assertEqual('example7', self.properties['newos_os'])

    def test_what_the_user_may_not_set_is_left_out(self):
        self.layers = [lambda repo: images.with_protections(repo, 'os_distro')]
        self.run_import(isos.make())
        self.assertNotIn('os_distro', self.properties)
        self.assertEqual('example7', self.properties['newos_os'])

    def test_more_than_the_quota_allows(self):
        self.set_options(minimums=['disk'])
        self._config.config(image_property_quota=5)
        self.layers = [images.with_quota]
        self.run_import(isos.make())
        self.assertEqual('active', self.image.status)
        self.assertNotIn('newos_os', self.properties)
        self.assertEqual(3, self.image.min_disk)

    def test_other_formats_are_not_looked_at(self):
        self.set_image(disk_format='raw')
        self.set_options(refuse=['unknown'])
        self.run_import(isos.make('OTHER'))
        self.assertEqual('active', self.image.status)
        self.assertNotIn('newos_boot', self.properties)

    def test_own_errors_are_not_the_users(self):
        self.set_options(refuse=['not_iso'])
        with mock.patch.object(findings, 'of', side_effect=MemoryError):
            self.run_import(b'no ISO')
        self.assertEqual('active', self.image.status)
        self.assertNotIn('newos_boot', self.properties)

    @ddt.data(
        ('glance-direct', ()),
        ('web-download', ()),
        # What says why cannot be set.
        ('glance-direct', ('newos_',)),
        ('web-download', ('newos_',)),
    )
    @ddt.unpack
    def test_refused(self, method, protected):
        self.set_options(refuse=['unknown'])
        self.layers = [lambda repo: images.with_protections(repo, *protected)]
        # Of no other does Glance show the text; it shows none of several.
        with self.assertRaises(glance_exception.UploadException) as caught:
            self.run_import(isos.make('OTHER'), method)
        text = str(caught.exception)
        self.assertIn("'OTHER' is of no system", text)
        self.check_given_back()
        self.assertEqual('fast', self.properties['os_glance_failed_import'])
        self.assertEqual(
            None if protected else text, self.properties.get('newos_refused')
        )

    @ddt.data(([], ZeroDivisionError()), (['newos_iso'], None))
    @ddt.unpack
    def test_glance_download_that_fails(self, plugins, error):
        """Glance keeps its lock by itself, with a plug-in or without."""
        self._config.config(enabled_import_methods=['glance-download'])
        self._config.config(
            group='image_import_opts', image_import_plugins=plugins
        )
        self.set_options(refuse=['unknown'])
        self.staged.write_bytes(isos.make('OTHER'))
        with (
            mock.patch.object(
                api_image_import._ImportMetadata, 'execute', lambda _self: 1
            ),
            mock.patch.object(
                glance_download._DownloadGlanceImage,
                'execute',
                lambda _self, image_size: '',
            ),
            self.assertRaises(glance_exception.InvalidImageStatusTransition),
        ):
            self.run_import(b'', 'glance-download', error)
        self.assertIn(LOCK, self.properties)
        self.assertEqual('queued', self.image.status)
        self.assertEqual(bool(plugins), 'newos_refused' in self.properties)
        self.assertEqual(bool(plugins), not self.staged.exists())

    def test_refused_with_a_full_quota(self):
        self.set_options(refuse=['unknown'])
        self.set_image(extra_properties={'mine': '1'})
        self._config.config(image_property_quota=1)
        self.layers = [images.with_quota]
        with self.assertRaises(glance_exception.UploadException):
            self.run_import(isos.make('OTHER'))
        self.check_given_back()

    def test_refused_when_it_is_deleted(self):
        self.set_options(refuse=['unknown'])

        def refuse(*_args):
            self.database.image = None
            return _check(*_args)

        _check = findings.Findings.check
        with (
            mock.patch.object(findings.Findings, 'check', refuse),
            self.assertRaises(Exception),  # noqa: B017  Glance's own undoing
        ):
            self.run_import(isos.make('OTHER'))
        self.assertFalse(self.staged.exists())

    def test_another_import_has_the_image(self):
        self.set_options(refuse=['unknown'])

        def refuse(*_args):
            self.database.change(os_glance_import_task='another')
            return _check(*_args)

        _check = findings.Findings.check
        for label in (isos.KNOWN, 'OTHER'):
            self.set_image()
            with mock.patch.object(findings.Findings, 'check', refuse):
                # Glance's own undoing.
                with self.assertRaises(Exception):  # noqa: B017
                    self.run_import(isos.make(label))
            self.assertEqual('another', self.properties[LOCK])
            self.assertNotIn('newos_os', self.properties)
            self.assertNotIn('newos_refused', self.properties)
            self.assertTrue(self.staged.exists())

    def test_refusal_is_forgotten_by_the_next_import(self):
        self.set_image(extra_properties={'newos_refused': 'it was broken'})
        self.run_import(isos.make())
        self.assertNotIn('newos_refused', self.properties)

    def test_later_failure_of_a_download(self):
        self.set_options(minimums=['ram', 'disk'])
        self.assertRaises(
            ZeroDivisionError,
            self.run_import,
            isos.make(),
            'web-download',
            ZeroDivisionError(),
        )
        # The file is Glance's to delete, which has no stores here.
        self.staged.unlink()
        self.check_given_back()
        self.assertNotIn('newos_refused', self.properties)

    def test_later_failure_of_what_was_staged(self):
        """The status is none of the plug-in's: Glance leaves it too."""
        self.set_options(minimums=['ram', 'disk'])
        self.set_image(
            min_ram=64, extra_properties={'newos_volume_id': 'mine'}
        )
        self.assertRaises(
            ZeroDivisionError,
            self.run_import,
            isos.make(),
            error=ZeroDivisionError(),
        )
        self.assertNotIn(LOCK, self.properties)
        self.assertNotIn('newos_os', self.properties)
        self.assertEqual('mine', self.properties['newos_volume_id'])
        self.assertEqual((64, 0), (self.image.min_ram, self.image.min_disk))
        self.assertTrue(self.staged.exists())

    def test_failure_of_what_is_active(self):
        with mock.patch.object(
            api_image_import._DeleteFromFS,
            'execute',
            side_effect=ZeroDivisionError(),
        ):
            self.assertRaises(ZeroDivisionError, self.run_import, isos.make())
        self.assertEqual('active', self.image.status)
        self.assertEqual('example7', self.properties['newos_os'])
