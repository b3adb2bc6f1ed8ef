# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a recipe, or with what is asked of it."""

from nova_newos import exception


class RecipeTooLarge(exception.NewosError):
    """More than anybody reads."""

    msg_fmt = (
        'the recipe has more than {limit} bytes: have the installer fetch the '
        'rest'
    )


class RecipeUnreadable(exception.NewosError):
    """No YAML, or more of it than a recipe needs."""

    msg_fmt = 'the recipe cannot be read: {reason!s:.300}'


class RecipeInvalid(exception.NewosError):
    """The schema forbids it."""

    msg_fmt = 'the recipe is not valid: {path}: {reason!s:.300}'


class RecipeFileRefused(exception.NewosError):
    """What a recipe says about a file beside it cannot be done."""

    msg_fmt = "the recipe's file {path!r:.120} {problem}"


class RecipeNotFound(exception.NewosError):
    """No image of that name or id is a recipe."""

    msg_fmt = (
        'there is no recipe \'{recipe}\': see "openstack golden recipe list"'
    )


class RecipeAmbiguous(exception.NewosError):
    """Names are not unique in Glance."""

    msg_fmt = "several recipes are called '{recipe}': use an ID of {ids}"


class RecipeExists(exception.NewosError):
    """The project has one of that name."""

    msg_fmt = (
        "there is a recipe '{recipe}' already, {id}: change it with "
        '"openstack golden recipe set", or take another name'
    )


class RecipeProtected(exception.NewosError):
    """Its image would have to be deleted."""

    msg_fmt = (
        "the recipe '{recipe}' is protected: "
        '"openstack golden recipe set --unprotected" before it is changed'
    )


class RecipeNotReady(exception.NewosError):
    """It was not uploaded, or it was deactivated."""

    msg_fmt = (
        "the recipe '{recipe}' is {status}: only an active one can be used"
    )


class AnswersNotKept(exception.NewosError):
    """Nobody asked for them in time, or the image is another's copy."""

    msg_fmt = (
        "the image '{image}' has no answers of an installer: {reason!s:.100}"
    )


class SecretMissing(exception.NewosError):
    """The answers would not be whole."""

    msg_fmt = 'the recipe wants secrets: --secret {names}=FILE'


class SecretUnknown(exception.NewosError):
    """The recipe does not say what it is for."""

    msg_fmt = "the recipe has no secret '{name}' among its secrets: {known}"


class SecretUndeclared(exception.NewosError):
    """Nobody could be asked for it."""

    msg_fmt = (
        "the recipe's answers name the secret '{name}': describe it below "
        '"secrets"'
    )


class SecretInvalid(exception.NewosError):
    """It would not stay one value in the answers."""

    msg_fmt = "the secret '{name}' is no single line of text in UTF-8"


class FlavorNeeded(exception.NewosError):
    """Neither the command nor the recipe says what is needed."""

    msg_fmt = (
        'which flavor? Name one with --flavor, or have the recipe say the '
        'least ram and disk below "settings"'
    )


class NoFlavorFits(exception.NewosError):
    """The cloud shows none that is large enough."""

    msg_fmt = (
        'no flavor has {vcpus} vCPUs, {ram} MiB of RAM and a root disk of '
        '{disk} GiB: name another one with --flavor'
    )


class IsoSettingsDiffer(exception.NewosError):
    """Nova knows these of the image only."""

    msg_fmt = (
        "the recipe wants {name}={wanted} and the ISO '{iso}' has {found}: "
        'openstack image set --property {name}={wanted} {id}'
    )


class NameNeeded(exception.NewosError):
    """Neither the command nor the recipe names the golden image."""

    msg_fmt = (
        'what is the golden image called? Name it, or have the recipe name a '
        'family below "settings"'
    )
