# SPDX-License-Identifier: Apache-2.0
"""Archives in user data: the files in them, within limits.

Nothing is written anywhere: names and content stay in memory until they are
on the CD.
"""

import bz2
import email
import gzip
import io
import lzma
import re
import tarfile

from nova_newos import exception
from nova_newos.media.answers import iso
from nova_newos.media.answers import names

MAX_FILES = 64

#: Bytes of an unpacked archive, its own headers among them.
MAX_UNPACKED = 4 * 2**20

#: Bytes that unpacking xz may take: what ``xz -9`` asks for.
_XZ_MEMORY = 72 * 2**20

_BLOCK = 512
_MULTIPART = re.compile(rb'^(?:content-type|mime-version)\s*:', re.I | re.M)


def is_tar(data):
    """Whether data is a tar archive, plain or compressed.

    Also one that is damaged further on; no other user data looks like it.
    """
    try:
        head = _unpacked(data, _BLOCK)
    # The libraries answer junk with errors of many types.
    except Exception:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], 'utf-8', 'surrogateescape')
    except tarfile.HeaderError:
        return False
    return True


def tar_files(data):
    """Files of a tar archive.

    :param data: bytes for which :func:`is_tar` holds; hostile
    :returns: list of :class:`~nova_newos.media.answers.iso.File`
    :raises AnswerArchiveRefused: when it is damaged, exceeds a limit, or has
        other than files and directories
    """
    try:
        content = _unpacked(data, MAX_UNPACKED + 1)
    # As above.
    except Exception as error:
        raise _damaged() from error
    if len(content) > MAX_UNPACKED:
        raise _too_much()
    try:
        found = list(_members(content))
    except exception.AnswerArchiveRefused:
        raise
    # As above.
    except Exception as error:
        raise _damaged() from error
    names.check_distinct(file.path for file in found)
    return found


def multipart_files(data):
    """Named parts of a MIME multipart, RFC 2046.

    :param data: bytes; hostile
    :returns: list of (name, content), as they are; None for what is no
        multipart that can be read
    """
    # As cloud-init's user_data.convert_string() tells it.
    if not _MULTIPART.search(data[:4096]):
        return None
    try:
        message = email.message_from_bytes(data)
        if not message.is_multipart():
            return None
        return [
            (part.get_filename(), part.get_payload(decode=True) or b'')
            for part in message.walk()
            if not part.is_multipart() and part.get_filename()
        ]
    # What cannot be read is cloud-init's to complain about.
    except Exception:
        return None


def checked(named):
    """Files of a multipart.

    :param named: list of (name, content), see :func:`multipart_files`
    :raises AnswerArchiveRefused: when a limit is exceeded
    """
    if len(named) > MAX_FILES:
        raise _too_many()
    found = [iso.File(_file_path(name), content) for name, content in named]
    names.check_distinct(file.path for file in found)
    return found


def _unpacked(data, limit):
    """At most so many of the unpacked bytes."""
    if data.startswith(b'\x1f\x8b'):
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read(limit)
    if data.startswith(b'BZh'):
        return bz2.BZ2File(io.BytesIO(data)).read(limit)
    if data.startswith(b'\xfd7zXZ\0'):
        return _unpacked_xz(data, limit)
    return data[:limit]


def _unpacked_xz(data, limit):
    # LZMAFile has no limit for memory.
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    content = unpacker.decompress(data, limit)
    if len(content) < limit and not unpacker.eof:
        raise EOFError('the end is missing')
    if unpacker.unused_data.strip(b'\0'):
        raise ValueError('there is more after the end')
    return content


def _members(content):
    """Files of an uncompressed tar archive."""
    with tarfile.open(fileobj=io.BytesIO(content), mode='r:') as archive:
        count = 0
        while (member := archive.next()) is not None:
            count += 1
            # Also of headers that lead back to earlier ones (CVE-2025-8194).
            if count > MAX_FILES:
                raise _too_many()
            if member.isdir():
                names.normal(member.name)
            else:
                yield _file(archive, member)
        end = archive.offset
    # tarfile takes a broken header for the end.
    if content[end : end + _BLOCK].strip(b'\0'):
        raise _damaged()


def _file(archive, member):
    if not member.isreg() or member.issparse():
        raise exception.AnswerArchiveRefused(
            problem=f'has {member.name[:40]!a:.44}, which is no plain file',
            wanted='files and directories only, no links or devices',
        )
    path = _file_path(member.name)
    if not 0 <= member.size <= MAX_UNPACKED:
        raise _damaged()
    data = archive.extractfile(member).read()
    return iso.File(path, data, executable=bool(member.mode & 0o111))


def _file_path(name):
    path = names.normal(name)
    if not path:
        raise exception.AnswerArchiveRefused(
            problem='has a file without a name', wanted='named files'
        )
    return path


def _damaged():
    return exception.AnswerArchiveRefused(
        problem='is damaged', wanted='it again, with all files'
    )


def _too_many():
    return exception.AnswerArchiveRefused(
        problem=f'has more than {MAX_FILES} files and directories',
        wanted='fewer',
    )


def _too_much():
    return exception.AnswerArchiveRefused(
        problem=f'unpacks to more than {MAX_UNPACKED} bytes',
        wanted='less into it',
    )
