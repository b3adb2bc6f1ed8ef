# SPDX-License-Identifier: Apache-2.0
"""Looks at an ISO, in a file or as it passes.

Why not with pycdlib, which the answer CD is written with: it reads every
directory of an ISO when it opens one, so that the ISO decides how much is
read and kept. What is wanted here is in some 30 sectors at known places, and
in the boot image. All that is read of any ISO stays below 256 KiB, and no
number of the ISO decides how much.
"""

import dataclasses
from typing import BinaryIO

from nova_newos.iso import eltorito
from nova_newos.iso import exception
from nova_newos.iso import loader
from nova_newos.iso import partitions
from nova_newos.iso import reader
from nova_newos.iso import volumes
from nova_newos.iso.facts import SECTOR
from nova_newos.iso.facts import BootEntry
from nova_newos.iso.facts import Iso

# Of Microsoft's two boot loaders for CD-ROMs.
_WAITS = {'cdboot.pdb': True, 'cdboot_noprompt.pdb': False}
_MICROSOFT = ('MICROSOFT', 'CDIMAGE', 'OSCDIMG')


def inspect(file: BinaryIO, size: int | None = None) -> Iso:
    """What a file says of itself.

    Reads less than 256 KiB and leaves the position anywhere.

    :param file: binary and seekable; what its read() and seek() raise is not
        caught
    :param size: in bytes; None to ask the file
    :raises NotAnIso: it has no volume of ISO 9660 or UDF
    """
    if size is None:
        size = reader.file_size(file)
    found, _read = reader.read_file(file, size, examine(size))
    return found


class Watch:
    """The same over a stream that passes once.

    Keeps less than 1 MiB of it. What it would have to go back for is unknown
    in its answer, and never wrong: boot images that lie before the boot
    catalog, say. Feed it all of the stream; :attr:`Iso.size` is what it was
    fed.
    """

    def __init__(self, size: int | None = None) -> None:
        """Begin.

        :param size: of the whole stream in bytes, if it is known
        """
        self._size = size
        self._passing = reader.Passing(examine(size))

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the stream, any number; never raises."""
        self._passing.feed(chunk)

    def result(self) -> Iso:
        """What passed, after the last of it.

        :raises NotAnIso: it has no volume of ISO 9660 or UDF
        """
        found = self._passing.result()
        return dataclasses.replace(found, size=self._passing.passed)


def examine(size: int | None) -> reader.Examination[Iso]:
    """Look at an ISO.

    :param size: in bytes, if it is known
    :raises NotAnIso: it has no volume of ISO 9660 or UDF
    """
    system_area, recognition, anchor = yield [
        partitions.SYSTEM_AREA,
        volumes.RECOGNITION,
        volumes.ANCHOR,
    ]
    found = volumes.recognise(recognition)
    if not (found.primary or found.has_udf):
        raise exception.NotAnIso()
    catalog = yield from _catalog(found.catalog)
    entries, loaders = yield from _images(catalog or ())
    label = ''
    if found.has_udf:
        label = yield from _udf_label(anchor, size)
    iso = Iso(
        size=size,
        volume_size=found.volume_size,
        udf_volume_id=label,
        has_udf=found.has_udf,
        entries=entries,
        boot_known=catalog is not None,
        hybrid=partitions.schemes(system_area),
        loaders=loaders.architectures,
    )
    iso = dataclasses.replace(iso, **found.texts)
    return dataclasses.replace(iso, waits_for_key=_waits(iso, loaders))


def _catalog(
    lba: int | None,
) -> reader.Examination[tuple[BootEntry, ...] | None]:
    """Entries of the boot catalog; None if it cannot be read."""
    if lba is None:
        return ()
    (content,) = yield [eltorito.catalog_span(lba)]
    return eltorito.entries(content)


def _images(
    entries: tuple[BootEntry, ...],
) -> reader.Examination[tuple[tuple[BootEntry, ...], loader.Loader]]:
    """Look at the first image for UEFI, and at the default one for BIOS.

    In the order in which they are on the ISO, so that none has passed when
    it is asked for.

    :returns: the entries with what was found, and UEFI's boot loaders
    """
    wanted = [entry for entry in entries[:1] if entry.platform == 'bios']
    wanted += [
        entry
        for entry in entries
        if entry.bootable and entry.platform == 'uefi'
    ][:1]
    loaders = loader.Loader()
    for entry in sorted(wanted, key=lambda entry: entry.lba):
        if entry.platform == 'uefi':
            loaders = yield from loader.examine(entry.lba)
            continue
        (content,) = yield [eltorito.table_span(entry)]
        entry = dataclasses.replace(
            entry, information_table=eltorito.has_table(entry, content)
        )
        entries = (entry, *entries[1:])
    return entries, loaders


def _udf_label(anchor: bytes, size: int | None) -> reader.Examination[str]:
    """The label of UDF, by its first anchor, else by one at the end."""
    span = volumes.sequence(anchor, volumes.ANCHOR.offset // SECTOR)
    if span is None and size is not None:
        last = size // SECTOR - 1
        places = [lba for lba in (last, last - 256) if lba > 256]
        anchors = yield [reader.Span(lba * SECTOR, SECTOR) for lba in places]
        spans = map(volumes.sequence, anchors, places)
        span = next(filter(None, spans), None)
    if span is None:
        return ''
    (content,) = yield [span]
    return volumes.udf_volume_id(content, span)


def _waits(iso: Iso, loaders: loader.Loader) -> bool | None:
    """See :attr:`Iso.waits_for_key`."""
    waits = _WAITS.get(loaders.pdb or '')
    if waits is not None:
        return waits
    # Somebody else's Windows ISO bears somebody else's name, but has one
    # of Microsoft's two loaders; another loader on Microsoft's own ISO may
    # be what a newer Windows has.
    names = f'{iso.publisher_id} {iso.application_id}'.upper()
    if any(name in names for name in _MICROSOFT):
        return None
    if loaders.pdb is not None:
        return False
    return None if 'uefi' in iso.firmware or not iso.boot_known else False
