"""The book: papermill runs the notebooks into a folder, Jupyter Book renders that folder."""

from reverbsynth.book.build import build_book

__all__ = ["build_book"]
