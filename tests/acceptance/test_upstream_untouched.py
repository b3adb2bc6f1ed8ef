# SPDX-License-Identifier: Apache-2.0
"""Nova and Glance on the box are the files of their wheels."""

import base64
import csv
import hashlib

import pytest


@pytest.mark.parametrize('name', ['nova', 'glance'])
def test_no_file_of_the_wheel_is_changed(box, name):
    [record] = box.state.venv.glob(
        f'lib/python3.*/site-packages/{name}-*.dist-info/RECORD'
    )
    site = record.parents[1]
    checked = 0
    for path, digest, _size in csv.reader(record.read_text().splitlines()):
        if not digest:
            continue
        # The installer writes the launchers, the rest is the wheel's.
        if path.startswith('..') and '/bin/' in path:
            continue
        algorithm, _, expected = digest.partition('=')
        content = (site / path).read_bytes()
        actual = hashlib.new(algorithm, content).digest()
        assert (
            base64.urlsafe_b64encode(actual).rstrip(b'=').decode() == expected
        ), path
        checked += 1
    assert checked > 100


def test_nothing_of_ours_lies_in_nova_but_the_link(box):
    [nova] = box.state.venv.glob('lib/python3.*/site-packages/nova')
    [record] = nova.parent.glob('nova-*.dist-info/RECORD')
    known = {row[0] for row in csv.reader(record.read_text().splitlines())}
    strangers = [
        path
        for path in nova.rglob('*')
        if not path.is_dir()
        and '__pycache__' not in path.parts
        and str(path.relative_to(nova.parent)) not in known
    ]
    assert strangers == [nova / 'virt' / 'newos.py']
    assert strangers[0].is_symlink()
