// Runs the instrument beside the page, so that the page stays responsive while a note is computed.
// Everything is fetched from the folder this file lies in; no other host is contacted.

import { decode } from "./decode.js";
import * as ort from "./ort.wasm.bundle.min.js";

let session = null;

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "start") {
      await start(data);
      self.postMessage({ type: "ready" });
    } else if (data.type === "note") {
      const { wave, image } = await note(data.z, data.condition);
      self.postMessage({ type: "note", id: data.id, wave, image }, [wave.buffer, image.buffer]);
    }
  } catch (error) {
    self.postMessage({ type: "error", id: data.id, message: String(error?.message ?? error) });
  }
};

async function start({ model, runtime, latentSize, width }) {
  let received = 0;
  const progress = (bytes) => {
    received += bytes;
    self.postMessage({ type: "progress", received });
  };
  const [weights, compressed] = await Promise.all([
    download(new URL(model, import.meta.url), progress),
    download(new URL(runtime, import.meta.url), progress),
  ]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await unpacked(compressed);
  session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"] });
  // The first run is slow while the browser compiles; better now than under the reader's finger.
  await note(new Float32Array(latentSize).fill(1), new Float32Array(width));
}

function note(z, condition) {
  return decode(session, ort, z, condition);
}

async function download(address, progress) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname}: ${response.status}`);
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    progress(value.length);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// Some servers decompress .gz files on the way: look at what came.
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
