# SPDX-License-Identifier: Apache-2.0
"""What Nova's tests miss where Nova is no checkout of its source."""

import importlib
import pathlib
import sys

PASTE_CONFIG = pathlib.Path(sys.prefix, 'etc', 'nova', 'api-paste.ini')


def use_installed_paste_config():
    """Have Nova's tests find the API's paste configuration.

    Their configuration fixture looks beside the ``nova`` package, where a
    checkout has it; a wheel puts it below the environment's prefix.
    """
    conf = importlib.import_module('nova.tests.fixtures.conf')
    original = conf.ConfFixture.setUp

    def set_up(fixture):
        original(fixture)
        fixture.conf.set_default(
            'api_paste_config', str(PASTE_CONFIG), group='wsgi'
        )

    conf.ConfFixture.setUp = set_up
