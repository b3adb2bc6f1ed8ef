# SPDX-License-Identifier: Apache-2.0
"""A configuration and plug-ins of a test's own."""

import importlib.metadata
from unittest import mock

import fixtures
from oslo_config import cfg
from stevedore import extension

from nova_newos import conf


def make_conf(**options):
    """A configuration with our options.

    :param options: what is set in the group ``newos``
    """
    made = cfg.ConfigOpts()
    # Not the OptGroup: overrides of all who register it would be one.
    made.register_opts(conf.newos_opts, group='newos')
    made([], default_config_files=[], default_config_dirs=[])
    for name, value in options.items():
        made.set_override(name, value, 'newos')
    return made


class Provided(fixtures.Fixture):
    """Has stevedore find these instead of what is installed."""

    def __init__(self, namespace, entry_points):
        """:param entry_points: (name, value) of each"""
        super().__init__()
        self._cache = {
            namespace: [
                importlib.metadata.EntryPoint(name, value, namespace)
                for name, value in entry_points
            ]
        }

    def _setUp(self):
        patch = mock.patch.dict(
            extension.ExtensionManager.ENTRY_POINT_CACHE, self._cache
        )
        patch.start()
        self.addCleanup(patch.stop)
