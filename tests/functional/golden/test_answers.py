# SPDX-License-Identifier: Apache-2.0
"""What an installer has left, read from a disk with the real tools."""

from nova_newos.golden import appliance
from nova_newos.golden import base
from nova_newos.golden import inspection
from tests.functional.golden import guest


def test_debian_installer(conf, initrd, tmp_path):
    files = tmp_path / 'files'
    files.mkdir()
    path = tmp_path / 'disk'
    guest.make(path, files, initrd)
    written = path.stat().st_mtime_ns
    tools = appliance.Appliance(conf, emulate=True)
    found = inspection.answers(base.Disk(str(path), 'raw'), tools)
    assert found == {
        'preseed.cfg': '#_preseed_V1\nd-i time/zone select Etc/UTC\n'
    }
    assert path.stat().st_mtime_ns == written
