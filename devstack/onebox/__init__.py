# SPDX-License-Identifier: Apache-2.0
"""One box: a real OpenStack on one machine, from packages.

Only the standard library is used here, because these modules run before
anything is installed. ``content`` is the exception: it runs under the
box's own Python, which has openstacksdk.
"""
