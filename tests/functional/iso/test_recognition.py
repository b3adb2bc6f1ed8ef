# SPDX-License-Identifier: Apache-2.0

"""What is found on media that other people's tools have written."""

import time
import tracemalloc

import pytest

from nova_newos import iso
from nova_newos.iso import database as database_module
from nova_newos.iso import inspector
from nova_newos.iso import reader
from tests.functional.iso import media

# Promised in the documentation, and in the docstring of the inspector.
MAX_READ = 256 * 1024
MAX_MEMORY = 1024 * 1024

EXPECTED = {name: expected for name, (_, expected) in media.MADE.items()}
EXPECTED |= media.PACKAGED


@pytest.fixture(scope='module')
def paths(tmp_path_factory):
    """Files of all media, by their names."""
    shop = media.Workshop(tmp_path_factory.mktemp('workshop'))
    found = {}
    for name, (make, _expected) in media.MADE.items():
        found[name] = shop.directory / f'{name}.iso'
        make(shop, found[name])
    unpacked = tmp_path_factory.mktemp('packages')
    media.unpack(unpacked)
    return found | {
        name: unpacked / name.removeprefix('/') for name in media.PACKAGED
    }


@pytest.fixture(scope='module')
def database():
    return iso.Database()


def inspect(path):
    with path.open('rb') as file:
        return iso.inspect(file)


def watch(path, chunk):
    watcher = iso.Watch()
    with path.open('rb') as file:
        while content := file.read(chunk):
            watcher.feed(content)
    return watcher.result()


@pytest.mark.parametrize('name', EXPECTED)
def test_recognised(name, paths):
    found = inspect(paths[name])
    expected = EXPECTED[name]
    assert found.size == paths[name].stat().st_size
    for word in (
        'firmware',
        'boot_known',
        'hybrid',
        'volume_id',
        'joliet_volume_id',
        'udf_volume_id',
        'waits_for_key',
        'loaders',
    ):
        assert (word, getattr(found, word)) == (word, getattr(expected, word))


@pytest.mark.parametrize('name', EXPECTED)
def test_properties(name, paths, database):
    found = inspect(paths[name])
    expected = EXPECTED[name]
    properties = iso.properties(found, database.identify(found))
    boot = ','.join(sorted(expected.firmware)) or 'none'
    if not expected.boot_known:
        boot = None
    assert properties.pop('newos_inspected') == '1'
    assert properties.pop('newos_volume_id') == found.label
    assert properties.pop('newos_boot', None) == boot
    assert properties == expected.properties


@pytest.mark.parametrize('chunk', [3000, 65536, 1 << 24])
@pytest.mark.parametrize('name', EXPECTED)
def test_as_it_passes(name, chunk, paths):
    assert watch(paths[name], chunk) == inspect(paths[name])


@pytest.mark.parametrize('name', EXPECTED)
def test_little_is_read(name, paths):
    with paths[name].open('rb') as file:
        size = reader.file_size(file)
        _found, read = reader.read_file(file, size, inspector.examine(size))
    assert read < MAX_READ


@pytest.mark.parametrize('name', sorted({*EXPECTED} - {'hostile-label'}))
def test_label_of_other_tools(name, paths):
    """What udev tells the rest of a system."""
    expected = EXPECTED[name]
    label = media.run('blkid', '-p', '-o', 'value', '-s', 'LABEL', paths[name])
    assert label.strip() in (
        expected.volume_id,
        expected.joliet_volume_id,
        expected.udf_volume_id,
    )


def test_truncated(paths):
    assert inspect(paths['truncated']).truncated
    assert not inspect(paths['both']).truncated


def test_information_table(paths):
    """Written by xorriso and by genisoimage."""
    for name in ('bios-only', 'both', 'windows'):
        (entry, *_others) = inspect(paths[name]).entries
        assert entry.information_table


def test_no_iso(tmp_path):
    path = tmp_path / 'disk.raw'
    media.run('qemu-img', 'create', '-f', 'qcow2', path, '1G')
    with pytest.raises(iso.NotAnIso):
        inspect(path)
    with pytest.raises(iso.NotAnIso):
        watch(path, 65536)


def test_large_and_sparse(paths, tmp_path):
    """A file of 4 GiB takes no longer, and no more memory."""
    path = tmp_path / 'large.iso'
    path.write_bytes(paths['windows'].read_bytes())
    with path.open('rb+') as file:
        file.truncate(4 << 30)
    tracemalloc.start()
    begin = time.monotonic()
    found = inspect(path)
    seconds = time.monotonic() - begin
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.waits_for_key
    assert seconds < 5
    assert peak < MAX_MEMORY


class TestDatabase:
    """The distribution's own one, whatever its age."""

    def test_expressions_are_used(self, database, caplog):
        """None of them is refused as one that could take for ever."""
        database_module._load.cache_clear()
        database_module._compile.cache_clear()
        database.identify(iso.Iso(volume_size=1))
        assert not caplog.records

    @pytest.mark.parametrize(
        'piece',
        ['0', 'a', 'A', '-', '_', ' ', '1.', 'A_', 'Fedora-', 'RHEL-9.'],
    )
    def test_hostile_texts(self, piece, database):
        """As long as they can be, for expressions to try in vain."""
        text = piece * 128
        medium = iso.Iso(
            volume_size=1,
            volume_id=text[:32],
            system_id=text[:32],
            publisher_id=text[:128],
            application_id=text[:128],
        )
        database.identify(medium)
        begin = time.monotonic()
        database.identify(medium)
        assert time.monotonic() - begin < 5
