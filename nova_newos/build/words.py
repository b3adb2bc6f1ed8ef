# SPDX-License-Identifier: Apache-2.0
"""What servers and images of builds bear, in Nova's and Glance's limits."""

import uuid

#: Tag of all servers and images of builds. Snapshots do not inherit tags, as
#: they do properties.
TAG = 'golden-build'

#: Tag of an ISO that a build has uploaded, and of one that outlives it.
ISO = 'golden-build-iso'
KEPT_ISO = 'golden-build-kept-iso'

#: Keys of the install server's metadata: the plan.
NAME = 'golden_name'
FLAVOR = 'golden_flavor'
NETWORK = 'golden_network'
BOOT_TEST = 'golden_boot_test'
KEEP_FAILED = 'golden_keep_failed'
INSTALL_LIMIT = 'golden_install_limit'
TEST_LIMIT = 'golden_test_limit'

#: First digits of the sha256 of the user data, which Nova shows to nobody
#: but administrators.
USER_DATA = 'golden_user_data'

#: Set when the image was asked for: a build does that once.
CAPTURED = 'golden_captured'

#: Why the build has failed, and when, for as long as it is kept.
FAILED = 'golden_failed'
FAILED_AT = 'golden_failed_at'

#: What the first of two boots of a sealed candidate has shown: digests of
#: its identities.
SEEN = 'golden_seen'

#: Property of the golden image: how long each phase took.
SECONDS = 'golden_build_seconds'

#: Key of a server's metadata that says what it is for, and its values.
ROLE = 'golden_role'
INSTALL = 'install'
TEST = 'test'

#: Of metadata values, and of properties that servers are made from.
MAX_LENGTH = 255


def tag_of(build_id):
    """Tag of the servers and images of one build, and name of a candidate."""
    # Glance takes what is before a colon in a filter for an operator.
    return f'{TAG}-{build_id}'


def build_of(tags):
    """Id of the build that bears these tags, or None."""
    for tag in tags or ():
        found = tag.removeprefix(f'{TAG}-')
        if found != tag and is_id(found):
            return found
    return None


def is_id(text):
    """Whether a text is the id of a build: a UUID in canonical form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
