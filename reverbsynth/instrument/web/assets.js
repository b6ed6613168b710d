// The keyboard's files: gzip in base64, in a script that hands it over. A page that was opened from
// a file may not read other files, but may run them as scripts.

export const unpacks = typeof DecompressionStream === "function"; // or no file can be read

let received = null;

export function receive(text) {
  received = text;
}

// Resolves to the bytes of a file as Uint8Array; `progress` is told how many more have come.
export async function asset(address, progress = () => {}) {
  const text = location.protocol === "file:" ? await run(address) : await download(address, progress);
  const { body } = await fetch(`data:application/octet-stream;base64,${text}`);
  const unpacked = new Response(body.pipeThrough(new DecompressionStream("gzip")));
  return new Uint8Array(await unpacked.arrayBuffer());
}

async function download(address, progress) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname}: ${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    progress(value.length);
  }
  return text.slice(text.indexOf('"') + 1, text.lastIndexOf('"'));
}

// A script's load event follows its run before any other script is run.
function run(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = () => {
      script.remove();
      resolve(received);
    };
    script.onerror = () => reject(new Error(`${address.pathname}: cannot be read`));
    script.src = address;
    document.head.append(script);
  });
}
