# SPDX-License-Identifier: Apache-2.0
"""One box: a real OpenStack on one machine, from packages.

What runs before the box's Python environment is there uses the standard
library alone: cli, demo and all that they import at their top.
"""
