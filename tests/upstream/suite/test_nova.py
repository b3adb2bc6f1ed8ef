# SPDX-License-Identifier: Apache-2.0
"""What stestr discovers: the selection of Nova's tests, and a proof."""

from tests.upstream import selection
from tests.upstream import substitute


def load_tests(loader, tests, pattern):
    """unittest's protocol: what to run in place of this module's tests."""
    substitute.substitute()
    release = selection.nova_release()
    nova = loader.loadTestsFromNames(selection.MODULES)
    proof = loader.loadTestsFromName('tests.upstream.proof')
    if loader.errors:
        raise ImportError('\n'.join(loader.errors))
    tests.addTests(
        selection.without(nova, selection.deselected(release), release)
    )
    tests.addTests(proof)
    return tests
