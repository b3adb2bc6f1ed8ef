# SPDX-License-Identifier: Apache-2.0
"""Since when nothing has changed that is looked at from time to time."""

import collections
import hashlib

# A cursor that blinks makes two pictures, a wheel that turns four to eight.
_REMEMBERED = 8


def digest(image):
    """What tells a picture from others; bytes, or None without a picture.

    :param image: a PIL image, or None
    """
    if image is None:
        return None
    found = hashlib.blake2b(repr(image.size).encode(), digest_size=16)
    found.update(image.tobytes())
    return found.digest()


class Stillness:
    """For how long there has been nothing new.

    A picture that was there a short time ago is nothing new: a cursor blinks,
    and a wheel turns, while the guest waits. A percentage that goes up is, and
    so is a clock: each of its pictures is one that has not been seen.
    """

    def __init__(self):
        self._seen = collections.OrderedDict()
        self._text = None
        self._since = None

    def look(self, now, image=None, text=''):
        """What is there now.

        :param now: seconds on any clock that only goes on
        :param image: a PIL image, or None without a screen
        :param text: whatever else there is to see, compared as it is
        :returns: seconds for which there has been nothing new
        """
        found = digest(image)
        if found not in self._seen or text != self._text:
            self._since = now
        self._text = text
        self._seen[found] = None
        self._seen.move_to_end(found)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return now - self._since
