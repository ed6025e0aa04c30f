"""How good a model or an artifact is: figures, a table, a document and a page; nothing here needs torch."""

from depthwise.rooms import make_callable

make_callable(__name__)
