# SPDX-License-Identifier: Apache-2.0
"""What our code relies on in Nova, and what each release of it looks like.

``uses`` reads our source for the names of Nova's that it touches,
``implicit.txt`` lists those that it does not spell, ``facts`` says in a line
what a name is in the installed Nova, and ``recorded.txt`` has that line for
each release. ``python -m tests.contract`` records the installed release.
"""
