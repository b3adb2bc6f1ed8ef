# SPDX-License-Identifier: Apache-2.0
"""What our code relies on in Nova, and what each release of it looks like.

``uses`` reads our source for the names of Nova's that it touches, ``facts``
describes what a name is in the installed Nova, and ``recorded.json`` holds
that description for every release we looked at. ``python -m tests.contract
record`` adds the installed release to it.
"""
