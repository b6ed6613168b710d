// Notes played into a WAV file.

import { Voice, peakOf } from "./voice.js";

const RATE = 48_000; // of the file: what programs for music use
const PEAK = 0.9;
const ROOM = 0.7; // a peak that resampling does not bring to clipping
const LONGEST_TAIL = 1.1; // seconds

// A WAV file as Blob, of notes { wave, rate, shift, level, tail, start, end, bends } in seconds.
// Only what would clip is made quieter, or with `even` everything brought to one peak.
export async function render(notes, even) {
  const [{ rate }] = notes;
  const samples = await mixed(notes);
  const peak = peakOf(samples);
  const wide = await resampled(scaled(samples, ROOM / peak), rate);
  // The peak may lie between the samples that there were.
  return encode(scaled(wide, even || peak > PEAK ? PEAK / peakOf(wide) : peak / ROOM), RATE);
}

// The peak of what is heard of a note of level 1, however short it is.
export async function heardPeak(note) {
  const bends = note.bends.map(([time, semitones]) => [time - note.start, semitones]);
  return peakOf(await mixed([{ ...note, bends, level: 1, start: 0, end: note.end - note.start }]));
}

// The notes' sum, at their own rate.
async function mixed(notes) {
  const [{ rate }] = notes;
  const last = Math.max(...notes.map((note) => silentAfter(note)));
  const context = new OfflineAudioContext(1, Math.ceil(last * rate), rate);
  for (const note of notes) {
    const voice = new Voice(context, context.destination, note, note.start);
    for (const [time, semitones] of note.bends.filter(([time]) => time <= note.end))
      voice.bend(semitones, time);
    voice.release(note.end);
    for (const [time, semitones] of note.bends.filter(([time]) => time > note.end))
      voice.bend(semitones, time);
  }
  return (await context.startRendering()).getChannelData(0);
}

const scaled = (samples, gain) => samples.map((value) => value * gain);

// By the browser's own resampling of files, which is better than that of sources in a graph.
async function resampled(samples, rate) {
  const file = await encode(samples, rate).arrayBuffer();
  return (await new OfflineAudioContext(1, 1, RATE).decodeAudioData(file)).getChannelData(0);
}

// When nothing of a note is heard any more, at the latest.
function silentAfter({ wave, rate, shift, start, end, bends }) {
  const lowest = shift + Math.min(...bends.map(([, semitones]) => semitones), 0);
  const slowest = Math.min(1, 2 ** (lowest / 12));
  return Math.min(start + wave.length / rate / slowest, end + LONGEST_TAIL / slowest);
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
