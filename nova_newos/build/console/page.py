# SPDX-License-Identifier: Apache-2.0
r"""The page that plays a record: one file, written to its end and no more.

After the head and the player it has events, one a line, each a JSON object in
a script element that no browser runs::

    {"t": 12.5, "picture": "data:image/png;base64,..."}
    {"t": 14.0, "again": 0}
    {"t": 14.0, "text": "Loading ...\n"}
    {"t": 15.0, "phase": "capture", "detail": "..."}

``t`` is in seconds since the beginning, ``again`` the number of a picture that
was there before. A line that was cut off, because the recorder was killed, is
no JSON, and is left out: so there is nothing to write at the end.

What a guest writes is shown as text and cannot become anything else: it is in
JSON without ``<``, the player makes no HTML of it, and the page's policy has
the browser run the one script of the head and load nothing.
"""

import base64
import hashlib
import json

_STYLE = """
body { font: 14px sans-serif; margin: 1em; background: #eee; color: #111; }
#bar { display: flex; gap: .5em; align-items: center; }
#at { flex: 1; }
#both { display: flex; flex-wrap: wrap; gap: 1em; margin-top: 1em; }
#screen { max-width: 100%; background: #000; align-self: flex-start; }
#text { flex: 1; min-width: 30em; max-height: 80vh; margin: 0;
  overflow: auto; background: #111; color: #ddd; padding: .5em;
  white-space: pre-wrap; overflow-wrap: anywhere; }
"""

_SCRIPT = """
'use strict';
addEventListener('DOMContentLoaded', () => {
  const $ = id => document.getElementById(id);
  const pictures = [], shots = [], texts = [], phases = [];
  for (const element of document.querySelectorAll('script.event')) {
    let event;
    try {
      event = JSON.parse(element.textContent);
    } catch {
      continue;
    }
    if ('picture' in event) {
      event.again = pictures.push(event.picture) - 1;
    }
    if ('again' in event) shots.push(event);
    if ('text' in event) texts.push(event);
    if ('phase' in event) phases.push(event);
    $('at').max = Math.max($('at').max, event.t);
  }
  const until = (events, t) => {
    let low = 0, high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle].t <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let shown = -1;
  const show = () => {
    const t = Number($('at').value);
    $('time').textContent = new Date(t * 1000).toISOString().slice(11, 19);
    const shot = shots[until(shots, t) - 1];
    if (shot) $('screen').src = pictures[shot.again];
    $('screen').hidden = !shot;
    const phase = phases[until(phases, t) - 1];
    $('phase').textContent = phase ? `${phase.phase}: ${phase.detail}` : '';
    const count = until(texts, t);
    if (count !== shown) {
      $('text').textContent =
        texts.slice(0, count).map(event => event.text).join('');
      $('text').scrollTop = $('text').scrollHeight;
      shown = count;
    }
  };
  let last = null;
  const tick = now => {
    if (last === null) return;
    const at = $('at');
    at.value = Number(at.value) + (now - last) / 1000 * $('speed').value;
    last = now;
    show();
    if (Number(at.value) < Number(at.max)) requestAnimationFrame(tick);
    else pause();
  };
  const pause = () => { last = null; $('play').textContent = 'Play'; };
  $('play').onclick = () => {
    if (last !== null) { pause(); return; }
    if (Number($('at').value) >= Number($('at').max)) $('at').value = 0;
    $('play').textContent = 'Pause';
    last = performance.now();
    requestAnimationFrame(tick);
  };
  $('at').oninput = show;
  $('at').value = $('at').max;
  show();
});
"""

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
img-src data:; script-src '{script_hash}'; style-src '{style_hash}'">
<title>Golden build {build_id}</title>
<style>{style}</style>
<script>{script}</script>
</head>
<body>
<div id="bar">
<button id="play">Play</button>
<select id="speed"><option>1<option selected>10<option>60</select>
<input id="at" type="range" min="0" max="0" step="0.1" value="0">
<output id="time"></output>
</div>
<p id="phase"></p>
<div id="both">
<img id="screen" alt="The server's screen" hidden>
<pre id="text"></pre>
</div>
"""


def head(build_id):
    """The page without events.

    :param build_id: a UUID, str
    """
    return _HEAD.format(
        build_id=build_id,
        style=_STYLE,
        style_hash=_hash(_STYLE),
        script=_SCRIPT,
        script_hash=_hash(_SCRIPT),
    )


def event(fields):
    """An event as a line of the page.

    :param fields: dict, see above
    """
    text = json.dumps(fields)
    # Nothing in it can end the element, or begin a comment.
    for character in '<>&':
        text = text.replace(character, f'\\u{ord(character):04x}')
    return f'<script type="application/json" class="event">{text}</script>\n'


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return 'sha256-' + base64.b64encode(digest).decode()
