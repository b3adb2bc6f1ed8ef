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
    """The pattern of the boot test is no regular expression."""

    msg_fmt = (
        'the boot test {pattern!r} is no regular expression ({reason}): '
        'correct it, or use "console" or "none"'
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
