# SPDX-License-Identifier: Apache-2.0

from benchmarks import upload
from devstack.onebox import configs
from tests.unit import base

PASTE = """
[composite:api]
default = cors context rootapp
keystone = cors authtoken context rootapp
[filter:cors]
"""


class PasteTest(base.TestCase):
    def test_the_filter_goes_from_each_pipeline(self):
        watched = configs.with_upload_filter(PASTE)
        self.assertEqual(2, watched.count(' newos_iso rootapp'))
        plain = upload.without_filter(watched)
        self.assertTrue(plain.startswith(PASTE.rstrip()), plain)
        self.assertNotIn(' newos_iso', plain)


class CompareTest(base.TestCase):
    def test_each_kind_beside_itself(self):
        found = {
            way: [(speed, 2)]
            for title, _format, _in_chunks in upload._KINDS
            for way, speed in (
                (title, 100),
                (f'{title}, without it twice', 101),
                (f'{title}, filter', 99),
            )
        }
        rows = upload.compare(found)
        self.assertEqual([0.99, 1, 1.01, 1] * 3, [row.ratio() for row in rows])
