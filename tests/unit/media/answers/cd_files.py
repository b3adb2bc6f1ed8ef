# SPDX-License-Identifier: Apache-2.0
"""Files whose names are not easily written to a CD."""

from nova_newos.media.answers import files
from nova_newos.media.answers import names

DEEPEST = '/'.join(['d' * names.MAX_NAME] * (names.MAX_DEPTH - 1) + ['file'])

FILES = (
    files.File('user-data', b'#cloud-config\n' * 500),
    files.File('user_data', b'not the same'),
    files.File('meta-data', b''),
    files.File('$OEM$/$1/My File.ps1', b'\0\r\n\xff'),
    files.File(f'{"n" * 60}.txt', b'1'),
    files.File(f'{"n" * 60}.tgz', b'2'),
    files.File(f'{"n" * 60}', b'3'),
    files.File('a.b/c.d', b'4', executable=True),
    files.File('a_b/c_d', b'5'),
    files.File(DEEPEST, b'6'),
)
CONTENT = {file.path: file.data for file in FILES}
