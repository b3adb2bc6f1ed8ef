# SPDX-License-Identifier: Apache-2.0
"""Nova's API, conductor, scheduler and compute in one process.

Built of the fixtures of Nova's own functional tests: libvirt is a fake, and
so are Glance, Neutron and Keystone; the database is SQLite, Placement is
real, and so are the files: images are downloaded, cached and converted by
Nova's code and qemu-img into a temporary directory.
"""

# Nova's tests patch eventlet (or refuse it) when their package is imported,
# which has to come before anything else of Nova.
import nova.tests.functional  # noqa: F401
