// From what the network is told to what is heard: the one place that runs the graph.

// Resolves to { wave [64000], image [2 * frames * bins] } as Float32Array of their own.
export async function decode(session, ort, z, condition) {
  const results = await session.run({
    z: new ort.Tensor("float32", z, [1, z.length]),
    condition: new ort.Tensor("float32", condition, [1, condition.length]),
  });
  return { wave: results.wave.data.slice(), image: results.image.data.slice() };
}
