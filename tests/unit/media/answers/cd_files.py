# SPDX-License-Identifier: Apache-2.0
"""Files whose names are not easily written to a CD."""

from nova_newos.media.answers import iso
from nova_newos.media.answers import names

DEEPEST = '/'.join(['d' * names.MAX_NAME] * (names.MAX_DEPTH - 1) + ['file'])

FILES = (
    iso.File('user-data', b'#cloud-config\n' * 500),
    iso.File('user_data', b'not the same'),
    iso.File('meta-data', b''),
    iso.File('$OEM$/$1/My File.ps1', b'\0\r\n\xff'),
    iso.File(f'{"n" * 60}.txt', b'1'),
    iso.File(f'{"n" * 60}.tgz', b'2'),
    iso.File(f'{"n" * 60}', b'3'),
    iso.File('a.b/c.d', b'4', executable=True),
    iso.File('a_b/c_d', b'5'),
    iso.File(DEEPEST, b'6'),
)
CONTENT = {file.path: file.data for file in FILES}
