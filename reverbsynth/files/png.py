"""PNG pictures."""

import io
from typing import Any

import numpy as np
from PIL import Image


def png(picture: Image.Image | np.ndarray, **options: Any) -> bytes:
    """Encode a picture, or its colours [shape=(height, width, 3), uint8]; options are Pillow's."""
    file = io.BytesIO()
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    image.save(file, "PNG", **options)
    return file.getvalue()
