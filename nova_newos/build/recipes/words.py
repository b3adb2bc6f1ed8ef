# SPDX-License-Identifier: Apache-2.0
"""What recipes, and images built from them, bear in Glance."""

#: Tag of the images that hold recipes.
TAG = 'golden-recipe'

#: Properties of these images: version of the schema, group, description, and
#: the id of the image that this one took the place of.
FORMAT = 'golden_recipe_format'
GROUP = 'golden_recipe_group'
DESCRIPTION = 'golden_recipe_description'
REPLACES = 'golden_recipe_replaces'

#: Property of an install server and of its golden image: of what the build is
#: made, see :func:`nova_newos.build.recipes.order.digest`.
DIGEST = 'golden_recipe_digest'


def printable(text):
    """Text of others, for a terminal.

    :param text: str; hostile
    :returns: the text on one line. What is invisible, moves the cursor or
        turns the direction of writing is spelled as in Python.
    """
    return ''.join(
        character
        if character.isprintable()
        else character.encode('unicode_escape').decode()
        for character in text
    )
