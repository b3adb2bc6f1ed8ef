# SPDX-License-Identifier: Apache-2.0
"""What was found on an ISO, as plain values.

All of it comes from bytes of a stranger: text is printable and bounded,
numbers are what the ISO claims, and nothing of it has been checked against
the content of its files.
"""

import dataclasses

SECTOR = 2048


@dataclasses.dataclass(frozen=True)
class BootEntry:
    """One entry of the boot catalog.

    :ivar platform: 'bios', 'uefi', 'ppc', 'mac' or 'unknown'
    :ivar bootable: the catalog says that it is to be booted
    :ivar lba: where its image begins, in sectors of 2048 bytes
    :ivar sectors: how much of it firmware loads, in sectors of 512 bytes;
        of a UEFI image that is often 0 or 1, and means nothing
    :ivar emulation: 'none', '1.2M', '1.44M', '2.88M', 'disk' or 'unknown'
    :ivar information_table: the image was told where on this ISO it is
        (mkisofs -boot-info-table)
    """

    platform: str
    bootable: bool
    lba: int
    sectors: int
    emulation: str
    information_table: bool = False


@dataclasses.dataclass(frozen=True)
class Iso:
    """What an ISO says of itself.

    :ivar size: of the file in bytes, None if nobody knows
    :ivar volume_size: of the ISO 9660 volume in bytes, as the ISO claims;
        0 without such a volume
    :ivar volume_id: of ISO 9660; this and the other texts are '' if absent
    :ivar joliet_volume_id: the same as Windows sees it, often longer
    :ivar udf_volume_id: of the logical volume of UDF
    :ivar system_id: of ISO 9660, as the next two
    :ivar publisher_id: see there
    :ivar application_id: see there
    :ivar has_udf: there is a UDF file system, readable or not
    :ivar entries: of the boot catalog, in its order
    :ivar boot_known: False if there is a boot catalog that could not be read,
        so that no entries do not mean that nothing boots
    :ivar hybrid: how it is partitioned when it is written to a disk, of
        'mbr', 'gpt' and 'apm'
    :ivar loaders: architectures that its UEFI image has a boot loader for, of
        'x86_64', 'i686', 'aarch64' and 'armv7l'; empty also when the image
        could not be read
    :ivar waits_for_key: whether its UEFI boot loader asks for a key before it
        boots, as Microsoft's does ("Press any key to boot from CD or
        DVD..."); None if it may
    """

    size: int | None = None
    volume_size: int = 0
    volume_id: str = ''
    joliet_volume_id: str = ''
    udf_volume_id: str = ''
    system_id: str = ''
    publisher_id: str = ''
    application_id: str = ''
    has_udf: bool = False
    entries: tuple[BootEntry, ...] = ()
    boot_known: bool = True
    hybrid: frozenset[str] = frozenset()
    loaders: frozenset[str] = frozenset()
    waits_for_key: bool | None = None

    @property
    def firmware(self) -> frozenset[str]:
        """What boots it from a CD-ROM drive, of 'bios' and 'uefi'."""
        return frozenset(
            entry.platform
            for entry in self.entries
            if entry.bootable and entry.platform in ('bios', 'uefi')
        )

    @property
    def label(self) -> str:
        """The volume id that is there, the one of ISO 9660 first."""
        return self.volume_id or self.joliet_volume_id or self.udf_volume_id

    @property
    def truncated(self) -> bool:
        """The file is shorter than the volume that it holds."""
        return self.size is not None and self.size < self.volume_size
