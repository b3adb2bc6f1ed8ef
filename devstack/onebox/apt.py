# SPDX-License-Identifier: Apache-2.0
"""How apt-get is called, by boxes and builders that may run side by side."""

#: apt-get waits for dpkg's lock, but not for that of the lists of packages.
COMMAND = (
    'flock',
    '/var/lib/apt',
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=600',
)
