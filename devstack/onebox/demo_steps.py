# SPDX-License-Identifier: Apache-2.0
"""Names the demo's steps as they begin, and takes their time."""

import time

from devstack.onebox.progress import say


class Steps:
    """Takes the time of each step, for the table at the end."""

    def __init__(self):
        self.seconds = []

    def take(self, title, action, *arguments):
        """Call the action and return what it returns."""
        say(f'\n== {title}')
        began = time.monotonic()
        result = action(*arguments)
        self.seconds.append((title, round(time.monotonic() - began, 1)))
        return result
