# SPDX-License-Identifier: Apache-2.0

import types

from benchmarks import registry
from tests.unit import base


class MeasuredTest(base.TestCase):
    def test_requests_are_counted(self):
        asked = []
        session = types.SimpleNamespace(
            request=lambda url, method: asked.append((url, method)) or 'answer'
        )
        cloud = types.SimpleNamespace(session=session)

        def call():
            for number in range(3):
                answer = session.request(f'/{number}', method='GET')
                self.assertEqual('answer', answer)

        seconds, requests = registry._measured(cloud, 2, call)
        self.assertEqual((3, 3), requests)
        self.assertEqual(2, len(seconds))
        self.assertEqual(6, len(asked))
        session.request('/', method='GET')
        self.assertEqual(7, len(asked))
