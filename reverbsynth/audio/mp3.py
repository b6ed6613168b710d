"""MP3 files that do not tell how long they are."""

import struct

_KBITS = {  # By MPEG's version, of layer 3.
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LENGTHS = (b"Xing", b"Info", b"VBRI")  # Marks of a first frame that tells the number of frames.


def with_length(content: bytes) -> bytes:
    """An MP3 file that tells its length; other content as it is, and one that is damaged.

    Where nothing tells it, a decoder takes every frame to be as long as the first: of a variable
    bit rate, all that is beyond that guess would be lost. A ``Xing`` frame is put before the first.
    """
    start = 0
    if content[:3] == b"ID3":
        start = 10 + sum(byte << 7 * (3 - place) for place, byte in enumerate(content[6:10]))
    first = _frame_length(content[start : start + 4])
    if not first or any(mark in content[start : start + first] for mark in _LENGTHS):
        return content
    at, frames = start, 0
    while (length := _frame_length(content[at : at + 4])) and at + length <= len(content):
        at, frames = at + length, frames + 1
    if not length and content[at : at + 3] not in (b"", b"TAG", b"APE"):
        return content
    # Without a checksum, and of a bit rate that leaves room for the count.
    _, kind, rate, channels = content[start : start + 4]
    header = bytes((255, kind | 1, 0x90 | rate & 12, channels))
    is_mono = channels >> 6 == 3
    side_information = (17 if is_mono else 32) if kind & 8 else (9 if is_mono else 17)
    frame = header + bytes(side_information) + struct.pack(">4sII", b"Xing", 1, frames)
    return content[:start] + frame.ljust(_frame_length(header), b"\0") + content[start:]


def _frame_length(header: bytes) -> int:
    """Bytes of the frame of layer 3 that begins with a header [4 bytes], or 0 for none."""
    if len(header) < 4 or header[0] != 255 or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, kbits = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if version not in _RATES or rate == 3 or kbits in (0, 15):
        return 0
    slots, table = (144, _KBITS[1]) if version == 3 else (72, _KBITS[2])
    return slots * 1000 * table[kbits - 1] // _RATES[version][rate] + (header[2] >> 1 & 1)
