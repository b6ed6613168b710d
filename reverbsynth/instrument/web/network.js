// The trained network, which runs in a worker.

import { asset, unpacks } from "./assets.js";

const CACHED_NOTES = 64;

export class Network {
  constructor(manifest, folder, conditions) {
    Object.assign(this, { manifest, folder, conditions });
    this.cache = new Map();
    this.pending = new Map();
    this.serial = 0;
  }

  // What keeps it from running in this browser; empty where nothing does.
  static missing() {
    if (typeof WebAssembly !== "object") return "this browser has no WebAssembly";
    return typeof Worker !== "function" || !unpacks ? "this browser is too old" : "";
  }

  // Resolves to its files; `progress` is told of bytes received so far.
  download(progress) {
    let received = 0;
    const told = (bytes) => progress((received += bytes));
    return Promise.all(
      ["script", "wasm", "model", "latents"].map((name) =>
        asset(new URL(this.manifest.files[name], this.folder), told)),
    );
  }

  async begin([script, wasm, model, latents]) {
    this.latents = new Float32Array(latents.buffer);
    const width = this.conditions.vector(this.conditions.lowest, {}).length;
    // SYNTHESIZER is the text of synthesizer.js, put before these modules when they are joined.
    const address = URL.createObjectURL(new Blob([SYNTHESIZER], { type: "text/javascript" }));
    this.worker = new Worker(address);
    await new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message || "its script failed"));
      this.worker.onmessage = ({ data }) => {
        if (data.type === "ready") resolve();
        else if (data.id === undefined) reject(new Error(data.message));
        else this.answer(data);
      };
      const latentSize = this.manifest.latent_size;
      const bytes = [script.buffer, wasm.buffer, model.buffer];
      this.worker.postMessage({ type: "start", script, wasm, model, latentSize, width }, bytes);
    });
  }

  end() {
    this.worker?.terminate();
  }

  answer(data) {
    const waiting = this.pending.get(data.id);
    this.pending.delete(data.id);
    if (data.type === "error") waiting.reject(new Error(data.message));
    else waiting.resolve({ wave: data.wave, image: data.image });
  }

  // The timbre of a seed: reverbsynth.instrument.Instrument.latents.
  latent(seed) {
    const size = this.manifest.latent_size;
    return this.latents.slice(seed * size, (seed + 1) * size);
  }

  // Resolves to { wave, image } as Float32Array, of any z [latent_size].
  generate(pitch, z, chosen) {
    const id = this.serial++;
    const condition = this.conditions.vector(pitch, chosen);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ type: "note", id, z, condition });
    });
  }

  // As `generate`, kept for when the same note is played again.
  note(pitch, z, chosen) {
    const key = JSON.stringify([this.conditions.drawn(pitch), [...z], chosen]);
    let found = this.cache.get(key);
    if (!found) {
      found = this.generate(pitch, z, chosen);
      found.catch(() => this.cache.delete(key));
      this.cache.set(key, found);
      if (this.cache.size > CACHED_NOTES) this.cache.delete(this.cache.keys().next().value);
    }
    return found;
  }
}
