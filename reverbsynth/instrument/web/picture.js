// What the network drew of a note: magnitude and instantaneous frequency, with axes.

import { element } from "./elements.js";

const DEPTH = 16; // nepers below the loudest pixel
const SECONDS = [0, 1, 2, 3, 4];
const WAITING = "The picture of a note appears here when one is played.";

export class Picture {
  constructor(manifest) {
    this.manifest = manifest;
    this.unseen = true; // until a note is shown
    this.panels = ["Log-magnitude", manifest.second_channel].map((title) => this.panel(title));
    this.caption = element("figcaption", {}, WAITING);
    const row = element("div", { class: "rs-pictures" }, ...this.panels.map(({ root }) => root));
    this.root = element("figure", {}, row, this.caption);
  }

  panel(title) {
    const [frames, bins] = this.manifest.image;
    const canvas = element("canvas", { width: frames, height: bins, role: "img", "aria-label": `${title}: nothing yet` });
    const line = element("span", { class: "rs-sweep", hidden: true });
    const hertz = this.manifest.frequency_ticks.map(([text, share]) =>
      element("span", { style: `bottom: ${100 * share}%` }, text));
    const seconds = SECONDS.map((second) =>
      element("span", { style: `left: ${100 * this.shareAt(second)}%` }, second === 4 ? "4 s" : String(second)));
    const root = element(
      "div", { class: "rs-picture" },
      element("p", {}, title),
      element("div", { class: "rs-hertz", "aria-hidden": "true" }, ...hertz),
      element("div", { class: "rs-canvas" }, canvas, line),
      element("div", { class: "rs-seconds", "aria-hidden": "true" }, ...seconds),
    );
    return { root, canvas, line, title };
  }

  // As `show`, of bytes: magnitudes down to the depth shown, then half turns.
  showBytes(bytes, name) {
    const value = (byte, place) => (2 * place < bytes.length ? DEPTH * (byte / 255 - 1) : byte / 127.5 - 1);
    this.show(Float32Array.from(bytes, value), name);
  }

  // Where a second of the note lies, as a share of the picture's width.
  shareAt(second) {
    const [first, last] = this.manifest.time_axis;
    return first + ((last - first) * second) / this.manifest.note_seconds;
  }

  // `image` is [2 * frames * bins]; `name` says of which note.
  show(image, name) {
    this.unseen = false;
    const [frames, bins] = this.manifest.image, size = frames * bins;
    const [magnitude, frequency] = [image.subarray(0, size), image.subarray(size)];
    const loudest = magnitude.reduce((a, b) => Math.max(a, b), -Infinity);
    this.paint(0, magnitude, name, (value) => heat((value - loudest) / DEPTH + 1));
    this.paint(1, frequency, name, wheelColour);
    this.caption.textContent =
      `What the network drew: ${name}. Seconds to the right, hertz upwards.`;
  }

  paint(place, values, name, colour) {
    const { canvas, title } = this.panels[place];
    const [frames, bins] = this.manifest.image;
    const pixels = new ImageData(frames, bins);
    for (let frame = 0; frame < frames; frame++)
      for (let bin = 0; bin < bins; bin++)
        pixels.data.set(colour(values[frame * bins + bin]), 4 * ((bins - 1 - bin) * frames + frame));
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    canvas.setAttribute("aria-label", `${title} of ${name}`);
  }

  // A line that moves with the sound, unless the reader asked for no motion.
  sweep(voice) {
    cancelAnimationFrame(this.frame);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = () => {
      const share = this.shareAt(voice.placeAt(voice.context.currentTime));
      const over = still || share >= 1 || voice.released || !voice.parts.size;
      for (const { line } of this.panels) {
        line.hidden = over;
        line.style.left = `${100 * share}%`;
      }
      if (!over) this.frame = requestAnimationFrame(step);
    };
    step();
  }
}

// Dark blue over red to light yellow.
function heat(share) {
  const x = Math.min(1, Math.max(0, share));
  const blue = (0.35 + 0.3 * Math.sin(Math.PI * x)) * (x > 0 ? 1 : 0.6);
  return [255 * Math.min(1, 1.6 * x), 255 * x * x, 255 * blue, 255];
}

// Half turns a frame, a colour wheel: -1 and 1 are the same.
function wheelColour(halfTurns) {
  const part = (offset) => 255 * (0.5 + 0.45 * Math.cos(Math.PI * (halfTurns + offset)));
  return [part(0), part(2 / 3), part(-2 / 3), 255];
}
