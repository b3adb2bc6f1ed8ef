# SPDX-License-Identifier: Apache-2.0
"""What Tempest loads, at whatever it does: nothing else is imported here.

A plug-in that cannot be imported ends all of Tempest.
"""

import pathlib

from tempest.test_discover import plugins

from nova_newos.tempest_plugin import config


class NewosTempestPlugin(plugins.TempestPlugin):
    def load_tests(self):
        """Where the tests are, and what their modules' names begin at."""
        here = pathlib.Path(__file__).parent
        return str(here / 'tests'), str(here.parents[1])

    def register_opts(self, conf):
        for group, options in config.GROUPS:
            conf.register_group(group)
            conf.register_opts(options, group=group)

    def get_opt_lists(self):
        return [(group.name, options) for group, options in config.GROUPS]
