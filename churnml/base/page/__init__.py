"""Pages for readers: one layout, one style sheet, figures as SVG, nothing outside the file.

`render` fills a template that extends ``layout.html`` and uses the macros of ``parts.html``;
`svg` draws. A page has no script, no font and no address of its own, and no clock time: the same
values give the same bytes. Everything that is filled in is escaped.
"""
