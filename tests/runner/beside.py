# SPDX-License-Identifier: Apache-2.0
"""Steps that run beside another one, in a process of their own."""

import multiprocessing
import os
import signal
import sys

#: Of the scheduler: what else runs comes first.
_NICE = 19


class Beside:
    """Runs steps from now on; a context manager that ends them if need be.

    :param run: called with a step; returns something that can be pickled
    :param steps: list of parts.Step
    :param log: file for what that prints
    """

    def __init__(self, run, steps, log):
        # Nothing is shared, and no thread has been started yet.
        context = multiprocessing.get_context('fork')
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(run, steps, log, sender)
        )
        self._process.start()
        sender.close()

    def results(self):
        """Wait for the end; returns a list of what each call returned."""
        try:
            found = self._receiver.recv()
        except EOFError:
            found = []
        self._process.join()
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        # Its handler ends what it has started.
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()


def _work(run, steps, log, sender):
    # What the terminal sends is for the parent, which ends this once.
    os.setpgid(0, 0)
    os.nice(_NICE)
    with open(log, 'w', buffering=1) as sys.stdout:
        try:
            sender.send([run(wanted) for wanted in steps])
        except KeyboardInterrupt:
            # Not again while the last one is ended.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
