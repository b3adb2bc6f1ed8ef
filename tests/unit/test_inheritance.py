# SPDX-License-Identifier: Apache-2.0
"""The properties that the operator is told to keep to golden images."""

import datetime
import pathlib
import re
import textwrap

import fixtures
from nova.conf import compute
from oslo_config import cfg

from nova_newos.golden import provenance
from nova_newos.golden import signature
from nova_newos.golden import verdict
from tests.unit import base
from tests.unit import plugins

PAGE = pathlib.Path(__file__).parents[2] / 'doc/source/admin/sealing.rst'
OPTION = 'non_inheritable_image_properties'


class InheritanceTest(base.TestCase):
    def documented(self):
        """The names in the page, as Nova reads them."""
        [block] = re.findall(
            rf'( +\[DEFAULT\]\n +{OPTION}.*?)\n\n', PAGE.read_text(), re.DOTALL
        )
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).join('conf'))
        path.write_text(textwrap.dedent(block))
        conf = cfg.ConfigOpts()
        conf.register_opt(cfg.ListOpt(OPTION))
        conf([], default_config_files=[str(path)], default_config_dirs=[])
        return conf[OPTION]

    def test_nova_s_own_are_kept(self):
        [option] = [each for each in compute.ALL_OPTS if each.name == OPTION]
        self.assertEqual(option.default, self.documented()[:2])

    def test_ours_are_complete(self):
        conf = plugins.make_conf().newos
        now = datetime.datetime.now(datetime.UTC)
        properties = provenance.properties(
            server='s',
            iso=('i', 'h'),
            change='c',
            # What answers are made of is no image, and has no digest.
            media=[
                (name, 'v', None if name == 'answers' else 'h')
                for name in conf.media
            ],
            flavor='f',
            versions={'n': '1'},
            started=now,
            captured=now,
        )
        expected = [
            *(f'seal_{name}' for name in conf.sealers),
            *(f'verdict_{name}' for name in verdict.FACTS),
            *properties,
            signature.SELF,
            signature.SIGNATURE,
            signature.KEY,
            *signature.names(),
            # Of an appliance that was imported.
            'newos_source',
        ]
        self.assertCountEqual(expected, self.documented()[2:])
