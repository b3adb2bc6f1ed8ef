# SPDX-License-Identifier: Apache-2.0
"""supervisord; run by the box's Python.

usage: python -P serve_supervisord.py -c CONF
"""

import sys

from supervisor import poller
from supervisor import supervisord

if __name__ == '__main__':
    # By default supervisor waits with poll(), and forgets to take the pipes
    # of a stopped service from it. When such a number is given to the input
    # of the next service, and that closes its input, poll() returns at once
    # for ever and takes a core. select() is told anew each time.
    poller.Poller = poller.SelectPoller
    sys.exit(supervisord.main())
