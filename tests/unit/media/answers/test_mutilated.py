# SPDX-License-Identifier: Apache-2.0
"""Whatever user data is, there is a CD, a refusal or nothing."""

import random

import ddt
import fixtures

from nova_newos import exception
from nova_newos.media.answers import cd
from nova_newos.media.answers import iso
from tests.unit import base
from tests.unit.media.answers import samples

FILES = (
    ('ks.cfg', samples.KICKSTART),
    ('autoinst.xml', samples.AUTOYAST),
    ('d' * 60 + '/' + 'f' * 64, b'1'),
)
#: Whole answers of each kind.
SEEDS = {
    'kickstart': samples.KICKSTART,
    'autoinstall': samples.AUTOINSTALL,
    'windows': samples.WINDOWS_PE,
    'utf-16': samples.UTF_16,
    'autoyast': samples.AUTOYAST,
    'ignition': samples.IGNITION,
    'combustion': samples.COMBUSTION,
    'multipart': samples.multipart(*FILES),
    'tar': samples.tar(*FILES),
    'gzip': samples.tar(*FILES, mode='w:gz'),
    'bzip2': samples.tar(*FILES, mode='w:bz2'),
    'xz': samples.tar(*FILES, mode='w:xz'),
}


def mutilated(data, source):
    """The same with a few bytes changed, lost or doubled."""
    data = bytearray(data)
    for _ in range(source.choice((1, 2, 10))):
        at = source.randrange(len(data))
        end = at + source.randrange(1, 100)
        kind = source.choice(('change', 'lose', 'double'))
        if kind == 'change':
            data[at] = source.randrange(256)
        elif kind == 'double':
            data[at:at] = data[at:end]
        elif len(data) > 200:
            del data[at:end]
    return bytes(data)


@ddt.ddt
class MutilatedTest(base.TestCase):
    @ddt.data(*SEEDS)
    def test_no_other_error(self, name):
        path = self.useFixture(fixtures.TempDir()).join('cd')
        source = random.Random(name)
        for _ in range(100):
            data = mutilated(SEEDS[name], source)
            try:
                found = cd.from_user_data(data, samples.UUID)
            except exception.NewosError as error:
                self.assertLessEqual(len(str(error)), 190)
                self.assertTrue(str(error).isprintable())
            else:
                if found is not None:
                    iso.write(found.label, found.files, path)
