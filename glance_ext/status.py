# SPDX-License-Identifier: Apache-2.0
"""``glance-newos-status upgrade check``, whether glance-api is ready.

A command of its own beside ``nova-newos-status``: that one reads nova.conf,
and the absence of Nova is a finding of it. This one reads glance-api.conf the
way glance-api does (``--config-file`` may name others), and changes nothing.
"""

import configparser
import importlib.metadata
import os
import sys

from oslo_config import cfg
from oslo_config import types
from oslo_upgradecheck import upgradecheck

from glance_ext import conf as newos_conf
from nova_newos import checks
from nova_newos import iso

PLUGIN = 'newos_iso'
NAMESPACE = 'glance.image_import.plugins'
FACTORY = 'glance_ext.upload_filter:filter_factory'

# As glance-api reads them, the last one wins.
_CONFIG_FILES = ('glance-image-import.conf', 'glance-api.conf')
_PASTE_FILE = 'glance-api-paste.ini'

# The few options of Glance that are looked at, under Glance's names. Its own
# definitions would need Glance, whose absence is one of the findings.
_IMPORT_OPTS = (
    cfg.ListOpt(
        'image_import_plugins',
        item_type=types.String(quotes=True),
        bounds=True,
        default=[],
    ),
)
_PASTE_OPTS = (cfg.StrOpt('flavor'), cfg.StrOpt('config_file'))


class Checks(upgradecheck.UpgradeCommands):
    """The checks, over a configuration that ``main`` reads."""

    def __init__(self, conf):
        super().__init__()
        self.conf = conf

    def _check_options(self):
        """All options of [newos_iso] have values of their types."""
        try:
            for name in self.conf.newos_iso:
                self.conf.newos_iso[name]
        except ValueError as error:
            return checks.failure(f'[newos_iso] cannot be read: {error}')
        return checks.success()

    def _check_import_plugin(self):
        if PLUGIN not in self.conf.image_import_opts.image_import_plugins:
            return checks.warning(
                f'imports are not looked at. Add {PLUGIN} to '
                '[image_import_opts] image_import_plugins, or name the right '
                'file with --config-file before the command.'
            )
        # One that is missing Glance only logs.
        found = importlib.metadata.entry_points(group=NAMESPACE, name=PLUGIN)
        if not found:
            return checks.failure(
                f'{PLUGIN} is not installed in {sys.prefix}. Install '
                "'nova-newos[glance]' into the environment that glance-api "
                'runs from.'
            )
        return self._load(*found)

    def _check_upload_filter(self):
        path = self._paste_file()
        if path is None:
            return checks.warning(
                f'no {_PASTE_FILE} was found. Set [paste_deploy] config_file.'
            )
        paste = configparser.ConfigParser(interpolation=None, strict=False)
        paste.read(path)
        names = [
            section.removeprefix('filter:')
            for section in paste.sections()
            if paste[section].get('paste.filter_factory') == FACTORY
        ]
        if not set(names) & set(self._pipeline(paste)):
            return checks.warning(
                f'direct uploads are not looked at. Add the filter {FACTORY} '
                f'to {path}, and to the pipeline of the flavor '
                f'{self.conf.paste_deploy.flavor or "default"}.'
            )
        return self._load(
            importlib.metadata.EntryPoint(PLUGIN, FACTORY, 'paste')
        )

    def _paste_file(self):
        """Path of the paste configuration; None if there is none."""
        named = self.conf.paste_deploy.config_file
        if named:
            return named if os.path.isfile(named) else None
        # Beside a configuration file, or where those of Glance are.
        return self.conf.find_file(_PASTE_FILE)

    def _pipeline(self, paste):
        """Names of the filters that Glance's flavor has."""
        flavor = self.conf.paste_deploy.flavor
        root = f'glance-api-{flavor}' if flavor else 'glance-api'
        if paste.has_option(f'pipeline:{root}', 'pipeline'):
            return paste[f'pipeline:{root}']['pipeline'].split()
        return paste.get(
            'composite:api', flavor or 'default', fallback=''
        ).split()

    @staticmethod
    def _load(entry_point):
        try:
            entry_point.load()
        except Exception as error:
            # Whatever it is, glance-api would meet it.
            return checks.failure(
                f'{entry_point.value} cannot be imported, '
                f'{type(error).__name__}: {error}. Install '
                "'nova-newos[glance]'."
            )
        return checks.success()

    def _check_database(self):
        path = self.conf.newos_iso.database
        if not path:
            return checks.warning('[newos_iso] database names none.')
        try:
            # Nothing is like it: it is to be read, no more.
            iso.Database(path).identify(iso.Iso(volume_size=1))
        except iso.NoDatabase as error:
            return checks.failure(str(error))
        return checks.success(path)

    _upgrade_checks = (
        ('Options of [newos_iso]', _check_options),
        ('Import plug-in', _check_import_plugin),
        ('Upload filter', _check_upload_filter),
        ('Database of systems', _check_database),
    )


def configuration():
    """The options that are looked at, not read from anywhere yet."""
    conf = cfg.ConfigOpts()
    newos_conf.register_opts(conf)
    conf.register_opts(_IMPORT_OPTS, group='image_import_opts')
    conf.register_opts(_PASTE_OPTS, group='paste_deploy')
    return conf


def config_files():
    """Paths of what glance-api reads when it is told nothing."""
    directory = os.environ.get('OS_GLANCE_CONFIG_DIR', '/etc/glance')
    paths = [os.path.join(directory, name) for name in _CONFIG_FILES]
    return [path for path in paths if os.path.exists(path)]


def main(argv=None):
    """Run the checks; see :func:`nova_newos.checks.run`."""
    return checks.run(
        'glance',
        Checks(configuration()),
        argv,
        default_config_files=config_files(),
    )
