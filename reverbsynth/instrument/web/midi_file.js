// MIDI files: the notes of each part, as reverbsynth.instrument.midi_file reads them.

const HEARD = 8; // seconds of a note of 4 s that is bent down by an octave
const RELEASE = 1 + 912 / 16_000; // seconds after a note's end in which its tail is heard
const LONGEST = 2 * 3600; // seconds; what ends a note later does not count
const DRUMS = 9; // the channel, counted from 0
// Controllers.
const VOLUME = 7, EXPRESSION = 11;
export const SUSTAIN = 64;
export const RESET = 121;
export const endsAll = (number) => number === 120 || number >= 123;
const DATA_BYTES = { 0x80: 2, 0x90: 2, 0xa0: 2, 0xb0: 2, 0xc0: 1, 0xd0: 1, 0xe0: 2 };
const SYSTEM_BYTES = { 0xf1: 1, 0xf2: 2, 0xf3: 1 };
const META = 0xff, NAME = 0x03, END = 0x2f, TEMPO = 0x51;

// Parts [{ name, channel, drums, notes: [{ start, end, pitch, velocity, level, bends }] }], times in
// seconds, bends [[time, semitones]] with the first at the note's start.
export function readMidi(buffer) {
  const { division, tracks } = readTracks(new Uint8Array(buffer));
  const merged = tracks.flatMap((events, track) => events.map((event) => ({ ...event, track })));
  merged.sort((a, b) => a.tick - b.tick);
  const parts = new Parts(), names = [];
  let seconds = 0, before = 0, tempo = 500_000, last = 0;
  for (const { tick, track, status, kind, data } of merged) {
    seconds += ((tick - before) * tempo) / division / 1e6;
    before = tick;
    if (seconds <= LONGEST) last = seconds;
    if (status !== META) parts.take(seconds, track, status & 0xf0, status & 0x0f, data);
    else if (kind === TEMPO && data.length === 3)
      tempo = (data[0] << 16) | (data[1] << 8) | data[2] || tempo;
    else if (kind === NAME) names[track] = decoded(data).replaceAll("\0", "").trim();
  }
  const found = parts.finish(last, names);
  if (!found.length) throw new Error("found no notes");
  return found;
}

function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

// ---- bytes ----

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  take(count) {
    if (count > this.left) throw new Error(`cut off: ${count} bytes expected, ${this.left} are there`);
    return this.bytes.subarray(this.at, (this.at += count));
  }

  number(count) {
    return this.take(count).reduce((sum, byte) => 256 * sum + byte, 0);
  }

  text(count) {
    return String.fromCharCode(...this.take(count));
  }

  variable() {
    let value = 0, byte;
    do {
      byte = this.number(1);
      value = 128 * value + (byte & 127);
    } while (byte >= 128);
    return value;
  }
}

function readTracks(bytes) {
  if (!bytes.length) throw new Error("empty, expected a MIDI file");
  let reader = new Reader(bytes);
  const start = reader.text(Math.min(4, bytes.length));
  reader.at = 0;
  // Files of Windows (.rmi) hold a MIDI file among other chunks.
  if (start === "RIFF") reader = new Reader(dataOf(bytes));
  if (reader.left < 14 || reader.text(4) !== "MThd")
    throw new Error("not a MIDI file, which begins with MThd");
  const header = new Reader(reader.take(reader.number(4)));
  const format = header.number(2);
  header.number(2); // of tracks: what is there counts
  const division = header.number(2);
  if (format === 2) throw new Error("MIDI format 2 (separate sequences), expected 0 or 1");
  if (!division || division >= 0x8000) throw new Error("timed in frames of film, expected beats");
  const tracks = [];
  while (reader.left >= 8) {
    const kind = reader.text(4), length = reader.number(4);
    // A track that tells its end is whole, whatever its header promised.
    const body = reader.take(Math.min(length, reader.left));
    if (kind !== "MTrk") continue;
    if (body.length < length && !tellsEnd(body))
      throw new Error(`cut off: a track has ${body.length} of its ${length} bytes`);
    tracks.push(readTrack(new Reader(body)));
  }
  return { division, tracks };
}

function dataOf(riff) {
  const view = new DataView(riff.buffer, riff.byteOffset, riff.length);
  for (let at = 12; at + 8 <= riff.length; ) {
    const size = view.getUint32(at + 4, true);
    if (new Reader(riff.subarray(at)).text(4) === "data") return riff.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  return riff.subarray(riff.length);
}

const tellsEnd = (body) => body.some((byte, i) => byte === META && body[i + 1] === END && body[i + 2] === 0);

// Events of channels { tick, status, data }, and meta events, whose status is META, with their kind.
function readTrack(reader) {
  const events = [];
  let tick = 0, running = 0;
  while (reader.left) {
    tick += reader.variable();
    const status = reader.bytes[reader.at] >= 0x80 ? reader.number(1) : running;
    if (status === META) {
      const kind = reader.number(1);
      const data = reader.take(Math.min(reader.variable(), reader.left));
      events.push({ tick, status, kind, data });
      if (kind === END) break;
    } else if (status === 0xf0 || status === 0xf7)
      reader.take(Math.min(reader.variable(), reader.left));
    else if (status >= 0xf0) reader.take(SYSTEM_BYTES[status] ?? 0);
    else if (status) {
      // It goes on after system messages and meta events: they are no end of it to many.
      running = status;
      const data = reader.take(DATA_BYTES[status & 0xf0]).map((byte) => Math.min(byte, 127));
      events.push({ tick, status, data });
    } else throw new Error("damaged: a track begins with data, expected an event");
  }
  return events;
}

// ---- notes ----

class Parts {
  constructor() {
    this.notes = new Map(); // by track and channel
    this.down = new Map(); // strikes by track, channel and pitch
    this.held = new Map(); // as `down`, by the pedal
    this.pedals = new Set();
    this.wheels = new Map();
  }

  take(seconds, track, kind, channel, [first, second]) {
    const key = `${track}/${channel}/${first}`;
    if (kind === 0x90 && second > 0) {
      this.end(this.held, key, seconds);
      const strike = { start: seconds, velocity: second, level: this.wheel(channel).level() };
      this.down.set(key, [...(this.down.get(key) ?? []), strike]);
    } else if (kind === 0x80 || kind === 0x90) this.letGo(key, channel, seconds);
    else if (kind === 0xe0) this.wheel(channel).turn(seconds, first + 128 * second - 8192);
    else if (kind === 0xb0) this.control(seconds, channel, first, second);
  }

  // Of overlapping notes of one pitch the first struck ends first.
  letGo(key, channel, seconds) {
    const strike = this.down.get(key)?.shift();
    if (!strike) return;
    if (this.pedals.has(channel)) this.held.set(key, [...(this.held.get(key) ?? []), strike]);
    else this.add(key, strike, seconds);
  }

  control(seconds, channel, number, value) {
    this.wheel(channel).control(number, value);
    if (number === RESET) this.wheel(channel).reset(seconds);
    if (number === SUSTAIN && value >= 64) this.pedals.add(channel);
    else if (number === SUSTAIN || number === RESET) {
      this.pedals.delete(channel);
      this.endAll(this.held, channel, seconds);
    } else if (endsAll(number)) {
      this.endAll(this.down, channel, seconds);
      this.endAll(this.held, channel, seconds);
    }
  }

  wheel(channel) {
    if (!this.wheels.has(channel)) this.wheels.set(channel, new Wheel());
    return this.wheels.get(channel);
  }

  endAll(strikes, channel, seconds) {
    for (const key of strikes.keys())
      if (channel === undefined || Number(key.split("/")[1]) === channel) this.end(strikes, key, seconds);
  }

  end(strikes, key, seconds) {
    for (const strike of strikes.get(key) ?? []) this.add(key, strike, seconds);
    strikes.delete(key);
  }

  add(key, strike, end) {
    const [track, channel, pitch] = key.split("/").map(Number);
    const part = `${track}/${channel}`;
    if (!this.notes.has(part)) this.notes.set(part, []);
    this.notes.get(part).push({ ...strike, end, pitch });
  }

  // What was never let go lasts to the end of the piece.
  finish(seconds, names) {
    this.endAll(this.down, undefined, seconds);
    this.endAll(this.held, undefined, seconds);
    const ordered = [...this.notes].map(([key, notes]) => [...key.split("/").map(Number), notes]);
    ordered.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return ordered.map(([track, channel, notes]) => ({
      name: names[track] ?? "",
      channel: channel + 1,
      drums: channel === DRUMS,
      notes: notes
        .sort((a, b) => a.start - b.start)
        .map((note) => ({ ...note, bends: this.wheel(channel).during(note) })),
    }));
  }
}

// A channel's pitch wheel, whose range registered parameter 0 sets: 2 semitones, unless it does; and
// the gain of its volume and expression, their squares, as General MIDI recommends.
export class Wheel {
  constructor() {
    this.curve = []; // [seconds, semitones]
    this.range = { 6: 2, 38: 0 }; // semitones and cents, by their controllers
    this.parameter = { 100: 127, 101: 127 };
    this.levels = { [VOLUME]: 100, [EXPRESSION]: 127 };
  }

  level() {
    return ((this.levels[VOLUME] / 100) * (this.levels[EXPRESSION] / 127)) ** 2;
  }

  reset(seconds) {
    this.turn(seconds, 0);
    this.levels[EXPRESSION] = 127;
  }

  control(number, value) {
    if (number in this.levels) this.levels[number] = value;
    else if (number in this.parameter) this.parameter[number] = value;
    // What is entered after an unregistered parameter is a maker's own, and no bend range.
    else if (number === 98 || number === 99) this.parameter = { 100: 127, 101: 127 };
    else if (number in this.range && !this.parameter[100] && !this.parameter[101]) this.range[number] = value;
  }

  semitones(turn) {
    return ((this.range[6] + this.range[38] / 100) * turn) / 8192;
  }

  turn(seconds, turn) {
    this.curve.push([seconds, this.semitones(turn)]);
  }

  during({ start, end }) {
    const before = this.curve.findLast(([time]) => time <= start);
    const last = Math.min(end + RELEASE, start + HEARD);
    return [[start, before?.[1] ?? 0], ...this.curve.filter(([time]) => time > start && time <= last)];
  }
}
