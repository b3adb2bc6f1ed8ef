# SPDX-License-Identifier: Apache-2.0
"""A table beside results; what these cannot know of is left alone."""


def update(claimed, shown, places):
    """What to claim from now on.

    :param claimed: set of sightings.Sighting in the table
    :param shown: set of sightings.Sighting in the results
    :param places: set of the places that the results are of; what is claimed
        of other places stays
    :returns: set of sightings.Sighting
    """
    return shown | {found for found in claimed if found.place not in places}


def unclaimed(claimed, shown):
    """What results show and a table lacks.

    :param claimed: as for update()
    :param shown: as for update()
    :returns: list of sentences
    """
    return [
        'the table lacks %s' % _words(found)
        for found in sorted(shown - claimed)
    ]


def unfounded(claimed, shown, places):
    """What a table claims to be well and results do not show.

    :param claimed: as for update()
    :param shown: as for update()
    :param places: as for update()
    :returns: list of sentences
    """
    return [
        'the results do not show %s' % _words(found)
        for found in sorted(claimed - update(claimed, shown, places))
        if found.outcome != 'failed'
    ]


def _words(found):
    return (
        f'{found.operation} with {found.images_type}: '
        f'{found.outcome}, {found.place}'
    )
