// A worker that runs the instrument beside the page, which stays responsive meanwhile. It is given
// all bytes it needs and contacts no host.

import { decode } from "./decode.js";

let ort = null;
let session = null;

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "start") {
      await start(data);
      self.postMessage({ type: "ready" });
    } else if (data.type === "note") {
      const { wave, image } = await decode(session, ort, data.z, data.condition);
      self.postMessage({ type: "note", id: data.id, wave, image }, [wave.buffer, image.buffer]);
    }
  } catch (error) {
    self.postMessage({ type: "error", id: data.id, message: String(error?.message ?? error) });
  }
};

async function start({ script, wasm, model, latentSize, width }) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  ort = await import(address);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm.buffer;
  session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  // The first run is slow while the browser compiles; better now than under the reader's finger.
  await decode(session, ort, new Float32Array(latentSize).fill(1), new Float32Array(width));
}
