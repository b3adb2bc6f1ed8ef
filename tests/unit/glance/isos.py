# SPDX-License-Identifier: Apache-2.0

"""Small ISOs, and a database that knows one of them."""

import io

import pycdlib

KNOWN = 'EXAMPLE_7'
KNOWN_PROPERTIES = {
    'os_type': 'linux',
    'os_distro': 'example',
    'os_version': '7',
    'architecture': 'x86_64',
    'newos_os': 'example7',
    'newos_boot': 'bios',
    'newos_volume_id': KNOWN,
}
KNOWN_MINIMUMS = {'min_ram': 512, 'min_disk': 3}

_DATABASE = """
<libosinfo version="0.0.1">
  <os id="http://example.org/example/7">
    <short-id>example7</short-id>
    <name>Example 7</name>
    <version>7</version>
    <family>linux</family>
    <distro>example</distro>
    <media arch="x86_64"><iso><volume-id>EXAMPLE_7</volume-id></iso></media>
    <resources arch="all"><minimum>
      <ram>536870912</ram><storage>3221225472</storage>
    </minimum></resources>
  </os>
</libosinfo>
"""


def write_database(directory):
    """Fill a directory with a database; returns its path as text."""
    (directory / 'os').mkdir()
    (directory / 'os' / 'example.xml').write_text(_DATABASE)
    return str(directory)


def make(label=KNOWN, is_bootable=True):
    """The bytes of an ISO with one file, which a BIOS may boot."""
    iso = pycdlib.PyCdlib()
    iso.new(vol_ident=label)
    content = b'example'.ljust(2048)
    iso.add_fp(io.BytesIO(content), len(content), '/BOOT.;1')
    if is_bootable:
        iso.add_eltorito('/BOOT.;1')
    written = io.BytesIO()
    iso.write_fp(written)
    iso.close()
    return written.getvalue()
