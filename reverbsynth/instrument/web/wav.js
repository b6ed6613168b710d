// Notes played into a WAV file.

import { Voice, peakOf } from "./voice.js";

const RATE = 48_000; // of the file: what programs for music use
const PEAK = 0.9;
const ROOM = 0.7; // a peak that resampling does not bring to clipping
const LONGEST_TAIL = 1.1; // seconds
const INAUDIBLE = 1e-6; // a peak that is not made louder

// The sum of notes { wave, rate, shift, level, tail, start, end, bends }, times in seconds; all of one
// rate. Each is played alone, so that a long piece takes no more at once than a short one.
export class Mix {
  room = new Float32Array(0); // for more than there is so far
  length = 0;

  // With `even`, what is heard of the note peaks at its level, however short the note is.
  async add(note, even) {
    const heard = await alone(note), peak = peakOf(heard);
    const level = even && peak > INAUDIBLE ? (note.level * peakOf(note.wave)) / peak : note.level;
    const first = Math.round(note.start * note.rate);
    this.rate = note.rate;
    this.extend(first + heard.length);
    for (let i = 0; i < heard.length; i++) this.room[first + i] += level * heard[i];
  }

  extend(length) {
    this.length = Math.max(this.length, length);
    if (length <= this.room.length) return;
    const { room } = this;
    this.room = new Float32Array(2 * length);
    this.room.set(room);
  }

  // A WAV file as Blob. Only what would clip is made quieter, or with `even` everything brought to
  // one peak.
  async file(even) {
    const samples = this.room.subarray(0, this.length), peak = peakOf(samples);
    const wide = await resampled(scaled(samples, ROOM / peak), this.rate);
    // The peak may lie between the samples that there were.
    return encode(scaled(wide, even || peak > PEAK ? PEAK / peakOf(wide) : peak / ROOM), RATE);
  }
}

// What is heard of a note of level 1 that starts at 0.
async function alone(note) {
  const { rate, start } = note;
  const end = note.end - start;
  const bends = note.bends.map(([time, semitones]) => [time - start, semitones]);
  const seconds = heardFor(note, end, bends);
  const context = new OfflineAudioContext(1, Math.ceil(seconds * rate), rate);
  const voice = new Voice(context, context.destination, { ...note, level: 1 }, 0);
  for (const [time, semitones] of bends.filter(([time]) => time <= end)) voice.bend(semitones, time);
  voice.release(end);
  for (const [time, semitones] of bends.filter(([time]) => time > end)) voice.bend(semitones, time);
  return (await context.startRendering()).getChannelData(0);
}

const scaled = (samples, gain) => samples.map((value) => value * gain);

// By the browser's own resampling of files, which is better than that of sources in a graph.
async function resampled(samples, rate) {
  const file = await encode(samples, rate).arrayBuffer();
  return (await new OfflineAudioContext(1, 1, RATE).decodeAudioData(file)).getChannelData(0);
}

// Seconds after which nothing of a note is heard any more, at the latest.
function heardFor({ wave, rate, shift }, end, bends) {
  const lowest = shift + Math.min(...bends.map(([, semitones]) => semitones), 0);
  const slowest = Math.min(1, 2 ** (lowest / 12));
  return Math.min(wave.length / rate / slowest, end + LONGEST_TAIL / slowest);
}

function encode(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, value)), true));
  return new Blob([view], { type: "audio/wav" });
}
