# SPDX-License-Identifier: Apache-2.0
"""How the bytes of an ISO get to those who understand them.

An examination is a generator: it yields the spans that it wants next, and is
sent their bytes. Who answers may have a file, or a stream that passes once;
the examination is the same. What cannot be had is shorter than asked for, or
empty.
"""

from collections.abc import Generator
from collections.abc import Sequence
import dataclasses
import io
from typing import BinaryIO
from typing import Generic
from typing import TypeVar


@dataclasses.dataclass(frozen=True)
class Span:
    """Bytes of an ISO: where they begin, and how many."""

    offset: int
    length: int


Found = TypeVar('Found')
Examination = Generator[Sequence[Span], Sequence[bytes], Found]

# A stream is kept up to here: the descriptors of a volume and their anchor,
# which is at 512 KiB, with room for what most tools write behind it.
HEAD = 640 * 1024


def read_file(
    file: BinaryIO, size: int, examination: Examination[Found]
) -> tuple[Found, int]:
    """Answer an examination from a seekable file.

    :param size: of the file; nothing is asked of it beyond its end
    :returns: what it found, and how many bytes were read
    """
    read = 0
    replies: list[bytes] = []
    try:
        spans = next(examination)
        while True:
            replies = [_read(file, size, span) for span in spans]
            read += sum(map(len, replies))
            spans = examination.send(replies)
    except StopIteration as stop:
        return stop.value, read


def _read(file: BinaryIO, size: int, span: Span) -> bytes:
    missing = min(span.length, size - span.offset)
    if missing <= 0:
        return b''
    file.seek(span.offset)
    pieces = []
    # Files of the network return less than is asked for.
    while missing > 0 and (piece := file.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b''.join(pieces)


def file_size(file: BinaryIO) -> int:
    """Bytes of a seekable file."""
    return file.seek(0, io.SEEK_END)


class _Catch:
    """A span that a stream brings, as far as it has not passed yet."""

    def __init__(self, span: Span, head: bytearray, passed: int) -> None:
        end = span.offset + span.length
        self.content = head[span.offset : end]
        self.next = span.offset + len(self.content)
        self.end = end if self.next >= passed else self.next

    def feed(self, offset: int, view: memoryview) -> None:
        """Take from a piece of the stream what comes next."""
        begin = self.next - offset
        piece = view[begin : self.end - offset] if begin < len(view) else b''
        self.content += piece
        self.next += len(piece)


class Passing(Generic[Found]):
    """Answers an examination from a stream that passes once.

    Keeps the first :data:`HEAD` bytes, and what the examination waits for.
    A span that has passed, and was not kept, is answered as if the ISO
    ended there. How the stream is cut into chunks makes no difference.

    :ivar passed: bytes so far
    """

    def __init__(self, examination: Examination[Found]) -> None:
        self._examination = examination
        self._head = bytearray()
        self._found: Found | None = None
        self._error: Exception | None = None
        self._done = False
        self.passed = 0
        self._catches = self._catch(next(examination))
        self._step_on()

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the stream; never raises."""
        view = memoryview(chunk).cast('B')
        while view and not self._done:
            end = max(catch.end for catch in self._catches)
            piece = view[: end - self.passed]
            self._head += piece[: max(0, HEAD - len(self._head))]
            for catch in self._catches:
                catch.feed(self.passed, piece)
            self.passed += len(piece)
            view = view[len(piece) :]
            self._step_on()
        self.passed += len(view)

    def result(self) -> Found:
        """What was found, once the stream has ended.

        :raises Exception: what the examination raised
        """
        while not self._done:
            self._step()
        if self._error is not None:
            raise self._error
        # Done without an error, so with a value.
        return self._found  # type: ignore[return-value]

    def _catch(self, spans: Sequence[Span]) -> list[_Catch]:
        return [_Catch(span, self._head, self.passed) for span in spans]

    def _step_on(self) -> None:
        """As far as it goes without more of the stream."""
        while not self._done and all(
            catch.next >= catch.end for catch in self._catches
        ):
            self._step()

    def _step(self) -> None:
        replies = [bytes(catch.content) for catch in self._catches]
        try:
            self._catches = self._catch(self._examination.send(replies))
            return
        except StopIteration as stop:
            self._found = stop.value
        except Exception as error:
            # Bugs too: who reads the stream is to read on. The traceback
            # would keep what the examination has seen.
            self._error = error.with_traceback(None)
        self._done = True
        self._head = bytearray()
        self._catches = []
