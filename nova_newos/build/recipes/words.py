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
