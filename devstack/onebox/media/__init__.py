# SPDX-License-Identifier: Apache-2.0
"""Makes the ISOs that the demo and the acceptance tests install from.

Needs root, apt-get and a Debian mirror; every other tool is installed when
it is missing.  Only the standard library is used, because this runs before
the box has a virtual environment.
"""
