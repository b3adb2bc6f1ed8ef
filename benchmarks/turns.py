# SPDX-License-Identifier: Apache-2.0
"""Blocks of measurements in turns: two with stock Nova and two with ours.

In turns, because what else the machine does changes over minutes.
"""

from benchmarks import figures
from devstack.onebox import client
from devstack.onebox.progress import say

_DRIVERS = {'stock': client.STOCK, 'ours': client.OURS}
_BLOCKS = ('stock', 'ours', 'stock', 'ours')


def compare(box, titles, measure, runs):
    """Measure one thing again and again, with both drivers.

    :param box: what has ``use(driver)``, as devstack.onebox.client.Box has
    :param titles: what is measured
    :param measure: called without an argument, returns seconds, one for each
        title
    :param runs: measurements a block
    :returns: list of figures.Comparison, one for each title
    """
    seconds = {name: [] for name in _DRIVERS}
    for name in _BLOCKS:
        box.use(_DRIVERS[name])
        # The first server of a nova-compute fills the image cache and pays
        # for much that later ones find done.
        measure()
        for number in range(runs):
            found = measure()
            seconds[name].append(found)
            said = (
                f'{title} after {figure:.2f} s'
                for title, figure in zip(titles, found, strict=True)
            )
            say(f'{name}, server {number + 1} of {runs}: {", ".join(said)}')
    return [
        figures.Comparison(title, stock, ours)
        for title, stock, ours in zip(
            titles,
            zip(*seconds['stock'], strict=True),
            zip(*seconds['ours'], strict=True),
            strict=True,
        )
    ]
