# SPDX-License-Identifier: Apache-2.0
"""Nova's own tests, run with our driver in place of Nova's.

The tests come with the installed Nova (``nova.tests``); nothing of them is
kept here. stestr runs them, as it does for Nova.
"""
