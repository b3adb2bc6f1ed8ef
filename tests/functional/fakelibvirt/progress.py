# SPDX-License-Identifier: Apache-2.0
"""Waiting for what Nova does, without asking its API all the time."""

import threading
import types

import fixtures
from nova.db.main import api as db

# Seconds after which to look even if nothing has been announced.
INTERVAL = 1

# Where Nova records that a server, a migration or an action came to an end.
_ENDS = ('instance_destroy', 'migration_update', 'action_event_finish')
_UPDATE = 'instance_update_and_get_original'


class Progress(fixtures.Fixture):
    """Wakes who waits for Nova when something has come to an end.

    A request costs as much as some of what is waited for: a test that asks
    again and again takes longer, the busier the machine is.
    """

    def __init__(self):
        super().__init__()
        self._ended = threading.Event()

    def _setUp(self):
        for name in _ENDS:
            self._replace(name, lambda *_args, **_kwargs: True)
        self._replace(_UPDATE, _ends_task)
        # That of the module: whoever else sleeps is not to be woken.
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.functional.integrated_helpers.time',
                types.SimpleNamespace(sleep=self.wait),
            )
        )

    def _replace(self, name, is_end):
        function = getattr(db, name)

        def announced(*args, **kwargs):
            result = function(*args, **kwargs)
            if is_end(*args, **kwargs):
                self._ended.set()
            return result

        self.useFixture(
            fixtures.MonkeyPatch(f'{db.__name__}.{name}', announced)
        )

    def wait(self, _seconds=None):
        """Wait until something has ended since the last call of this.

        :param _seconds: what Nova's tests would have slept
        """
        self._ended.wait(INTERVAL)
        self._ended.clear()


def _ends_task(context, instance_uuid, values, *_args, **_kwargs):
    return 'task_state' in values and values['task_state'] is None
