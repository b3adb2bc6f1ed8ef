# SPDX-License-Identifier: Apache-2.0
"""How everything here waits for something to happen."""

import operator

import tenacity

from devstack.onebox.errors import BoxError


class TimedOut(BoxError):
    """Something did not happen in time."""


def wait_for(what, condition, seconds=120, interval=1):
    """Wait until ``condition()`` is true and return what it returned.

    :param interval: seconds between two looks.
    :raises TimedOut: naming ``what``.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(operator.not_),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(interval),
    )
    try:
        return retrying(condition)
    except tenacity.RetryError:
        raise TimedOut(f'{what}: not within {seconds} s') from None
