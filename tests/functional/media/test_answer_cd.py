# SPDX-License-Identifier: Apache-2.0
"""The answer CD as tools see it that know nothing of nova-newos."""

import os
import subprocess
import sys

import pytest

from tests.unit.media.answers import cd_files
from tests.unit.media.answers import samples

META_DATA = f'instance-id: {samples.UUID}\n'.encode()

# User data, label, files.
CDS = {
    'kickstart': (
        samples.KICKSTART,
        'OEMDRV',
        {'ks.cfg': samples.KICKSTART},
    ),
    'autoinstall': (
        samples.AUTOINSTALL,
        'CIDATA',
        {'user-data': samples.AUTOINSTALL, 'meta-data': META_DATA},
    ),
    'windows': (
        samples.UTF_16,
        'ANSWERS',
        {'Autounattend.xml': samples.UTF_16},
    ),
    'windows-later-passes': (
        samples.SPECIALIZE,
        'ANSWERS',
        {'Unattend.xml': samples.SPECIALIZE},
    ),
    'autoyast': (
        samples.AUTOYAST,
        'OEMDRV',
        {'autoinst.xml': samples.AUTOYAST},
    ),
    'preseed': (
        samples.PRESEED,
        'ANSWERS',
        {'preseed.cfg': samples.PRESEED},
    ),
    'ignition': (
        samples.IGNITION,
        'ignition',
        {'ignition/config.ign': samples.IGNITION},
    ),
    'combustion': (
        samples.COMBUSTION,
        'combustion',
        {'combustion/script': samples.COMBUSTION},
    ),
    'tar': (
        samples.tar(*cd_files.CONTENT.items(), mode='w:xz'),
        'CIDATA',
        cd_files.CONTENT,
    ),
    'multipart': (
        samples.multipart(
            ('ignition/config.ign', samples.IGNITION),
            ('combustion/script', samples.COMBUSTION),
            ('combustion/A file', b'1'),
        ),
        'ignition',
        {
            'ignition/config.ign': samples.IGNITION,
            'combustion/script': samples.COMBUSTION,
            'combustion/A file': b'1',
        },
    ),
}

# The steps of the driver, each of which may be on another host, for each name
# of a directory's <name>.data.
WRITE = """
import pathlib, sys
from nova_newos.media import answers, base
for path in pathlib.Path(sys.argv[1]).glob('*.data'):
    server = base.Server(
        sys.argv[2], 'project', 'iso', {}, path.read_bytes()
    )
    medium = answers.AnswersMedium(None)
    contents = medium.contents(server, medium.reference(server))
    contents.write(str(path.with_suffix('.iso')))
"""


def run(*command, **environment):
    """Run a command; returns its output."""
    process = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def write(directory, **environment):
    """The CDs of CDS, written by a process of its own.

    :returns: the directory of the files, each called <name>.iso
    """
    for name, (user_data, _label, _content) in CDS.items():
        (directory / f'{name}.data').write_bytes(user_data)
    run(sys.executable, '-c', WRITE, directory, samples.UUID, **environment)
    return directory


@pytest.fixture(scope='module')
def cds(tmp_path_factory):
    return write(
        tmp_path_factory.mktemp('cds'),
        TZ='Pacific/Auckland',
        PYTHONHASHSEED='1',
    )


@pytest.fixture(scope='module')
def others(tmp_path_factory):
    return write(
        tmp_path_factory.mktemp('others'),
        TZ='America/Lima',
        PYTHONHASHSEED='2',
        LC_ALL='C',
    )


def extracted(path, view, target):
    """Files of an ISO, extracted by xorriso.

    :param view: what xorriso is not to look at: 'norock' or 'nojoliet'
    """
    run(
        *('xorriso', '-osirrox', 'on', '-read_fs', view, '-indev', path),
        *('-extract', '/', target),
    )
    return {
        str(file.relative_to(target)): file.read_bytes()
        for file in target.rglob('*')
        if file.is_file()
    }


@pytest.mark.parametrize('name', CDS)
def test_files_by_their_names(name, cds, tmp_path):
    """For guests that know Rock Ridge, and those that know Joliet."""
    path = cds / f'{name}.iso'
    _user_data, _label, content = CDS[name]
    assert extracted(path, 'nojoliet', tmp_path / 'rr') == content
    assert extracted(path, 'norock', tmp_path / 'joliet') == content


@pytest.mark.parametrize('name', CDS)
def test_label(name, cds):
    """As udev tells it to the installer, by libblkid."""
    path = cds / f'{name}.iso'
    found = run('/sbin/blkid', '-p', '-o', 'value', '-s', 'LABEL', path)
    assert found == f'{CDS[name][1]}\n'


@pytest.mark.parametrize('name', CDS)
def test_same_bytes_in_another_process_and_time_zone(name, cds, others):
    written = (cds / f'{name}.iso').read_bytes()
    assert (others / f'{name}.iso').read_bytes() == written


def test_nothing_to_boot(cds):
    """The firmware goes past the CD."""
    path = cds / 'tar.iso'
    found = run('xorriso', '-indev', path, '-report_el_torito', 'plain')
    assert found == ''
    assert path.read_bytes()[:32768] == bytes(32768)
