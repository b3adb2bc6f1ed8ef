# SPDX-License-Identifier: Apache-2.0
"""What a build is refused for, before anything is made or lost."""

from nova_newos import exception


class BuildNotFound(exception.NewosError):
    """Neither a server nor an image bears the tag of the build."""

    msg_fmt = (
        'there is no build {build}: see "openstack golden build list", and '
        '"openstack image list" for what it may have published'
    )


class PlanTooLong(exception.NewosError):
    """Nova would not keep it."""

    msg_fmt = 'the {option} must have 1 to {limit} characters'


class PlanLost(exception.NewosError):
    """Somebody has removed the plan from the install server."""

    msg_fmt = (
        'the install server has no {key} among its properties any more: set '
        'it again, or cancel the build'
    )


class BootTestInvalid(exception.NewosError):
    """It is neither a word of ours nor a regular expression."""

    msg_fmt = (
        'the boot test {pattern!r:.80} is neither a port nor a regular '
        'expression ({reason!s:.60}): correct it, or use "console" or "none"'
    )


class BootTestUnreachable(exception.NewosError):
    """There is nothing to connect to."""

    msg_fmt = (
        'a server without a network answers on no port: choose a network, or '
        'another boot test than port:{port}'
    )


class BuildNotFailed(exception.NewosError):
    """There is nothing to resume."""

    msg_fmt = (
        'the build {build} has not failed: go on with "openstack golden '
        'build wait"'
    )


class UserDataNeeded(exception.NewosError):
    """Nova does not show it, so that the client has to give it again."""

    msg_fmt = (
        'the install server is created anew, and needs {needed}: see '
        '--user-data'
    )


class IsoNotReady(exception.NewosError):
    """The ISO has no bytes yet, or no more."""

    msg_fmt = (
        "the image '{iso}' is {status}: wait until it is active, or upload it"
    )


class NotAnInstallIso(exception.NewosError):
    """Nova would boot it as any other image."""

    msg_fmt = (
        "nothing is installed from the image '{iso}': use one with "
        'disk_format iso and without newos_install=false'
    )


class IsoFileTruncated(exception.NewosError):
    """A download that was not finished."""

    msg_fmt = (
        '{iso!s:.60} has {size} bytes, and {volume_size} by its own account: '
        'download it again'
    )


class IsoFileDoesNotBoot(exception.NewosError):
    """Neither BIOS nor UEFI finds anything to boot on it."""

    msg_fmt = (
        'nothing on {iso!s:.60} boots, with BIOS or with UEFI: use the '
        'image of an installation CD'
    )


class IsoFileIsLive(exception.NewosError):
    """There is no installer on it, by libosinfo's database."""

    msg_fmt = (
        '{iso!s:.60} is a live system ({system!s:.40}) without an installer: '
        'use its installation ISO, or upload it and name it with --iso'
    )


class QuotaTooSmall(exception.NewosError):
    """The project's quota would not let the build come to its end."""

    msg_fmt = (
        'the build needs {wanted} of the quota of {name}, which is {limit} '
        'with {used} in use: delete servers, ask for more, or do without the '
        'boot test'
    )


class UserDataTooLarge(exception.NewosError):
    """Nova takes less."""

    msg_fmt = (
        'the user data has {length} bytes and Nova takes {limit}: have the '
        'installer fetch the rest'
    )
