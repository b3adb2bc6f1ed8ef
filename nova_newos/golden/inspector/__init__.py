# SPDX-License-Identifier: Apache-2.0
"""Inspect a disk inside the libguestfs appliance, and finish it there.

A program of its own, for the system's Python: libguestfs' bindings belong to
that, and nova-compute may run with another. Hence no import but theirs, each
other, the standard library's of Python 3.9, and PyYAML if it is there::

    /usr/bin/python3 -I DIRECTORY PATH FORMAT PLAN

DIRECTORY is this one. PLAN is JSON, see :func:`.program.inspect`. On the
standard output comes what that returns, as JSON. What cannot be told is null.
Nothing of the guest is run, and whether the disk may become an image is not
decided here.

All is done in one boot of the appliance, and each question is asked once:
without KVM a boot takes as long as all the questions, and each command that
the appliance runs some tenths of a second.
"""

#: Exit status when libguestfs' bindings are not installed, as of sysexits.h.
EX_UNAVAILABLE = 69
