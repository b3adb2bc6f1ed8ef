# SPDX-License-Identifier: Apache-2.0
"""Nova's own tests, run with our driver in place of Nova's.

The tests come with the installed Nova (``nova.tests``); nothing of them is
kept here. ``python -m tests.upstream`` runs them in parallel, with our
driver, with Nova's, or with both to compare; ``tests/upstream/table.py`` makes
one table of such comparisons.
"""
