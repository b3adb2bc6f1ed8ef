# SPDX-License-Identifier: Apache-2.0
"""Why an appliance is refused, in words for who imports it."""

from nova_newos import exception


class ApplianceRefused(exception.NewosError):
    """Base of the refusals; ``reason`` says what is wrong."""

    def __init__(self, reason):
        super().__init__(reason=reason)


class ArchiveRefused(ApplianceRefused):
    """The OVA is not the plain tar archive that it has to be."""

    msg_fmt = (
        'the OVA is refused: {reason}. It has to be an uncompressed tar '
        'archive of plain files: the descriptor (.ovf) and what it names'
    )


class DescriptorRefused(ApplianceRefused):
    """The OVF descriptor says what cannot be, or what Nova cannot run."""

    msg_fmt = (
        'the OVF descriptor is refused: {reason}. Export the appliance as one '
        'virtual machine with one disk, neither compressed nor in chunks'
    )


class DiskRefused(ApplianceRefused):
    """The disk is not one that can be a server's root disk."""

    msg_fmt = 'the disk is refused: {reason}'


def shown(text):
    """What somebody else wrote, fit for a sentence of ours."""
    return ascii(text[:60])
