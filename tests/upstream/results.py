# SPDX-License-Identifier: Apache-2.0
"""What stestr recorded of a run."""

from stestr.repository import util
import testtools

from tests.upstream import comparison

# Everything else that testtools knows (fail, uxsuccess, inprogress of a
# worker that died) is a failure.
STATUSES = {
    'success': comparison.PASSED,
    'xfail': comparison.PASSED,
    'skip': comparison.SKIPPED,
}


def read(repository):
    """Read the only run in a repository of stestr's.

    :param repository: its directory
    :returns: dict of test id to one of comparison's statuses; empty if no
        run was recorded
    """
    by_id = {}
    try:
        run = util.get_repo_open(repo_url=str(repository)).get_latest_run()
    except KeyError:
        return by_id
    result = testtools.StreamToDict(
        lambda test: by_id.update(
            {test['id']: STATUSES.get(test['status'], comparison.FAILED)}
        )
    )
    result.startTestRun()
    try:
        run.get_test().run(result)
    finally:
        result.stopTestRun()
    return by_id
