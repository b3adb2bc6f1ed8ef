# SPDX-License-Identifier: Apache-2.0
"""Changes of files of the guest."""

import posixpath


def edit(g, edits, found):
    """Change files of the system that is mounted.

    :param edits: list of dict as of ``nova_newos.golden.base.Edit``
    :param found: dict as of :func:`.paths.paths`, to decide which are made
    :returns: list of the paths of those that were made
    """
    made = []
    for each in edits:
        # What cannot be told is neither found nor not found.
        if all(found[name] for name in each['if_found']) and all(
            found[name] == {} for name in each['unless_found']
        ):
            _edit_path(g, each['path'], each['content'], each['link'])
            made.append(each['path'])
    return made


def _edit_path(g, path, content, link):
    if content is None:
        _remove(g, path)
        return
    g.mkdir_p(posixpath.dirname(path))
    # To a file that is there: it keeps its mode and its SELinux label. What is
    # no file goes: a pipe would have us wait, a link lead elsewhere.
    if not g.is_file(path):
        g.rm_rf(path)
    g.write(path, content)
    if link is not None:
        g.mkdir_p(posixpath.dirname(link))
        g.ln_sf(path, link)


def _remove(g, path):
    try:
        matches = g.glob_expand(path)
    except UnicodeError:
        # Names that are not UTF-8 cannot be named: the directory goes with
        # them, and comes back as it was.
        directory = posixpath.dirname(path)
        state = g.statns(directory)
        g.rm_rf(directory)
        g.mkdir_mode(directory, state['st_mode'] & 0o7777)
        g.chown(state['st_uid'], state['st_gid'], directory)
        return
    for match in matches:
        g.rm_rf(match.rstrip('/'))
