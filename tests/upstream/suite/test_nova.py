# SPDX-License-Identifier: Apache-2.0
"""What stestr discovers: the selection of Nova's tests, and a proof."""

from tests.upstream import hangs
from tests.upstream import selection
from tests.upstream import substitute
from tests.upstream import wheel


def load_tests(loader, tests, pattern):
    """unittest's protocol: what to run in place of this module's tests."""
    suite = selection.wanted_suite()
    release = selection.nova_release()
    substitute.substitute()
    if suite == 'functional':
        wheel.use_installed_paste_config()
        hangs.end_tests_that_hang()
    nova = loader.loadTestsFromNames(selection.module_names(suite))
    proof = loader.loadTestsFromName('tests.upstream.proof')
    if loader.errors:
        raise ImportError('\n'.join(loader.errors))
    known = selection.deviations(suite, release)
    tests.addTests(selection.select(nova, known, release))
    tests.addTests(proof)
    return tests
