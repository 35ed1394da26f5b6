"""
The situation map: areas in the colours of the index as inline SVG, drawn whole by the server.

`drawing.situation_map` makes the value; the macro `situation` of `situation.html` writes it; and
`assets/situation_map.js` lays on it what arrives while the page is open. A page that shows one
links `base.css`, `measures.css` and `situation.css`, and loads the script with `defer`.
"""
