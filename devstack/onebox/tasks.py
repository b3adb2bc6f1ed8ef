# SPDX-License-Identifier: Apache-2.0
"""Do things at the same time, as far as one does not need another."""

import concurrent.futures
import graphlib
import os


def do_all(tasks, give_up):
    """Call functions, each when what it needs is done.

    No more at a time than keep the processors busy, or what others wait for
    would take as long as everything.

    :param tasks: ``{name: (function without arguments, names of what it
        needs)}``. Of several that could begin, the first begins first.
    :param give_up: called when one has failed, so that those which run end.
    :raises: the first error of any of them.
    """
    sorter = graphlib.TopologicalSorter(
        {name: needs for name, (_function, needs) in tasks.items()}
    )
    sorter.prepare()
    running = {}
    workers = (os.cpu_count() or 1) + 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        try:
            while sorter.is_active():
                ready = sorted(sorter.get_ready(), key=[*tasks].index)
                for name in ready:
                    function, _needs = tasks[name]
                    running[pool.submit(function)] = name
                ended, _others = concurrent.futures.wait(
                    running,
                    return_when=concurrent.futures.FIRST_COMPLETED,
                )
                for future in ended:
                    future.result()
                    sorter.done(running.pop(future))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            give_up()
            raise
